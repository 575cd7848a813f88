"""Gradient descent with momentum or Nesterov momentum, with the learning rate outside or inside the buffer.

Each of twelve steps (four at the large size) is judged from the reference's weights and state, on a linear
model with three outputs and a new mini-batch for each step. torch and optax have the learning rate outside
the momentum buffer, Keras inside (`inside`). Both are correct, so each is an option that some frameworks do
not have.
"""

from gaugeblock import Case, Contender
from reference.descent import value_and_gradient
from reference.optimizer import sgd, sgd_start
from suites.gradient_descent import flax_names, keras_loop, optax_loop, torch_loop, torch_names


def inputs(rng, *, rows, features, outputs, steps, regime="typical", **option):
    """The inputs of all optimiser pages; tiny gradients are for optimisers with an epsilon."""
    scale = 1e-8 if regime == "tiny-gradients" or option.get("tiny") else 1.0
    x = rng.normal(size=(steps, rows, features))
    y = x @ (0.1 * rng.normal(size=(features, outputs))) + 0.1 * rng.normal(size=(steps, rows, outputs))
    # small weights, so that their rounding does not hide that of a step
    weights = {"W": 0.01 * rng.normal(size=(features, outputs)), "b": 0.01 * rng.normal(size=outputs)}
    return weights, {"x": scale * x, "y": y}


def sgd_step(theta, state, x, y, *, lr, momentum, nesterov=False, inside=False):
    loss, g = value_and_gradient(theta, x, y)
    return *sgd(theta, g, state, lr=lr, momentum=momentum, nesterov=nesterov, inside=inside), loss


def in_torch(weights, state, *, lr, momentum, nesterov=False, **option):
    import torch

    def optimizer(parameters):
        return torch.optim.SGD(parameters, lr=lr, momentum=momentum, nesterov=nesterov)

    return torch_loop(weights, optimizer, state={"momentum_buffer": torch_names(state["v"])})


def in_keras(weights, state, *, lr, momentum, nesterov=False, **option):
    import keras

    optimizer = keras.optimizers.SGD(lr, momentum=momentum, nesterov=nesterov)
    return keras_loop(weights, optimizer, state={"variables": [state["v"]["W"], state["v"]["b"]]})


def in_optax(weights, state, *, lr, momentum, nesterov=False, **option):
    import optax

    optimizer = optax.sgd(lr, momentum=momentum, nesterov=nesterov)
    buffer = optax.TraceState(flax_names(state["v"]))
    return optax_loop(weights, optimizer, state=(buffer, optax.EmptyState()))


SIZES = {
    "small": {"rows": 17, "features": 5, "outputs": 3, "steps": 12},
    "odd": {"rows": 31, "features": 67, "outputs": 33, "steps": 12},
    "large": {"rows": 256, "features": 512, "outputs": 512, "steps": 4},
}
COMMON = {
    "sizes": SIZES,
    "curve": {"size": "small", "steps": 120},
    "items": lambda *, features, outputs, **_: (features + 1) * outputs,
    "unit": "weights",
    "flops": lambda *, rows, features, outputs, **_: 4 * rows * features * outputs,
}
OUTSIDE = dict.fromkeys(
    ("momentum-inside", "nesterov-inside"), "keeps the learning rate outside the momentum buffer"
)
INSIDE = dict.fromkeys(("momentum", "nesterov"), "keeps the learning rate inside the momentum buffer")

case = Case(
    name="sgd-momentum",
    title="Gradient descent with momentum",
    step=sgd_step,
    start=sgd_start,
    inputs=inputs,
    options={
        "momentum": {"lr": 0.1, "momentum": 0.9},
        "nesterov": {"lr": 0.1, "momentum": 0.9, "nesterov": True},
        "momentum-inside": {"lr": 0.1, "momentum": 0.9, "inside": True},
        "nesterov-inside": {"lr": 0.1, "momentum": 0.9, "inside": True, "nesterov": True},
    },
    variants={
        "learning rate of SGD with momentum": {
            "outside the buffer": ("momentum", "nesterov"),
            "inside the buffer": ("momentum-inside", "nesterov-inside"),
        }
    },
    contenders=(
        Contender("torch", "torch.optim.SGD", in_torch, without=OUTSIDE),
        Contender("tensorflow", "keras.optimizers.SGD", in_keras, without=INSIDE),
        Contender("jax", "optax.sgd", in_optax, without=OUTSIDE),
    ),
    **COMMON,
)
