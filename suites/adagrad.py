"""Adagrad, each convention under its own name.

Judged like suites/sgd_momentum.py. torch adds ε to the root, Keras and optax inside the root (`root`); only
torch has a decay of the learning rate (`decay`). The rare options combine what users change, as in
suites/adam.py.
"""

from gaugeblock import Case, Contender
from reference.adaptive import adagrad, adagrad_start
from reference.update import update, update_start
from suites.adam import REGIMES
from suites.gradient_descent import flax_names, torch_names
from suites.loops.around import around, in_keras, in_optax, in_torch, keras_words, lacking, torch_words
from suites.rmsprop import INSIDE, MINOR, NO_AROUND, keras_slots
from suites.sgd_momentum import inputs


def start(theta, *, initial=0.0, around=None):
    return adagrad_start(theta, initial=initial) | update_start(theta, **around or {})


def adagrad_step(theta, state, x, y, *, lr, eps, root=False, decay=0.0, around=None):
    def step(theta, g, state):
        return adagrad(theta, g, state, lr=lr, eps=eps, root=root, decay=decay)

    return update(step, theta, state, x, y, lr=lr, **around or {})


def torch_adagrad(weights, state, *, lr, eps, initial=0.0, decay=0.0, around=None):
    import torch

    option = {"lr_decay": decay, "initial_accumulator_value": initial, "eps": eps}

    def optimizer(parameters):
        return torch.optim.Adagrad(parameters, lr=lr, **option, **torch_words(**around or {}))

    slots = {"sum": torch_names(state["s"]), "step": state["t"]}
    return in_torch(weights, optimizer, slots, **around or {})


def keras_adagrad(weights, state, *, lr, eps, root, initial=0.0, around=None):
    import keras

    option = {"epsilon": eps, "initial_accumulator_value": initial}
    optimizer = keras.optimizers.Adagrad(lr, **option, **keras_words(**around or {}))
    return in_keras(weights, optimizer, state, keras_slots(state["s"]), **around or {})


def optax_adagrad(weights, state, *, lr, eps, root, initial=0.0, around=None):
    import optax

    optimizer = optax.adagrad(lr, initial_accumulator_value=initial, eps=eps)
    sums = optax.ScaleByRssState(flax_names(state["s"]))
    return in_optax(weights, optimizer, (sums, optax.EmptyState()), **around or {})


TORCH = {"lr": 0.01, "eps": 1e-10}
KERAS = {"lr": 0.001, "eps": 1e-7, "root": True}
OTHER = {"lr": 0.002, "eps": 1e-5}
RARE = {
    "maximize-coupled": TORCH | {"initial": 0.1, "around": around(maximize=True, coupled=True)},
    "coupled-decay": TORCH | OTHER | {"decay": 0.1, "around": around(coupled=True)},
    "maximize-clip-epsilon": TORCH | OTHER | {"around": around(maximize=True, clip="epsilon")},
    "root-coupled-micro": KERAS | OTHER | {"around": around(coupled=True, micro=True, clip="norm")},
    "root-value": KERAS | OTHER | {"around": around(clip="value", average="kept", decay=True)},
    "root-each": KERAS | {"initial": 0.1, "around": around(clip="each", scale=True, micro=True)},
    "root-norm": KERAS | {"initial": 0.1, "around": around(clip="norm", average="taken", scale=True)},
}
OPTIONS = {
    "plain": TORCH,
    "root": KERAS | {"initial": 0.1},
    "root-zero": KERAS,
    "first-tenth": TORCH | {"initial": 0.1},
    "decay": TORCH | {"decay": 0.1},
} | RARE
NO_TORCH = {"root": "adds epsilon outside the root"}
COUPLED = {"coupled": "decays weights apart from the gradient"}

case = Case(
    name="adagrad",
    title="Adagrad",
    step=adagrad_step,
    start=start,
    inputs=inputs,
    options=OPTIONS,
    rare=("unused-feature", *RARE),
    regimes=REGIMES,
    contenders=(
        Contender("torch", "torch.optim.Adagrad", torch_adagrad, lacking(OPTIONS, NO_TORCH)),
        Contender(
            "tensorflow", "keras.optimizers.Adagrad", keras_adagrad, lacking(OPTIONS, COUPLED, needs=INSIDE)
        ),
        Contender("jax", "optax.adagrad", optax_adagrad, lacking(OPTIONS, NO_AROUND, needs=INSIDE)),
    ),
    **MINOR,
)
