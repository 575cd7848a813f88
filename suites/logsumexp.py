"""Log-sum-exp, also with weights, over any axes: reference/logsumexp.py against each framework's function.

Only JAX's function takes weights, a mask and signs. Users of the others add the logarithms of the weights to
the exponents, and put −∞ where a term is left out.
"""

import math

import numpy as np

from gaugeblock import Case, Contender, Option
from reference.logsumexp import logsumexp, logsumexp_vjp

SIZES = {
    "small": {"rows": 6, "columns": 5, "depth": 7},
    "one": {"rows": 3, "columns": 1, "depth": 1},
    "large": {"rows": 64, "columns": 16, "depth": 256},
}
OPTIONS: dict[str, Option] = {
    "plain": {},
    "other-axis": {"axis": 1},
    "two-axes": {"axis": (0, 2)},
    "all-axes": {"axis": None},
    "kept-axes": {"axis": 1, "keepdims": True},
    "weights": {"weighted": "positive"},
    "weights-other-axis": {"weighted": "positive", "axis": 1},
    "zero-weights": {"weighted": "zeros"},
    "some-terms": {"masked": True},
    "some-terms-hidden": {"masked": True, "hidden": True},  # their e^x would be all of the sum
    "some-terms-weights": {"masked": True, "weighted": "positive", "axis": (1, 2)},
    "signed": {"weighted": "signed", "signed": True},
    "signed-kept-axes": {"weighted": "signed", "signed": True, "keepdims": True},
}
REGIMES = {
    "typical": "seeded normal draws × 3",
    "overflow": "a thousand more, every other row less: e^x overflows or vanishes, in float64 too",
}


def inputs(rng, *, rows, columns, depth, weighted="", masked=False, hidden=False, regime="typical", **option):
    x = 3 * rng.normal(size=(rows, columns, depth))
    if regime == "overflow":
        x += np.where(np.arange(rows) % 2, -1000, 1000)[:, None, None]
    data, out = {}, np.zeros(x.shape, bool)
    if weighted:
        data["b"] = rng.uniform(0.5, 2, size=x.shape)
    if weighted == "signed":
        data["b"] *= np.sign(rng.normal(size=x.shape))
    some = (rng.uniform(size=x.shape) < 0.3) & (np.arange(depth) > 0)
    if weighted == "zeros":
        data["b"][some], out = 0, some
    if masked:
        data["seen"], out = ~some, some
    if hidden:
        x = x + 1000 * out
    return {}, {"x": x} | data


def in_torch(weights, *, axis=-1, keepdims=False, **option):
    import torch

    def run(params, x, b=None, seen=None):
        x = x if b is None else x + torch.log(b)
        x = x if seen is None else torch.where(seen, x, -math.inf)
        return {"y": torch.logsumexp(x, tuple(range(x.ndim)) if axis is None else axis, keepdims)}

    return {}, run


def in_tensorflow(weights, *, axis=-1, keepdims=False, **option):
    import tensorflow as tf

    def run(params, x, b=None, seen=None):
        x = x if b is None else x + tf.math.log(b)
        x = x if seen is None else tf.where(seen, x, tf.constant(-math.inf, x.dtype))
        return {"y": tf.reduce_logsumexp(x, axis, keepdims)}

    return {}, run


def in_keras(weights, *, axis=-1, keepdims=False, **option):
    import keras

    def run(params, x, b=None, seen=None):
        x = x if b is None else x + keras.ops.log(b)
        x = x if seen is None else keras.ops.where(seen, x, keras.ops.cast(-math.inf, x.dtype))
        return {"y": keras.ops.logsumexp(x, axis, keepdims)}

    return {}, run


def in_jax(weights, *, axis=-1, keepdims=False, signed=False, **option):
    import jax

    def run(params, x, b=None, seen=None):
        y = jax.nn.logsumexp(x, axis, b, keepdims, return_sign=signed, where=seen)
        return {"y": y[0], "s": y[1]} if signed else {"y": y}

    return {}, run


SIGNED = dict.fromkeys(("signed", "signed-kept-axes"), "takes no weights, and a logarithm no sign")

case = Case(
    name="logsumexp",
    title="Log-sum-exp",
    reference=logsumexp,
    gradient=logsumexp_vjp,
    inputs=inputs,
    sizes=SIZES,
    options=OPTIONS,
    regimes=REGIMES,
    fixed=("s",),
    minor=True,
    contenders=(
        Contender("torch", "torch.logsumexp", in_torch, SIGNED),
        Contender("tensorflow", "tensorflow.reduce_logsumexp", in_tensorflow, SIGNED),
        Contender("tensorflow", "keras.ops.logsumexp", in_keras, SIGNED),
        Contender("jax", "jax.nn.logsumexp", in_jax),
    ),
    items=lambda *, rows, columns, depth, **_: rows * columns * depth,
    unit="terms",
    flops=lambda *, rows, columns, depth, **_: 4 * rows * columns * depth,
)
