"""Logistic regression: P(y=1|x) = 1/(1 + e^−(β₀+β₁x)), by each framework's linear layer and sigmoid.

Its loss from logits and its training have pages of their own.
"""

import numpy as np

from gaugeblock import Case, Contender
from reference.logistic import probability, probability_vjp
from suites.linear_regression import in_flax, in_keras, in_tensorflow, in_torch

SIZES = {
    "small": {"rows": 65, "features": 10},
    "breast-cancer": {"rows": 569, "features": 30},
    "large": {"rows": 100_000, "features": 30},
}
REGIMES = {
    "typical": "seeded normal draws, logits within ±4",
    "breast-cancer": "rows of scikit-learn's breast cancer set drawn with replacement, standardised",
    "large-logits": "logits to ±200, half of them on the wrong side: e^z alone leaves float32",
}


def tumours():
    """The breast cancer data set: 569 tumours, 30 standardised features, target 1 if benign."""
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


case = Case(
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
    items=lambda *, rows, **_: rows,
    unit="rows",
    flops=lambda *, rows, features, **_: 2 * rows * features,
)
