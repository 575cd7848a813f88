"""Mean and variance with weights, of some elements, over any axes: reference/moments.py against frameworks.

JAX's mean and var take a mask, its average takes weights; so do Keras's average and TensorFlow's
weighted_moments. torch's var_mean has neither: its users multiply and sum, and put zero for what is left
out, as TensorFlow's do. "unbiased" divides by the number less one, as torch does by default.
"""

import numpy as np

from gaugeblock import Case, Contender, Option
from reference.moments import moments, moments_vjp

SIZES = {
    "small": {"rows": 6, "columns": 5, "depth": 9},
    "two": {"rows": 2, "columns": 2, "depth": 2},
    "large": {"rows": 32, "columns": 16, "depth": 256},
}
OPTIONS: dict[str, Option] = {
    "plain": {},
    "other-axis": {"axis": 1},
    "two-axes": {"axis": (0, 2)},
    "all-axes": {"axis": None},
    "kept-axes": {"axis": 1, "keepdims": True},
    "unbiased": {"correction": 1},
    "unbiased-two-axes": {"correction": 1, "axis": (0, 1)},
    "weights": {"weighted": True},
    "weights-other-axis": {"weighted": True, "axis": 1},
    "weights-kept-axes": {"weighted": True, "axis": (0, 2), "keepdims": True},
    "some": {"masked": True},
    "some-unbiased-other-axis": {"masked": True, "axis": 1, "correction": 1},
}
REGIMES = {
    "typical": "seeded normal draws",
    "large-mean": "1000 and a few: E[x²] − E[x]² would cancel twenty bits",
}


def inputs(rng, *, rows, columns, depth, axis=-1, weighted=False, masked=False, regime="typical", **option):
    x = rng.normal(size=(rows, columns, depth)) + (1000 if regime == "large-mean" else 0)
    data = {"x": x}
    if weighted:
        data["w"] = rng.uniform(0.5, 2, size=x.shape)
    if masked:
        data["seen"] = rng.uniform(size=x.shape) < 0.6
        np.moveaxis(data["seen"], axis, -1)[..., :2] = True
    return {}, data


def named(pair):
    return dict(zip(("mean", "variance"), pair, strict=True))


def in_torch(weights, *, axis=-1, correction=0, keepdims=False, **option):
    import torch

    def run(params, x):
        dim = tuple(range(x.ndim)) if axis is None else axis
        return named(torch.var_mean(x, dim, correction=correction, keepdim=keepdims)[::-1])

    return {}, run


def in_torch_sums(weights, *, axis=-1, correction=0, keepdims=False, **option):
    import torch

    def run(params, x, w=None, seen=None):
        if seen is not None:
            x, w = torch.where(seen, x, 0), seen.to(x.dtype)
        total = torch.sum(w, axis, keepdim=True)
        mean = torch.sum(w * x, axis, keepdim=True) / total
        variance = torch.sum(w * (x - mean) ** 2, axis, keepdim=True) / (total - correction)
        return named((mean, variance) if keepdims else (mean.squeeze(axis), variance.squeeze(axis)))

    return {}, run


def tensorflow_axes(x, axis):
    return list(range(len(x.shape))) if axis is None else list(np.atleast_1d(axis))


def in_tensorflow(weights, *, axis=-1, keepdims=False, **option):
    import tensorflow as tf

    return {}, lambda params, x: named(tf.nn.moments(x, tensorflow_axes(x, axis), keepdims=keepdims))


def in_tensorflow_weighted(weights, *, axis=-1, keepdims=False, **option):
    import tensorflow as tf

    def run(params, x, w=None, seen=None):
        if seen is not None:
            x, w = tf.where(seen, x, tf.zeros_like(x)), tf.cast(seen, x.dtype)
        return named(tf.nn.weighted_moments(x, tensorflow_axes(x, axis), w, keepdims=keepdims))

    return {}, run


def in_tensorflow_reductions(weights, *, axis=-1, keepdims=False, **option):
    import tensorflow as tf

    calls = tf.math.reduce_mean, tf.math.reduce_variance
    return {}, lambda params, x: named([call(x, axis, keepdims) for call in calls])


def in_keras(weights, *, axis=-1, keepdims=False, **option):
    import keras

    calls = keras.ops.mean, keras.ops.var
    return {}, lambda params, x: named([call(x, axis, keepdims) for call in calls])


def in_keras_average(weights, *, axis=-1, **option):
    import keras

    def run(params, x, w):
        mean = keras.ops.average(x, axis, w)
        c = x - keras.ops.expand_dims(mean, axis)
        return named((mean, keras.ops.average(c * c, axis, w)))

    return {}, run


def in_jax(weights, *, axis=-1, correction=0, keepdims=False, **option):
    import jax.numpy as jnp

    def run(params, x, seen=None):
        how = {"axis": axis, "keepdims": keepdims, "where": seen}
        return named((jnp.mean(x, **how), jnp.var(x, ddof=correction, **how)))

    return {}, run


def in_jax_average(weights, *, axis=-1, keepdims=False, **option):
    import jax.numpy as jnp

    def run(params, x, w):
        mean = jnp.average(x, axis, w, keepdims=True)
        variance = jnp.average((x - mean) ** 2, axis, w, keepdims=keepdims)
        return named((mean if keepdims else mean.squeeze(axis), variance))

    return {}, run


def lacking(reason, fits):
    return {name: reason for name, how in OPTIONS.items() if fits(how)}


BIASED = lacking("divides by the number, not by one less", lambda how: "correction" in how)
UNMASKED = lacking("takes no mask", lambda how: "masked" in how)
UNWEIGHTED = lacking("takes no weights", lambda how: "weighted" in how)
ONLY_WEIGHTED = lacking("is for weights", lambda how: "weighted" not in how)
ONLY_SOME = lacking("is for weights", lambda how: not {"weighted", "masked"} & {*how})
ONE_AXIS = {"weights-kept-axes": "takes one axis, and does not keep it"}
case = Case(
    name="moments",
    title="Mean and variance with weights",
    reference=moments,
    gradient=moments_vjp,
    inputs=inputs,
    sizes=SIZES,
    options=OPTIONS,
    regimes=REGIMES,
    fixed=("w",),
    minor=True,
    contenders=(
        Contender("torch", "torch.var_mean", in_torch, UNMASKED | UNWEIGHTED),
        Contender("torch", "torch.sum", in_torch_sums, ONLY_SOME),
        Contender("tensorflow", "tensorflow.nn.moments", in_tensorflow, BIASED | UNMASKED | UNWEIGHTED),
        Contender("tensorflow", "tensorflow.nn.weighted_moments", in_tensorflow_weighted, BIASED | ONLY_SOME),
        Contender(
            "tensorflow",
            "tensorflow.math.reduce_variance",
            in_tensorflow_reductions,
            BIASED | UNMASKED | UNWEIGHTED,
        ),
        Contender("tensorflow", "keras.ops.var", in_keras, BIASED | UNMASKED | UNWEIGHTED),
        Contender("tensorflow", "keras.ops.average", in_keras_average, ONLY_WEIGHTED | ONE_AXIS),
        Contender("jax", "jax.numpy.var", in_jax, UNWEIGHTED),
        Contender("jax", "jax.numpy.average", in_jax_average, ONLY_WEIGHTED),
    ),
    items=lambda *, rows, columns, depth, **_: rows * columns * depth,
    unit="elements",
    flops=lambda *, rows, columns, depth, **_: 6 * rows * columns * depth,
)
