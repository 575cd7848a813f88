"""Logistic regression's loss from logits: reference/logistic.py against each framework's layer and loss.

The convention is the mean of the cross-entropy over all elements, computed from the logits. The contender is
each framework's loss that takes logits, not the logarithm of its sigmoid.
"""

from gaugeblock import Case, Contender
from reference.logistic import logistic_loss, logistic_loss_vjp
from suites.linear_regression import in_flax, in_keras, in_tensorflow, in_torch
from suites.logistic_regression import REGIMES, SIZES
from suites.logistic_regression import inputs as layer_inputs


def inputs(rng, *, rows, features, regime="typical", **option):
    weights, data = layer_inputs(rng, rows=rows, features=features, regime=regime)
    return weights, {**data, "y": (rng.uniform(size=(rows, 1)) < 0.5).astype(float)}


def torch_loss(weights, **option):
    import torch

    params, run = in_torch(weights)

    def loss(params, x, y):
        return {"y": torch.nn.functional.binary_cross_entropy_with_logits(run(params, x)["y"], y)}

    return params, loss


def tensorflow_loss(weights, **option):
    import tensorflow as tf

    params, run = in_tensorflow(weights)

    def loss(params, x, y):
        each = tf.nn.sigmoid_cross_entropy_with_logits(labels=y, logits=run(params, x)["y"])
        return {"y": tf.reduce_mean(each)}

    return params, loss


def keras_loss(weights, **option):
    import keras

    params, run = in_keras(weights)
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    return params, lambda params, x, y: {"y": loss(y, run(params, x)["y"])}


def optax_loss(weights, **option):
    import optax

    params, run = in_flax(weights)

    def loss(params, x, y):
        return {"y": optax.sigmoid_binary_cross_entropy(run(params, x)["y"], y).mean()}

    return params, loss


case = Case(
    name="logistic-loss",
    title="Logistic regression's loss from logits",
    reference=logistic_loss,
    gradient=logistic_loss_vjp,
    inputs=inputs,
    fixed=("y",),
    sizes=SIZES,
    regimes=REGIMES,
    contenders=(
        Contender("torch", "torch.nn.functional.binary_cross_entropy_with_logits", torch_loss),
        Contender("tensorflow", "tensorflow.nn.sigmoid_cross_entropy_with_logits", tensorflow_loss),
        Contender("tensorflow", "keras.losses.BinaryCrossentropy", keras_loss),
        Contender("jax", "optax.sigmoid_binary_cross_entropy", optax_loss),
    ),
    items=lambda *, rows, **_: rows,
    unit="rows",
    flops=lambda *, rows, features, **_: 2 * rows * features,
)
