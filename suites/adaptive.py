"""RMSprop and Adagrad, each convention under its own name.

Judged as the optimisers of suites/optimizers.py are. torch adds ε to the root, Keras inside it (`root`),
optax's RMSprop as it is told and its Adagrad inside. With momentum, torch keeps unscaled steps, Keras
steps and optax updates, so that three options name three buffers.
"""

from bench.case import Case, Contender
from reference.adaptive import adagrad, adagrad_start, rmsprop, rmsprop_start
from reference.descent import value_and_gradient
from suites.gradient_descent import flax_names, keras_loop, optax_loop, torch_loop, torch_names
from suites.optimizers import COMMON, REGIMES, SIZES, inputs


def rmsprop_step(
    theta, state, x, y, *, lr, rho, eps, root=False, momentum=0.0, centered=False, buffer="outside"
):
    loss, g = value_and_gradient(theta, x, y)
    option = {"root": root, "momentum": momentum, "centered": centered, "buffer": buffer}
    return *rmsprop(theta, g, state, lr=lr, rho=rho, eps=eps, **option), loss


def adagrad_step(theta, state, x, y, *, lr, eps, root=False, decay=0.0):
    loss, g = value_and_gradient(theta, x, y)
    return *adagrad(theta, g, state, lr=lr, eps=eps, root=root, decay=decay), loss


def torch_rmsprop(weights, state, *, lr, rho, eps, momentum=0.0, centered=False, **option):
    import torch

    def optimizer(parameters):
        return torch.optim.RMSprop(
            parameters, lr=lr, alpha=rho, eps=eps, momentum=momentum, centered=centered
        )

    names = {"v": "square_avg", "m": "grad_avg", "b": "momentum_buffer"}
    slots = {names[slot]: torch_names(tree) for slot, tree in state.items()}
    return torch_loop(weights, optimizer, state=slots | {"step": 0})


def torch_adagrad(weights, state, *, lr, eps, initial=0.0, decay=0.0, **option):
    import torch

    def optimizer(parameters):
        return torch.optim.Adagrad(
            parameters, lr=lr, eps=eps, lr_decay=decay, initial_accumulator_value=initial
        )

    return torch_loop(weights, optimizer, state={"sum": torch_names(state["s"]), "step": state["t"]})


def keras_slots(*trees):
    return {"variables": [tree[name] for tree in trees for name in ("W", "b")]}


def keras_rmsprop(weights, state, *, lr, rho, eps, momentum=0.0, centered=False, **option):
    import keras

    optimizer = keras.optimizers.RMSprop(lr, rho=rho, epsilon=eps, momentum=momentum, centered=centered)
    return keras_loop(weights, optimizer, state=keras_slots(*(state[s] for s in "vbm" if s in state)))


def keras_adagrad(weights, state, *, lr, eps, initial=0.0, **option):
    import keras

    optimizer = keras.optimizers.Adagrad(lr, epsilon=eps, initial_accumulator_value=initial)
    return keras_loop(weights, optimizer, state=keras_slots(state["s"]))


def optax_rmsprop(
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


def optax_adagrad(weights, state, *, lr, eps, initial=0.0, **option):
    import optax

    optimizer = optax.adagrad(lr, initial_accumulator_value=initial, eps=eps)
    sums = optax.ScaleByRssState(flax_names(state["s"]))
    return optax_loop(weights, optimizer, state=(sums, optax.EmptyState()))


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

cases = (
    Case(
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
            Contender("torch", "torch.optim.RMSprop", torch_rmsprop, without=OUTSIDE | NO_FIRST),
            Contender("tensorflow", "keras.optimizers.RMSprop", keras_rmsprop, without=INSIDE | STEPS),
            Contender("jax", "optax.rmsprop", optax_rmsprop, without=UPDATES),
        ),
        **MINOR,
    ),
    Case(
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
            Contender(
                "torch",
                "torch.optim.Adagrad",
                torch_adagrad,
                without=absent("adds epsilon outside the root", "root", "root-zero"),
            ),
            Contender(
                "tensorflow",
                "keras.optimizers.Adagrad",
                keras_adagrad,
                without=absent("adds epsilon inside the root", "plain", "first-tenth", "decay"),
            ),
            Contender(
                "jax",
                "optax.adagrad",
                optax_adagrad,
                without=absent("adds epsilon inside the root", "plain", "first-tenth", "decay"),
            ),
        ),
        **MINOR,
    ),
)
