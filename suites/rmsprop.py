"""RMSprop, each convention under its own name.

Judged like suites/sgd_momentum.py. torch adds ε to the root, Keras inside the root (`root`), optax either
way. With momentum, the buffer has unscaled steps in torch, steps in Keras and updates in optax: three
options.
"""

from gaugeblock import Case, Contender
from reference.adaptive import rmsprop, rmsprop_start
from reference.descent import value_and_gradient
from suites.adam import REGIMES
from suites.gradient_descent import flax_names, keras_loop, optax_loop, torch_loop, torch_names
from suites.sgd_momentum import COMMON, SIZES, inputs


def rmsprop_step(
    theta, state, x, y, *, lr, rho, eps, root=False, momentum=0.0, centered=False, buffer="outside"
):
    loss, g = value_and_gradient(theta, x, y)
    option = {"root": root, "momentum": momentum, "centered": centered, "buffer": buffer}
    return *rmsprop(theta, g, state, lr=lr, rho=rho, eps=eps, **option), loss


def in_torch(weights, state, *, lr, rho, eps, momentum=0.0, centered=False, **option):
    import torch

    def optimizer(parameters):
        return torch.optim.RMSprop(
            parameters, lr=lr, alpha=rho, eps=eps, momentum=momentum, centered=centered
        )

    names = {"v": "square_avg", "m": "grad_avg", "b": "momentum_buffer"}
    slots = {names[slot]: torch_names(tree) for slot, tree in state.items()}
    return torch_loop(weights, optimizer, state=slots | {"step": 0})


def keras_slots(*trees):
    return {"variables": [tree[name] for tree in trees for name in ("W", "b")]}


def in_keras(weights, state, *, lr, rho, eps, momentum=0.0, centered=False, **option):
    import keras

    optimizer = keras.optimizers.RMSprop(lr, rho=rho, epsilon=eps, momentum=momentum, centered=centered)
    return keras_loop(weights, optimizer, state=keras_slots(*(state[s] for s in "vbm" if s in state)))


def in_optax(
    weights, state, *, lr, rho, eps, root=False, initial=0.0, momentum=None, centered=False, **option
):
    import optax

    optimizer = optax.rmsprop(
        lr,
        decay=rho,
        eps=eps,
        eps_in_sqrt=root,
        initial_scale=initial,
        momentum=momentum,
        centered=centered,
    )
    trees = {slot: flax_names(tree) for slot, tree in state.items()}
    if centered:
        power = optax.ScaleByRStdDevState(trees["m"], trees["v"])
    else:
        power = optax.ScaleByRmsState(trees["v"])
    buffer = optax.TraceState(trees["b"]) if momentum else optax.EmptyState()
    return optax_loop(weights, optimizer, state=(power, optax.EmptyState(), buffer))


MINOR = COMMON | {
    "minor": True,
    "sizes": {
        "small": SIZES["small"],
        "one": {"rows": 1, "features": 1, "outputs": 1, "steps": 12},
        "large": SIZES["large"],
    },
}


def absent(reason, *options):
    return dict.fromkeys(options, reason)


INSIDE = absent("adds epsilon inside the root", "plain", "momentum", "centered", "first-one")
OUTSIDE = absent(
    "adds epsilon outside the root", "root", "momentum-inside", "momentum-update", "centered-root"
)
NO_FIRST = absent("begins at zero", "first-one")
STEPS = absent("keeps steps in its buffer", "momentum-update")
UPDATES = absent("keeps updates in its buffer", "momentum", "momentum-inside")
TORCH = {"lr": 0.01, "rho": 0.99, "eps": 1e-8}
KERAS = {"lr": 0.001, "rho": 0.9, "eps": 1e-7, "root": True}

case = Case(
    name="rmsprop",
    title="RMSprop",
    step=rmsprop_step,
    start=rmsprop_start,
    inputs=inputs,
    options={
        "plain": TORCH,
        "root": KERAS,
        "first-one": TORCH | {"initial": 1.0},
        "momentum": TORCH | {"momentum": 0.9},
        "momentum-inside": KERAS | {"momentum": 0.9, "buffer": "inside"},
        "momentum-update": KERAS | {"momentum": 0.9, "buffer": "update"},
        "centered": TORCH | {"centered": True},
        "centered-root": KERAS | {"centered": True},
    },
    regimes=REGIMES,
    contenders=(
        Contender("torch", "torch.optim.RMSprop", in_torch, without=OUTSIDE | NO_FIRST),
        Contender("tensorflow", "keras.optimizers.RMSprop", in_keras, without=INSIDE | STEPS),
        Contender("jax", "optax.rmsprop", in_optax, without=UPDATES),
    ),
    **MINOR,
)
