"""Adagrad, each convention under its own name.

Judged like suites/sgd_momentum.py. torch adds ε to the root, Keras and optax inside the root (`root`); only
torch has a decay of the learning rate (`decay`).
"""

from gaugeblock import Case, Contender
from reference.adaptive import adagrad, adagrad_start
from reference.descent import value_and_gradient
from suites.adam import REGIMES
from suites.gradient_descent import flax_names, keras_loop, optax_loop, torch_loop, torch_names
from suites.rmsprop import MINOR, absent, keras_slots
from suites.sgd_momentum import inputs


def adagrad_step(theta, state, x, y, *, lr, eps, root=False, decay=0.0):
    loss, g = value_and_gradient(theta, x, y)
    return *adagrad(theta, g, state, lr=lr, eps=eps, root=root, decay=decay), loss


def in_torch(weights, state, *, lr, eps, initial=0.0, decay=0.0, **option):
    import torch

    def optimizer(parameters):
        return torch.optim.Adagrad(
            parameters, lr=lr, eps=eps, lr_decay=decay, initial_accumulator_value=initial
        )

    return torch_loop(weights, optimizer, state={"sum": torch_names(state["s"]), "step": state["t"]})


def in_keras(weights, state, *, lr, eps, initial=0.0, **option):
    import keras

    optimizer = keras.optimizers.Adagrad(lr, epsilon=eps, initial_accumulator_value=initial)
    return keras_loop(weights, optimizer, state=keras_slots(state["s"]))


def in_optax(weights, state, *, lr, eps, initial=0.0, **option):
    import optax

    optimizer = optax.adagrad(lr, initial_accumulator_value=initial, eps=eps)
    sums = optax.ScaleByRssState(flax_names(state["s"]))
    return optax_loop(weights, optimizer, state=(sums, optax.EmptyState()))


OUTSIDE = absent("adds epsilon outside the root", "root", "root-zero")
INSIDE = absent("adds epsilon inside the root", "plain", "first-tenth", "decay")

case = Case(
    name="adagrad",
    title="Adagrad",
    step=adagrad_step,
    start=adagrad_start,
    inputs=inputs,
    options={
        "plain": {"lr": 0.01, "eps": 1e-10},
        "root": {"lr": 0.001, "eps": 1e-7, "initial": 0.1, "root": True},
        "root-zero": {"lr": 0.001, "eps": 1e-7, "root": True},
        "first-tenth": {"lr": 0.01, "eps": 1e-10, "initial": 0.1},
        "decay": {"lr": 0.01, "eps": 1e-10, "decay": 0.1},
    },
    regimes=REGIMES,
    contenders=(
        Contender("torch", "torch.optim.Adagrad", in_torch, without=OUTSIDE),
        Contender("tensorflow", "keras.optimizers.Adagrad", in_keras, without=INSIDE),
        Contender("jax", "optax.adagrad", in_optax, without=INSIDE),
    ),
    **MINOR,
)
