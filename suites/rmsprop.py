"""RMSprop, each convention under its own name.

Judged like suites/sgd_momentum.py. torch adds ε to the root, Keras inside the root (`root`), optax either
way. With momentum, the buffer has unscaled steps in torch, steps in Keras and updates in optax: three
options. The rare options combine what users change, as in suites/adam.py.
"""

import numpy as np

from gaugeblock import Case, Contender, pairs
from reference.adaptive import rmsprop, rmsprop_start
from reference.update import update, update_start
from suites.adam import REGIMES
from suites.gradient_descent import flax_names, torch_names
from suites.loops.around import around, in_keras, in_optax, in_torch, keras_words, lacking, torch_words
from suites.sgd_momentum import COMMON, SIZES, inputs


def start(theta, *, momentum=0.0, centered=False, initial=0.0, corrected=False, around=None):
    own = rmsprop_start(theta, momentum=momentum, centered=centered, initial=initial, corrected=corrected)
    return own | update_start(theta, **around or {})


def rmsprop_step(
    theta, state, x, y, *, lr, rho, eps, root=False, momentum=0.0, centered=False, buffer="outside",
    nesterov=False, corrected=False, around=None,
):  # fmt: skip
    option = {"root": root, "momentum": momentum, "centered": centered, "buffer": buffer}
    option |= {"lr": lr, "rho": rho, "eps": eps, "nesterov": nesterov, "corrected": corrected}

    def step(theta, g, state):
        return rmsprop(theta, g, state, **option)

    return update(step, theta, state, x, y, lr=lr, **around or {})


def torch_rmsprop(
    weights, state, *, lr, rho, eps, momentum=0.0, centered=False, initial=0.0, around=None, **_
):
    import torch

    option = {"alpha": rho, "eps": eps, "momentum": momentum, "centered": centered}

    def optimizer(parameters):
        return torch.optim.RMSprop(parameters, lr=lr, **option, **torch_words(**around or {}))

    names = {"v": "square_avg", "m": "grad_avg", "b": "momentum_buffer"}
    slots = {names[slot]: torch_names(tree) for slot, tree in state.items()}
    return in_torch(weights, optimizer, slots | {"step": 0}, **around or {})


def keras_slots(*trees):
    return [tree[name] for tree in trees for name in ("W", "b")]


def keras_rmsprop(weights, state, *, lr, rho, eps, momentum=0.0, centered=False, around=None, **option):
    import keras

    option = {"rho": rho, "epsilon": eps, "momentum": momentum, "centered": centered}
    optimizer = keras.optimizers.RMSprop(lr, **option, **keras_words(**around or {}))
    slots = keras_slots(*(state[slot] for slot in "vbm" if slot in state))
    return in_keras(weights, optimizer, state, slots, **around or {})


def optax_rmsprop(
    weights, state, *, lr, rho, eps, root=False, initial=0.0, momentum=None, centered=False,
    nesterov=False, corrected=False, around=None, **option,
):  # fmt: skip
    import optax

    optimizer = optax.rmsprop(
        lr,
        decay=rho,
        eps=eps,
        eps_in_sqrt=root,
        initial_scale=initial,
        momentum=momentum,
        centered=centered,
        nesterov=nesterov,
        bias_correction=corrected,
    )
    names = {"v": "nu", "m": "mu"}
    slots = {names[slot]: flax_names(state[slot]) for slot in names if slot in state}
    count = {"count": np.int32(state["t"])} if corrected else {}
    power = optimizer.init(flax_names(weights))[0]._replace(**slots, **count)
    buffer = optax.TraceState(flax_names(state["b"])) if momentum else optax.EmptyState()
    return in_optax(weights, optimizer, (power, optax.EmptyState(), buffer), **around or {})


MINOR = COMMON | {
    "minor": True,
    "sizes": {
        "small": SIZES["small"],
        "one": {"rows": 1, "features": 1, "outputs": 1, "steps": 12},
        "large": SIZES["large"],
    },
}


BOTH = (False, True)
TORCH = {"lr": 0.01, "rho": 0.99, "eps": 1e-8}
KERAS = {"lr": 0.001, "rho": 0.9, "eps": 1e-7, "root": True}
UPDATE = KERAS | {"momentum": 0.9, "buffer": "update"}
NUMBERS = {"lr": 0.002, "rho": 0.8, "eps": 1e-5}


OWN = ("centered", "nesterov", "corrected")


def spelled(words, buffer=""):
    """The keywords of an option from its words; `numbers` sets every number of RMSprop."""
    found = {word: True for word in words if word in OWN} | (NUMBERS if "numbers" in words else {})
    found |= {"momentum": 0.9, "buffer": buffer} if "momentum" in words else {}
    rest = {word: words[word] for word in words if word not in ("numbers", "momentum", *OWN)}
    return found | ({"around": around(**rest)} if rest else {})


OF_TORCH = pairs({"centered": BOTH, "momentum": BOTH, "maximize": BOTH, "coupled": BOTH, "numbers": BOTH})
OF_OPTAX = pairs({"corrected": BOTH, "centered": BOTH, "nesterov": BOTH})
OF_KERAS = {
    "value": {"clip": "value", "average": "kept", "decay": True, "momentum": True},
    "each": {"clip": "each", "scale": True, "micro": True, "numbers": True},
    "norm": {"clip": "norm", "average": "taken", "scale": True, "centered": True},
}
RARE = {name: TORCH | spelled(words, "outside") for name, words in OF_TORCH.items()}
RARE |= {f"update-{name}": UPDATE | spelled(words) for name, words in OF_OPTAX.items()}
RARE |= {f"root-{name}": KERAS | spelled(words, "inside") for name, words in OF_KERAS.items()}
OPTIONS = {
    "plain": TORCH,
    "root": KERAS,
    "first-one": TORCH | {"initial": 1.0},
    "momentum": TORCH | {"momentum": 0.9, "buffer": "outside"},
    "momentum-inside": KERAS | {"momentum": 0.9, "buffer": "inside"},
    "momentum-update": UPDATE,
    "centered": TORCH | {"centered": True},
    "centered-root": KERAS | {"centered": True},
} | RARE
NO_TORCH = {"root": "adds epsilon outside the root", "initial": "begins at zero"}
NO_KERAS = {"initial": "begins at zero", "update": "keeps steps in its buffer"}
INSIDE = {"root": "adds epsilon inside the root"}
NO_AROUND = {
    "each": "has no norm of each tensor alone",
    "average": "keeps no average of the weights",
    "scale": "does not scale the loss",
}
NO_OPTAX = dict.fromkeys(("outside", "inside"), "keeps updates in its buffer") | NO_AROUND

case = Case(
    name="rmsprop",
    title="RMSprop",
    step=rmsprop_step,
    start=start,
    inputs=inputs,
    options=OPTIONS,
    rare=("unused-feature", *RARE),
    regimes=REGIMES,
    contenders=(
        Contender("torch", "torch.optim.RMSprop", torch_rmsprop, lacking(OPTIONS, NO_TORCH)),
        Contender(
            "tensorflow", "keras.optimizers.RMSprop", keras_rmsprop, lacking(OPTIONS, NO_KERAS, needs=INSIDE)
        ),
        Contender("jax", "optax.rmsprop", optax_rmsprop, lacking(OPTIONS, NO_OPTAX)),
    ),
    **MINOR,
)
