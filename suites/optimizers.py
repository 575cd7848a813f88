"""Optimisers: SGD with momentum and Nesterov, Adam, AdamW, each convention under its own name.

Judged at each of twelve steps (four where it is large) from the reference's own weights and state, on a
linear model with three outputs and a fresh mini-batch each step. torch and optax keep the learning rate
outside the momentum buffer and add ε to the bias-corrected root; Keras keeps it inside (`inside`) and adds
ε̂ to the uncorrected one (`hat`). None of these is a mistake, so each is an option that some leave out.
"""

import numpy as np

from bench.case import Case, Contender, Limit
from reference.descent import value_and_gradient
from reference.optimizer import adam, adam_start, adamw, sgd, sgd_start
from suites.gradient_descent import flax_names, keras_loop, optax_loop, torch_loop, torch_names


def inputs(rng, *, rows, features, outputs, steps, regime="typical", **option):
    scale = 1e-8 if regime == "tiny-gradients" or option.get("tiny") else 1.0
    x = rng.normal(size=(steps, rows, features))
    y = x @ (0.1 * rng.normal(size=(features, outputs))) + 0.1 * rng.normal(size=(steps, rows, outputs))
    # small weights, behind which no step can hide its rounding
    weights = {"W": 0.01 * rng.normal(size=(features, outputs)), "b": 0.01 * rng.normal(size=outputs)}
    return weights, {"x": scale * x, "y": y}


def sgd_step(theta, state, x, y, *, lr, momentum, nesterov=False, inside=False):
    loss, g = value_and_gradient(theta, x, y)
    return *sgd(theta, g, state, lr=lr, momentum=momentum, nesterov=nesterov, inside=inside), loss


def adam_step(theta, state, x, y, *, lr, eps, beta1=0.9, beta2=0.999, hat=False):
    loss, g = value_and_gradient(theta, x, y)
    return *adam(theta, g, state, lr=lr, beta1=beta1, beta2=beta2, eps=eps, hat=hat), loss


def adamw_step(theta, state, x, y, *, lr, eps, decay, beta1=0.9, beta2=0.999, hat=False):
    loss, g = value_and_gradient(theta, x, y)
    return *adamw(theta, g, state, lr=lr, beta1=beta1, beta2=beta2, eps=eps, decay=decay, hat=hat), loss


def torch_sgd(weights, state, *, lr, momentum, nesterov=False, **option):
    import torch

    def optimizer(parameters):
        return torch.optim.SGD(parameters, lr=lr, momentum=momentum, nesterov=nesterov)

    return torch_loop(weights, optimizer, state={"momentum_buffer": torch_names(state["v"])})


def torch_moments(state):
    return {"exp_avg": torch_names(state["m"]), "exp_avg_sq": torch_names(state["v"]), "step": state["t"]}


def torch_adam(weights, state, *, lr, eps, **option):
    import torch

    def optimizer(parameters):
        return torch.optim.Adam(parameters, lr=lr, eps=eps)

    return torch_loop(weights, optimizer, state=torch_moments(state))


def torch_adamw(weights, state, *, lr, eps, decay, **option):
    import torch

    def optimizer(parameters):
        return torch.optim.AdamW(parameters, lr=lr, eps=eps, weight_decay=decay)

    return torch_loop(weights, optimizer, state=torch_moments(state))


def keras_sgd(weights, state, *, lr, momentum, nesterov=False, **option):
    import keras

    optimizer = keras.optimizers.SGD(lr, momentum=momentum, nesterov=nesterov)
    return keras_loop(weights, optimizer, state={"variables": [state["v"]["W"], state["v"]["b"]]})


def keras_moments(state):
    slots = [state[moment][name] for name in ("W", "b") for moment in ("m", "v")]
    return {"iterations": state["t"], "variables": slots}


def keras_adam(weights, state, *, lr, eps, **option):
    import keras

    return keras_loop(weights, keras.optimizers.Adam(lr, epsilon=eps), state=keras_moments(state))


def keras_adamw(weights, state, *, lr, eps, decay, **option):
    import keras

    optimizer = keras.optimizers.AdamW(lr, epsilon=eps, weight_decay=decay)
    return keras_loop(weights, optimizer, state=keras_moments(state))


def optax_sgd(weights, state, *, lr, momentum, nesterov=False, **option):
    import optax

    optimizer = optax.sgd(lr, momentum=momentum, nesterov=nesterov)
    return optax_loop(
        weights, optimizer, state=(optax.TraceState(flax_names(state["v"])), optax.EmptyState())
    )


def optax_moments(state):
    import optax

    count = np.int32(state["t"])
    return optax.ScaleByAdamState(count, flax_names(state["m"]), flax_names(state["v"]))


def optax_adam(weights, state, *, lr, eps, **option):
    import optax

    moments = (optax_moments(state), optax.EmptyState())
    return optax_loop(weights, optax.adam(lr, eps=eps), state=moments)


def optax_adamw(weights, state, *, lr, eps, decay, **option):
    import optax

    moments = (optax_moments(state), optax.EmptyState(), optax.EmptyState())
    return optax_loop(weights, optax.adamw(lr, eps=eps, weight_decay=decay), state=moments)


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
CORRECTED = {"hat": "adds epsilon to the bias-corrected root"}
CORRECTED_TINY = CORRECTED | {"hat-tiny-gradients": CORRECTED["hat"]}
HAT = {"plain": "adds epsilon to the uncorrected root"}
EPSILON = {"beside the corrected root, √v̂ + ε": ("plain",), "beside the uncorrected root, √v + ε̂": ("hat",)}
REGIMES = {
    "typical": "seeded normal draws",
    "tiny-gradients": "features of 1e-8: gradients near epsilon, where its place in the formula decides",
}


def through_float32(names, source, z):
    """tf.cast makes a float32 of a Python number before it makes the float64 that was asked for."""
    reason = f"Keras brings {names} to float64 by way of float32 (tf.cast of a Python number)"
    source = f"{source}; tensorflow/python/ops/math_ops.py:1044"
    return Limit("tensorflow", ">=2.21,<2.22", reason, source, z, {"dtype": "float64"})


def cancelled(backend, versions, whose, source):
    """1 - β₂ᵗ from a float32 β₂: 0.999 is off by 1.3e-8, its difference from 1 by 1.3e-5."""
    reason = f"{whose} computes 1 - β₂ᵗ from a β₂ in float32: off by 1.3e-5, and each step by 110 u"
    return Limit(backend, versions, reason, source, (8, 80), {"dtype": "float32"})


OPTAX = cancelled("jax", ">=0.10,<0.11", "optax", "optax/tree_utils/_tree_math.py:449 (0.2.8)")
KERAS = cancelled("tensorflow", ">=2.21,<2.22", "Keras", "keras/src/optimizers/adam.py:110 (3.15.1)")

cases = (
    Case(
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
            Contender("torch", "torch.optim.SGD", torch_sgd, without=OUTSIDE),
            Contender("tensorflow", "keras.optimizers.SGD", keras_sgd, without=INSIDE),
            Contender("jax", "optax.sgd", optax_sgd, without=OUTSIDE),
        ),
        limits=(through_float32("μ", "keras/src/optimizers/sgd.py:104 (3.15.1)", (5e7, 5e8)),),
        **COMMON,
    ),
    Case(
        name="adam",
        title="Adam",
        step=adam_step,
        start=adam_start,
        inputs=inputs,
        options={
            "plain": {"lr": 0.001, "eps": 1e-8},
            "hat": {"lr": 0.001, "eps": 1e-7, "hat": True},
            "hat-tiny-gradients": {"lr": 0.001, "eps": 1e-7, "hat": True, "tiny": True},
        },
        regimes=REGIMES,
        variants={"epsilon of Adam": EPSILON},
        contenders=(
            Contender("torch", "torch.optim.Adam", torch_adam, without=CORRECTED_TINY),
            Contender("tensorflow", "keras.optimizers.Adam", keras_adam, without=HAT),
            Contender("jax", "optax.adam", optax_adam, without=CORRECTED_TINY),
        ),
        limits=(
            through_float32("β₁ and β₂", "keras/src/optimizers/adam.py:107 (3.15.1)", (2e9, 2e10)),
            KERAS,
            OPTAX,
        ),
        **COMMON,
    ),
    Case(
        name="adamw",
        title="Adam with decoupled weight decay",
        step=adamw_step,
        start=adam_start,
        inputs=inputs,
        options={
            "plain": {"lr": 0.001, "eps": 1e-8, "decay": 0.01},
            "hat": {"lr": 0.001, "eps": 1e-7, "decay": 0.01, "hat": True},
        },
        variants={"epsilon of Adam": EPSILON},
        contenders=(
            Contender("torch", "torch.optim.AdamW", torch_adamw, without=CORRECTED),
            Contender("tensorflow", "keras.optimizers.AdamW", keras_adamw, without=HAT),
            Contender("jax", "optax.adamw", optax_adamw, without=CORRECTED),
        ),
        limits=(
            through_float32(
                "β₁, β₂ and λ",
                "keras/src/optimizers/adam.py:107, keras/src/backend/tensorflow/optimizer.py:97 (3.15.1)",
                (2e9, 2e10),
            ),
            KERAS,
            OPTAX,
        ),
        **COMMON,
    ),
)
