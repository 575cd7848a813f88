"""Logistic regression: P(y=1|x) = 1/(1 + e^−(β₀+β₁x)), its loss from logits, and its training.

The convention is the mean over all elements of the cross-entropy, computed from the logits. Every
framework has a loss that takes logits; that is the contender, not the logarithm of its sigmoid.
"""

import numpy as np

from bench.case import Case, Contender, Limit
from reference.descent import gradient_descent, minibatches, start
from reference.linear import linear
from reference.logistic import logistic_loss, logistic_loss_vjp, probability, probability_vjp
from suites.gradient_descent import CONTENDERS
from suites.linear_regression import in_flax, in_keras, in_tensorflow, in_torch

REGIMES = {
    "typical": "seeded normal draws, logits within ±4",
    "breast-cancer": "rows of scikit-learn's breast cancer set drawn with replacement, standardised",
    "large-logits": "logits to ±200, half of them on the wrong side: e^z alone leaves float32",
}


def tumours():
    """The breast cancer set: 569 tumours, 30 features in standard units, 1 where benign."""
    from sklearn.datasets import load_breast_cancer

    x, y = load_breast_cancer(return_X_y=True)
    return (x - x.mean(axis=0)) / x.std(axis=0), y[:, None].astype(float)


def inputs(rng, *, rows, features, regime="typical", **option):
    x = rng.normal(size=(rows, features))
    if regime == "breast-cancer":
        x = tumours()[0]
        x = x[rng.integers(len(x), size=rows)][:, :features]
    scale = 80 if regime == "large-logits" else 1
    W, b = scale * rng.normal(size=(features, 1)) / np.sqrt(features), rng.normal(size=1)
    return {"W": W, "b": b}, {"x": x}


def loss_inputs(rng, *, rows, features, regime="typical", **option):
    weights, data = inputs(rng, rows=rows, features=features, regime=regime)
    return weights, {**data, "y": (rng.uniform(size=(rows, 1)) < 0.5).astype(float)}


def training_inputs(rng, *, rows, steps, **option):
    x, y = tumours()
    order = np.concatenate([rng.permutation(len(x)) for _ in range(1 + steps * rows // len(x))])
    data = {name: minibatches(a, order[: steps * rows], size=rows) for name, a in {"x": x, "y": y}.items()}
    return {"W": np.zeros((x.shape[1], 1)), "b": np.zeros(1)}, data


def accuracy(predict):
    x, y = tumours()
    return "accuracy", float(np.mean((np.asarray(predict(x)) > 0) == y))


def logits(weights, x, **option):
    return linear(x, **weights)


def torch_probability(weights, **option):
    import torch

    params, run = in_torch(weights)
    return params, lambda params, x: {"y": torch.sigmoid(run(params, x)["y"])}


def tensorflow_probability(weights, **option):
    import tensorflow as tf

    params, run = in_tensorflow(weights)
    return params, lambda params, x: {"y": tf.math.sigmoid(run(params, x)["y"])}


def keras_probability(weights, **option):
    return in_keras(weights, activation="sigmoid")


def jax_probability(weights, **option):
    import jax

    params, run = in_flax(weights)
    return params, lambda params, x: {"y": jax.nn.sigmoid(run(params, x)["y"])}


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


ONNX = Limit(
    "onnxruntime",
    "==1.32.*",
    "below zero it is 1/2 + p(x) in float32, 1 − σ(−x) in float64: right to u, not to u σ(x)",
    "onnxruntime/core/mlas/lib/logistic.cpp, onnxruntime/core/providers/cpu/activation/activations.h; "
    "microsoft/onnxruntime#26281",
    (0.13, 1.3),
    always=False,  # only a probability near zero shows it
)
SOFTPLUS = Limit(
    "jax",
    ">=0.10,<0.11",
    "the gradient of JAX's softplus is exp(z - softplus(z)), off by u |z|: 31 u where |z| is 32",
    "jax/_src/lax/other.py:288",
    (0.3, 3),
    {"direction": "gradient", "regime": "large-logits"},
    always=False,
)
SIZES = {
    "small": {"rows": 65, "features": 10},
    "breast-cancer": {"rows": 569, "features": 30},
    "large": {"rows": 100_000, "features": 30},
}

cases = (
    Case(
        name="logistic-regression",
        title="Logistic regression P(y=1|x)",
        reference=probability,
        gradient=probability_vjp,
        inputs=inputs,
        sizes=SIZES,
        regimes=REGIMES,
        rare=("large-logits",),
        contenders=(
            Contender("torch", "torch.sigmoid", torch_probability),
            Contender("tensorflow", "tensorflow.math.sigmoid", tensorflow_probability),
            Contender("tensorflow", "keras.layers.Dense", keras_probability),
            Contender("jax", "jax.nn.sigmoid", jax_probability),
        ),
        limits=(ONNX,),
        items=lambda *, rows, **_: rows,
        unit="rows",
        flops=lambda *, rows, features, **_: 2 * rows * features,
    ),
    Case(
        name="logistic-loss",
        title="Logistic regression's loss from logits",
        reference=logistic_loss,
        gradient=logistic_loss_vjp,
        inputs=loss_inputs,
        fixed=("y",),
        sizes=SIZES,
        regimes=REGIMES,
        contenders=(
            Contender("torch", "torch.nn.functional.binary_cross_entropy_with_logits", torch_loss),
            Contender("tensorflow", "tensorflow.nn.sigmoid_cross_entropy_with_logits", tensorflow_loss),
            Contender("tensorflow", "keras.losses.BinaryCrossentropy", keras_loss),
            Contender("jax", "optax.sigmoid_binary_cross_entropy", optax_loss),
        ),
        limits=(SOFTPLUS,),
        items=lambda *, rows, **_: rows,
        unit="rows",
        flops=lambda *, rows, features, **_: 2 * rows * features,
    ),
    Case(
        name="logistic-training",
        title="Logistic regression trained by gradient descent",
        step=gradient_descent,
        start=start,
        inputs=training_inputs,
        sizes={
            "small": {"rows": 64, "steps": 12},
            "breast-cancer": {"rows": 569, "steps": 12},
            "one": {"rows": 1, "steps": 12},
        },
        options={"plain": {"lr": 0.1, "objective": "logistic"}},
        contenders=CONTENDERS,
        curve={"size": "breast-cancer", "steps": 100},
        score=accuracy,
        predict=logits,
        items=lambda *, rows, **_: rows,
        unit="rows",
        flops=lambda *, rows, **_: 4 * rows * 30,
    ),
)
