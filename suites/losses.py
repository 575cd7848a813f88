"""Losses: squared error and binary cross-entropy from logits, reference/loss.py against each framework's own.

Convention: the mean over all elements, or each element's own loss. tf.nn and optax give the loss of each
element and their users write the mean. Keras takes the mean over the last axis first; one of length 1
leaves each element its own. A class weight multiplies the positive term (torch's pos_weight); Keras weighs
samples, not classes. Only Keras smooths labels by an argument. Categorical cross-entropy:
suites/cross_entropy.py.
"""

import importlib

from bench.case import Case, Contender
from reference.loss import (
    binary_cross_entropy,
    binary_cross_entropy_vjp,
    mean_squared_error,
    mean_squared_error_vjp,
)

SIZES = {
    "small": {"batch": 13, "classes": 7},
    "one": {"batch": 5, "classes": 1},
    "large": {"batch": 4096, "classes": 1000},
}
REGIMES = {
    "typical": "logits 3 x, every other row 20 times as large; targets at random",
    "confident": "logits 8 x and targets that agree with them: the loss is small, and what cancels shows",
}
OPTIONS = {"plain": {}, "each": {"reduction": "none"}}
NO_SMOOTHING = {"smoothing": "smooths no labels"}
NO_WEIGHTS = {"weights": "takes no class weights"}
NEITHER = NO_SMOOTHING | NO_WEIGHTS
LIMITS = ()


def error_inputs(rng, *, batch, classes, **option):
    return {}, {"p": rng.normal(size=(batch, classes)), "y": rng.normal(size=(batch, classes))}


def binary_inputs(rng, *, batch, classes, weighted=False, regime="typical", **option):
    z = rng.normal(size=(batch, classes))
    if regime == "confident":
        z *= 8
        y = 1.0 * (z > 0)
    else:
        z *= 3
        z[1::2] *= 20
        y = 1.0 * (rng.uniform(size=z.shape) < 0.5)
    w = {"w": rng.uniform(0.5, 2, size=classes)} if weighted else {}
    return {}, {"z": z, "y": y} | w


def torch_error(torch, *, reduction="mean"):
    return lambda p, y: torch.nn.functional.mse_loss(p, y, reduction=reduction)


def torch_binary(torch, *, reduction="mean", **option):
    call = torch.nn.functional.binary_cross_entropy_with_logits
    return lambda z, y, w=None: call(z, y, pos_weight=w, reduction=reduction)


def tf_reduced(tf, l, reduction):
    return l if reduction == "none" else tf.reduce_mean(l)


def tf_error(tf, *, reduction="mean"):
    return lambda p, y: tf_reduced(tf, tf.math.squared_difference(p, y), reduction)


def tf_binary(tf, *, reduction="mean", **option):
    return lambda z, y: tf_reduced(tf, tf.nn.sigmoid_cross_entropy_with_logits(y, z), reduction)


def tf_weighted(tf, *, reduction="mean", **option):
    call = tf.nn.weighted_cross_entropy_with_logits
    return lambda z, y, w=1.0: tf_reduced(tf, call(y, z, w), reduction)


KERAS = {"mean": "sum_over_batch_size", "none": "none"}


def keras_error(keras, *, reduction="mean"):
    loss = keras.losses.MeanSquaredError(KERAS[reduction])
    return lambda p, y: loss(y[..., None], p[..., None])


def keras_binary(keras, *, smoothing=0.0, reduction="mean", **option):
    loss = keras.losses.BinaryCrossentropy(
        from_logits=True, label_smoothing=smoothing, reduction=KERAS[reduction]
    )
    return lambda z, y: loss(y[..., None], z[..., None])


def optax_reduced(l, reduction):
    return l if reduction == "none" else l.mean()


def optax_error(optax, *, reduction="mean"):
    return lambda p, y: optax_reduced(optax.squared_error(p, y), reduction)


def optax_binary(optax, *, reduction="mean", **option):
    return lambda z, y: optax_reduced(optax.sigmoid_binary_cross_entropy(z, y), reduction)


def contender(api, prepare, without=None):
    """`prepare(framework, **option)` gives the loss as a function of the data; a loss has no parameters."""
    name = api.partition(".")[0]

    def build(weights, **option):
        loss = prepare(importlib.import_module(name), **option)
        return {}, lambda params, **data: {"y": loss(**data)}

    # Keras is a layer around TensorFlow's functions, and eager runs the kernels of function
    modes = {"keras": ("function",), "tensorflow": ("function", "xla")}.get(name)
    return Contender(
        {"keras": "tensorflow", "optax": "jax"}.get(name, name), api, build, without or {}, modes
    )


def examples(*, batch, **_):
    return batch


cases = (
    Case(
        name="mean-squared-error",
        title="Mean squared error",
        reference=mean_squared_error,
        gradient=mean_squared_error_vjp,
        inputs=error_inputs,
        sizes=SIZES,
        options=OPTIONS,
        fixed=("y",),
        contenders=(
            contender("torch.nn.functional.mse_loss", torch_error),
            contender("tensorflow.math.squared_difference", tf_error),
            contender("keras.losses.MeanSquaredError", keras_error),
            contender("optax.squared_error", optax_error),
        ),
        items=examples,
        unit="examples",
        flops=lambda *, batch, classes, **_: 3 * batch * classes,
    ),
    Case(
        name="binary-cross-entropy",
        title="Binary cross-entropy from logits",
        reference=binary_cross_entropy,
        gradient=binary_cross_entropy_vjp,
        inputs=binary_inputs,
        sizes=SIZES,
        options=OPTIONS | {"smoothing": {"smoothing": 0.1}, "weights": {"weighted": True}},
        regimes=REGIMES,
        fixed=("y", "w"),
        contenders=(
            contender("torch.nn.functional.binary_cross_entropy_with_logits", torch_binary, NO_SMOOTHING),
            contender("tensorflow.nn.sigmoid_cross_entropy_with_logits", tf_binary, NEITHER),
            contender("tensorflow.nn.weighted_cross_entropy_with_logits", tf_weighted, NO_SMOOTHING),
            contender("keras.losses.BinaryCrossentropy", keras_binary, NO_WEIGHTS),
            contender("optax.sigmoid_binary_cross_entropy", optax_binary, NEITHER),
        ),
        items=examples,
        unit="examples",
        flops=lambda *, batch, classes, **_: 13 * batch * classes,  # a transcendental counts as one
        limits=LIMITS,
    ),
)
