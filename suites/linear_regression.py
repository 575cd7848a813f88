"""Linear regression: the line, the layer and its least-squares loss.

The convention is y = x W + b with W : (inputs, outputs) and the mean over all elements as loss.
torch stores W transposed; Keras, flax and we do not. The closed form has a page of its own.
"""

import numpy as np

from bench.case import Case, Contender
from reference.linear import (
    least_squares,
    least_squares_vjp,
    line,
    line_vjp,
    linear,
    linear_vjp,
)

REGIMES = {
    "typical": "seeded normal draws",
    "diabetes": "rows of scikit-learn's diabetes set drawn with replacement: small, correlated features",
}
LOSS_REGIMES = REGIMES | {
    "close-fit": "targets a hundredth off the plane, where a square that is multiplied out cancels",
}


def line_inputs(rng, *, rows, **option):
    beta0, beta1 = rng.standard_normal(2)
    return {"beta0": np.array(beta0), "beta1": np.array(beta1)}, {"x": rng.standard_normal(rows)}


def draw(rng, *, rows, features, regime="typical"):
    """Features (rows, features) and one target a row, as the regime wants them."""
    if regime == "diabetes":
        from sklearn.datasets import load_diabetes

        table, target = load_diabetes(return_X_y=True)
        chosen = rng.integers(len(table), size=rows)
        return np.resize(table.T, (features, len(table))).T[chosen], target[chosen, None]
    x = rng.standard_normal((rows, features))
    y = x @ rng.standard_normal((features, 1)) + rng.standard_normal((rows, 1))
    return x, y


def draw_weights(rng, features, outputs, regime="typical"):
    """Slopes and intercepts; of the size that the fit has where the data are the diabetes set."""
    scale = 1400 if regime == "diabetes" else 1
    W = scale * rng.standard_normal((features, outputs)) / np.sqrt(features)
    return {"W": W, "b": (150 if scale > 1 else 0) + rng.standard_normal(outputs)}


def inputs(rng, *, rows, features, outputs=1, bias=True, regime="typical"):
    x, _ = draw(rng, rows=rows, features=features, regime=regime)
    weights = draw_weights(rng, features, outputs, regime)
    if not bias:
        del weights["b"]
    return weights, {"x": x}


def loss_inputs(rng, *, rows, features, regime="typical"):
    x, y = draw(rng, rows=rows, features=features, regime=regime)
    weights = draw_weights(rng, features, 1, regime)
    if regime == "close-fit":
        y = x @ weights["W"] + weights["b"] + 0.01 * rng.standard_normal(y.shape)
    return weights, {"x": x, "y": y}


def as_matrix(build):
    """The line as a linear layer of one feature: W = [[β₁]], b = [β₀], a column in and a column out."""

    def line_build(weights, **option):
        params, run = build({"W": weights["beta1"].reshape(1, 1), "b": weights["beta0"].reshape(1)})
        return params, lambda params, x: {"y": run(params, x[:, None])["y"][:, 0]}

    return line_build


def in_torch(weights, **option):
    import torch

    params = {"weight": weights["W"].T} | ({"bias": weights["b"]} if "b" in weights else {})

    def run(params, x):
        return {"y": torch.nn.functional.linear(x, params["weight"], params.get("bias"))}

    return params, run


def in_torch_module(weights, **option):
    import torch

    module = torch.nn.Linear(*weights["W"].shape, bias="b" in weights)
    params = in_torch(weights)[0]
    return params, lambda params, x: {"y": torch.func.functional_call(module, params, (x,))}


def in_tensorflow(weights, **option):
    import tensorflow as tf

    def run(params, x):
        y = tf.linalg.matmul(x, params["W"])
        return {"y": y + params["b"] if "b" in params else y}

    return dict(weights), run


def in_keras(weights, *, activation=None, **option):
    import keras

    features, outputs = weights["W"].shape
    layer = keras.layers.Dense(outputs, activation=activation, use_bias="b" in weights)
    layer.build((None, features))
    params = [weights[name] for name in ("W", "b") if name in weights]
    return params, lambda params, x: {"y": layer.stateless_call(params, [], x)[0]}


def in_jax(weights, **option):
    import jax

    def run(params, x):
        y = jax.numpy.matmul(x, params["W"])
        return {"y": y + params["b"] if "b" in params else y}

    return dict(weights), run


def in_flax(weights, **option):
    import flax

    layer = flax.linen.Dense(weights["W"].shape[1], use_bias="b" in weights)
    params = {"kernel": weights["W"]} | ({"bias": weights["b"]} if "b" in weights else {})
    return params, lambda params, x: {"y": layer.apply({"params": params}, x)}


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


SAMPLES = {
    "small": {"rows": 97, "features": 10},
    "diabetes": {"rows": 442, "features": 10},
    "million": {"rows": 1_000_000, "features": 10},
}

cases = (
    Case(
        name="linear-regression",
        title="Linear regression y = x W + b",
        reference=linear,
        gradient=linear_vjp,
        inputs=inputs,
        sizes={
            "small": {"rows": 65, "features": 10, "outputs": 3},
            "diabetes": {"rows": 442, "features": 10, "outputs": 1},
            "layer": {"rows": 4096, "features": 1024, "outputs": 1024},
            "million": {"rows": 1_000_000, "features": 10, "outputs": 1},
        },
        options={"plain": {}, "no-bias": {"bias": False}},
        regimes=REGIMES,
        rare=("no-bias",),
        integers={"plain": 12, "no-bias": 12},
        contenders=(
            Contender("torch", "torch.nn.functional.linear", in_torch),
            Contender("torch", "torch.nn.Linear", in_torch_module),
            Contender("tensorflow", "tensorflow.linalg.matmul", in_tensorflow),
            Contender("tensorflow", "keras.layers.Dense", in_keras),
            Contender("jax", "jax.numpy.matmul", in_jax),
            Contender("jax", "flax.linen.Dense", in_flax),
        ),
        items=lambda *, rows, **_: rows,
        unit="rows",
        flops=lambda *, rows, features, outputs, **_: 2 * rows * features * outputs,
    ),
    Case(
        name="simple-linear-regression",
        title="Linear regression y = β₀ + β₁ x",
        reference=line,
        gradient=line_vjp,
        inputs=line_inputs,
        sizes={"small": {"rows": 65}, "million": {"rows": 1_000_000}},
        integers={"plain": 12},
        contenders=(
            Contender("torch", "torch.nn.functional.linear", as_matrix(in_torch)),
            Contender("torch", "torch.nn.Linear", as_matrix(in_torch_module)),
            Contender("tensorflow", "keras.layers.Dense", as_matrix(in_keras)),
            Contender("jax", "flax.linen.Dense", as_matrix(in_flax)),
        ),
        items=lambda *, rows, **_: rows,
        unit="rows",
        flops=lambda *, rows, **_: 2 * rows,
    ),
    Case(
        name="least-squares",
        title="Least-squares loss of linear regression",
        reference=least_squares,
        gradient=least_squares_vjp,
        inputs=loss_inputs,
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
    ),
)
