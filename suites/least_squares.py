"""Least-squares loss of linear regression: each framework's linear layer and squared error.

The convention is the mean over all elements. optax and tf.math return the squared error of each element, and
their users take the mean.
"""

from gaugeblock import Case, Contender
from reference.linear import least_squares, least_squares_vjp
from suites.linear_regression import (
    REGIMES,
    draw,
    draw_weights,
    in_flax,
    in_keras,
    in_tensorflow,
    in_torch,
)

SAMPLES = {
    "small": {"rows": 97, "features": 10},
    "diabetes": {"rows": 442, "features": 10},
    "million": {"rows": 1_000_000, "features": 10},
}
LOSS_REGIMES = REGIMES | {
    "close-fit": "targets a hundredth off the plane, where a square that is multiplied out cancels",
}


def inputs(rng, *, rows, features, regime="typical"):
    x, y = draw(rng, rows=rows, features=features, regime=regime)
    weights = draw_weights(rng, features, 1, regime)
    if regime == "close-fit":
        y = x @ weights["W"] + weights["b"] + 0.01 * rng.standard_normal(y.shape)
    return weights, {"x": x, "y": y}


def torch_loss(weights, **option):
    import torch

    params, run = in_torch(weights)
    return params, lambda params, x, y: {"y": torch.nn.functional.mse_loss(run(params, x)["y"], y)}


def keras_loss(weights, **option):
    import keras

    params, run = in_keras(weights)
    loss = keras.losses.MeanSquaredError()
    return params, lambda params, x, y: {"y": loss(y, run(params, x)["y"])}


def tensorflow_loss(weights, **option):
    import tensorflow as tf

    params, run = in_tensorflow(weights)

    def loss(params, x, y):
        return {"y": tf.reduce_mean(tf.math.squared_difference(run(params, x)["y"], y))}

    return params, loss


def optax_loss(weights, **option):
    import optax

    params, run = in_flax(weights)
    return params, lambda params, x, y: {"y": optax.squared_error(run(params, x)["y"], y).mean()}


case = Case(
    name="least-squares",
    title="Least-squares loss of linear regression",
    reference=least_squares,
    gradient=least_squares_vjp,
    inputs=inputs,
    fixed=("y",),
    sizes=SAMPLES,
    regimes=LOSS_REGIMES,
    rare=("close-fit",),
    contenders=(
        Contender("torch", "torch.nn.functional.mse_loss", torch_loss),
        Contender("tensorflow", "keras.losses.MeanSquaredError", keras_loss),
        Contender("tensorflow", "tensorflow.math.squared_difference", tensorflow_loss),
        Contender("jax", "optax.squared_error", optax_loss),
    ),
    items=lambda *, rows, **_: rows,
    unit="rows",
    flops=lambda *, rows, features, **_: 2 * rows * features + 3 * rows,
)
