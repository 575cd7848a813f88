"""Linear regression: y = x W + b, reference/linear.py against each framework's layer and function.

The convention is W : (inputs, outputs), as in Keras and Flax; torch stores W transposed. The line, the
least-squares loss and the closed form have pages of their own.
"""

import numpy as np

from gaugeblock import Case, Contender, Headline
from reference.linear import linear, linear_vjp

SIZES = {
    "small": {"rows": 65, "features": 10, "outputs": 3},
    "diabetes": {"rows": 442, "features": 10, "outputs": 1},
    "layer": {"rows": 4096, "features": 1024, "outputs": 1024},
    "million": {"rows": 1_000_000, "features": 10, "outputs": 1},
    "hundred-thousand": {"rows": 100_000, "features": 100, "outputs": 1},
}
REGIMES = {
    "typical": "seeded normal draws",
    "diabetes": "rows of scikit-learn's diabetes set drawn with replacement: small, correlated features",
}


def draw(rng, *, rows, features, regime="typical"):
    """Features (rows, features) and one target per row, for the regime."""
    if regime == "diabetes":
        from sklearn.datasets import load_diabetes

        table, target = load_diabetes(return_X_y=True)
        chosen = rng.integers(len(table), size=rows)
        return np.resize(table.T, (features, len(table))).T[chosen], target[chosen, None]
    x = rng.standard_normal((rows, features))
    y = x @ rng.standard_normal((features, 1)) + rng.standard_normal((rows, 1))
    return x, y


def draw_weights(rng, features, outputs, regime="typical"):
    """Slopes and intercepts; for the diabetes data set, of the size that its fit has."""
    scale = 1400 if regime == "diabetes" else 1
    W = scale * rng.standard_normal((features, outputs)) / np.sqrt(features)
    return {"W": W, "b": (150 if scale > 1 else 0) + rng.standard_normal(outputs)}


def inputs(rng, *, rows, features, outputs=1, bias=True, regime="typical"):
    x, _ = draw(rng, rows=rows, features=features, regime=regime)
    weights = draw_weights(rng, features, outputs, regime)
    if not bias:
        del weights["b"]
    return weights, {"x": x}


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


case = Case(
    name="linear-regression",
    title="Linear regression y = x W + b",
    reference=linear,
    gradient=linear_vjp,
    inputs=inputs,
    sizes=SIZES,
    options={"plain": {}, "no-bias": {"bias": False}},
    regimes=REGIMES,
    rare=("no-bias",),
    headlines=(
        Headline(
            "hundred-thousand",
            "linear regression, 100,000 rows × 100 features",
            "a table as large as those of tabular benchmarks (Covertype, Higgs), too large for any cache",
            direction="forward",
            growth=({"rows": 1_563}, {"rows": 6_250}, {"rows": 25_000}),
            gpu={"rows": 4_000_000},
            bits=2,
        ),
    ),
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
)
