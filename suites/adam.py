"""Adam and AdamW, each convention under its own name.

Judged like suites/sgd_momentum.py. torch and optax add ε to the bias-corrected root, Keras adds ε̂ to the
uncorrected one (`hat`). Both are correct, so each is an option that some frameworks do not have.
"""

import numpy as np

from gaugeblock import Case, Contender, Headline
from reference.descent import value_and_gradient
from reference.optimizer import adam, adam_start, adamw
from suites.gradient_descent import flax_names, keras_loop, optax_loop, torch_loop, torch_names
from suites.sgd_momentum import COMMON, SIZES, inputs


def adam_step(theta, state, x, y, *, lr, eps, beta1=0.9, beta2=0.999, hat=False):
    loss, g = value_and_gradient(theta, x, y)
    return *adam(theta, g, state, lr=lr, beta1=beta1, beta2=beta2, eps=eps, hat=hat), loss


def adamw_step(theta, state, x, y, *, lr, eps, decay, beta1=0.9, beta2=0.999, hat=False):
    loss, g = value_and_gradient(theta, x, y)
    return *adamw(theta, g, state, lr=lr, beta1=beta1, beta2=beta2, eps=eps, decay=decay, hat=hat), loss


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


# a gradient of few rows, so that the time is that of the optimiser
TEN_MILLION = {"rows": 2, "features": 10_000, "outputs": 1_000, "steps": 2}
CORRECTED = {"hat": "adds epsilon to the bias-corrected root"}
CORRECTED_TINY = CORRECTED | {"hat-tiny-gradients": CORRECTED["hat"]}
HAT = {"plain": "adds epsilon to the uncorrected root"}
EPSILON = {"beside the corrected root, √v̂ + ε": ("plain",), "beside the uncorrected root, √v + ε̂": ("hat",)}
REGIMES = {
    "typical": "seeded normal draws",
    "tiny-gradients": "features of 1e-8: gradients near epsilon, where its place in the formula decides",
}

cases = (
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
        headlines=(
            Headline(
                "ten-million",
                "Adam, 10 million weights",
                "a small model's weights: 40 MB, and 80 MB of moments, past every cache",
                growth=({"features": 156}, {"features": 625}, {"features": 2500}),
                gpu={"features": 100_000},
            ),
        ),
        **COMMON | {"sizes": SIZES | {"ten-million": TEN_MILLION}},
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
        **COMMON,
    ),
)
