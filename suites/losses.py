"""Losses: squared error and binary cross-entropy from logits, reference/loss.py against each framework's own.

Convention: the mean over all elements, or each element's own loss. tf.nn and optax give the loss of each
element and their users write the mean. Keras takes the mean over the last axis first; one of length 1
leaves each element its own. A class weight multiplies the positive term (torch's pos_weight); Keras weighs
samples, not classes. Only Keras smooths labels by an argument. Categorical cross-entropy:
suites/cross_entropy.py.
"""

import importlib

from bench.case import Case, Contender, Limit
from reference.loss import (
    binary_cross_entropy,
    binary_cross_entropy_vjp,
    mean_squared_error,
    mean_squared_error_vjp,
)

SIZES = {
    "small": {"batch": 13, "classes": 7},
    "one-class": {"batch": 31, "classes": 1},
    "large": {"batch": 4096, "classes": 1000},
}
REGIMES = {
    "typical": "logits 2 to 4 x, targets at random: else a mean of millions is that of any other draw",
    "large-logits": "logits 40 x, targets at random: e^|z| overflows in float32",
    "confident": "logits of at least 8 with the right sign: the losses are small, and what cancels shows",
}
OPTIONS = {"plain": {}, "each": {"reduction": "none"}}
WEIGHTED = "tensorflow.nn.weighted_cross_entropy_with_logits"
NO_SMOOTHING = {"smoothing": "smooths no labels"}


def error_inputs(rng, *, batch, classes, **option):
    return {}, {"p": rng.normal(size=(batch, classes)), "y": rng.normal(size=(batch, classes))}


def binary_inputs(rng, *, batch, classes, regime="typical", **option):
    z = rng.normal(size=(batch, classes))
    y = 1.0 * (rng.uniform(size=z.shape) < 0.5)
    z *= {"large-logits": 40, "confident": 3}.get(regime) or rng.uniform(2, 4)
    if regime == "confident":
        z = (2 * y - 1) * (8 + abs(z))
    return {}, {"z": z, "y": y}


def weighted_inputs(rng, *, batch, classes, **option):
    data = binary_inputs(rng, batch=batch, classes=classes)[1]
    return {}, data | {"w": rng.uniform(0.5, 2, size=classes)}


def torch_error(torch):
    return lambda p, y: torch.nn.functional.mse_loss(p, y)


def torch_binary(torch, *, reduction="mean", **option):
    call = torch.nn.functional.binary_cross_entropy_with_logits
    return lambda z, y, w=None: call(z, y, pos_weight=w, reduction=reduction)


def tf_reduced(tf, l, reduction):
    return l if reduction == "none" else tf.reduce_mean(l)


def tf_error(tf):
    return lambda p, y: tf.reduce_mean(tf.math.squared_difference(p, y))


def tf_binary(tf, *, reduction="mean", **option):
    return lambda z, y: tf_reduced(tf, tf.nn.sigmoid_cross_entropy_with_logits(y, z), reduction)


def tf_weighted(tf, *, reduction="mean", **option):
    call = tf.nn.weighted_cross_entropy_with_logits
    return lambda z, y, w: tf_reduced(tf, call(y, z, w), reduction)


KERAS = {"mean": "sum_over_batch_size", "none": "none"}


def keras_error(keras):
    loss = keras.losses.MeanSquaredError()
    return lambda p, y: loss(y, p)


def keras_binary(keras, *, smoothing=0.0, reduction="mean", **option):
    loss = keras.losses.BinaryCrossentropy(
        from_logits=True, label_smoothing=smoothing, reduction=KERAS[reduction]
    )
    return lambda z, y: loss(y[..., None], z[..., None])


def optax_reduced(l, reduction):
    return l if reduction == "none" else l.mean()


def optax_error(optax):
    return lambda p, y: optax.squared_error(p, y).mean()


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


LOG_SIGMOID = ("optax.sigmoid_binary_cross_entropy", "keras.losses.BinaryCrossentropy")
CANCELS = "(1 - y) z + log(1 + e^-z) cancels where y = 0 and z is far below 0: what is left is off by u |z|"
TORCH = "torch/_decomp/decompositions.py:5154 writes out what the kernel does"
TENSORFLOW = "tensorflow/python/ops/nn_impl.py:335"


# what is left in float16 is subnormal, where any rounding is as large; XLA adds up before it cancels
NOT_HALF = ("float64", "float32", "bfloat16")
NOT_COMPILED = ("eager", "transposed", "gaps")  # compiled, bfloat16 is float32 inside


def cancels(backend, versions, source, *found, always=True):
    return tuple(Limit(backend, versions, CANCELS, source, z, cells, always) for z, cells in found)


def torch_limits(*found, always=True):
    cells = ((z, {"direction": "forward"} | cells) for z, cells in found)
    return cancels("torch", "==2.13.*", TORCH, *cells, always=always)


EACH_OF_MANY = (
    ((0.1, 1), {"option": "each", "dtype": "float64", "size": "small"}),
    ((0.3, 3), {"option": "each", "dtype": "float32"}),
)
EACH_OF_FEW = (  # few elements, or few bits: some draws show it
    ((0.03, 0.3), {"option": "each", "dtype": "float64", "size": "one-class"}),
    ((0.2, 2), {"option": "each", "dtype": ("bfloat16", "float16")}),
)
EACH = torch_limits(*EACH_OF_MANY) + torch_limits(*EACH_OF_FEW, always=False)
BINARY_LIMITS = (
    *EACH,
    *torch_limits(
        ((1e1, 1e2), {"regime": "confident", "dtype": "bfloat16", "mode": NOT_COMPILED}),
        ((1e2, 1e3), {"regime": "confident"}),
        ((1e3, 1e4), {"regime": "confident"}),
    ),
    Limit(
        "jax",
        "==0.10.*",
        "the slope of log-sigmoid is e^(z - logaddexp(z, 0)), off by u |z|",
        "jax/_src/lax/other.py:288",
        (0.5, 5),
        {"direction": "gradient", "contender": LOG_SIGMOID},
        always=False,  # single elements, up to four times their limit
    ),
)
WEIGHTED_LIMITS = (
    *EACH,
    *cancels(
        "tensorflow",
        "==2.21.*",
        TENSORFLOW,
        *((z, cells | {"direction": "forward"}) for z, cells in EACH_OF_MANY),
    ),
    *cancels(
        "tensorflow",
        "==2.21.*",
        TENSORFLOW,
        *((z, cells | {"direction": "forward"}) for z, cells in EACH_OF_FEW),
        always=False,
    ),
    Limit(
        "tensorflow",
        "==2.21.*",
        CANCELS,
        TENSORFLOW,
        (0.15, 1.5),
        {"direction": "gradient", "mode": ("eager", "function"), "dtype": NOT_HALF},
        always=False,  # one seed in twenty stays inside
    ),
)

cases = (
    Case(
        name="mean-squared-error",
        title="Mean squared error",
        reference=mean_squared_error,
        gradient=mean_squared_error_vjp,
        inputs=error_inputs,
        sizes=SIZES,
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
        options=OPTIONS | {"smoothing": {"smoothing": 0.1}},
        regimes=REGIMES,
        fixed=("y",),
        rare=("each", "confident", "large-logits"),
        contenders=(
            contender("torch.nn.functional.binary_cross_entropy_with_logits", torch_binary, NO_SMOOTHING),
            contender("tensorflow.nn.sigmoid_cross_entropy_with_logits", tf_binary, NO_SMOOTHING),
            contender("keras.losses.BinaryCrossentropy", keras_binary),
            contender("optax.sigmoid_binary_cross_entropy", optax_binary, NO_SMOOTHING),
        ),
        items=examples,
        unit="examples",
        flops=lambda *, batch, classes, **_: 13 * batch * classes,  # a transcendental counts as one
        limits=BINARY_LIMITS,
    ),
    Case(
        name="weighted-binary-cross-entropy",
        title="Binary cross-entropy with class weights",
        reference=binary_cross_entropy,
        gradient=binary_cross_entropy_vjp,
        inputs=weighted_inputs,
        sizes=SIZES,
        options=OPTIONS,
        fixed=("y", "w"),
        rare=("each",),
        contenders=(
            contender("torch.nn.functional.binary_cross_entropy_with_logits", torch_binary),
            contender(WEIGHTED, tf_weighted),
        ),
        items=examples,
        unit="examples",
        flops=lambda *, batch, classes, **_: 14 * batch * classes,
        limits=WEIGHTED_LIMITS,
    ),
)
