"""Categorical cross-entropy from logits, reference/loss.py against each framework's own.

Targets are probabilities, or class numbers (sparse). Convention: the mean over the examples. The weighted
mean of torch's cross_entropy for class numbers divides by the weights of the targets, Keras's default by
the number of examples: "weighted-mean" and "weights". tf.nn and optax give the loss of each example and
their users write the mean, weights included. torch and Keras smooth labels by an argument, optax by
optax.smooth_labels.
"""

import importlib

from bench.case import Case, Contender, Limit
from reference.loss import (
    cross_entropy,
    cross_entropy_vjp,
    sparse_cross_entropy,
    sparse_cross_entropy_vjp,
)

SIZES = {
    "small": {"batch": 13, "classes": 7},
    "two-classes": {"batch": 31, "classes": 2},
    "large": {"batch": 4096, "classes": 1000},
    "vocabulary": {"batch": 256, "classes": 50257},
}
REGIMES = {
    "typical": "logits 3 x, every fourth row 40 x, where e^z overflows in float32; targets at random",
    "confident": "the logit of the target 12 above the others: a small loss, where what cancels shows",
    "shifted": "logits 10,000 + 3 x: e^z overflows, in float64 too, and the shift cancels out of the loss",
}
OPTIONS = {
    "plain": {},
    "each": {"reduction": "none"},
    "smoothing": {"smoothing": 0.1},
    "weights": {"weighted": True},
}
NO_SMOOTHING = {"smoothing": "smooths no labels"}
NO_WEIGHTS = {"weights": "takes no class weights"}
NEITHER = NO_SMOOTHING | NO_WEIGHTS
BY_WEIGHTS = {"weights": "its mean divides by the weights of the targets (see weighted-mean)"}
EVERY = ("float64", "float32", "bfloat16", "float16")
SHIFTED = [  # of one number, which scatters
    (z, {"regime": "shifted", "dtype": EVERY}) for z in ((3.3, 33), (33, 330), (330, 3300))
]
SPARSE_LIMITS = tuple(
    Limit(
        "jax",
        "==0.10.*",
        "optax subtracts the target's logit from a log-sum-exp that carries the maximum: off by u |z|",
        "optax/losses/_classification.py:404",
        z,
        {"direction": "forward", **cells},
        always=False,  # only a small loss beside a large logit shows it, and not for every seed
    )
    for z, cells in (*SHIFTED, ((1, 10), {"regime": "confident"}), ((0.15, 1.5), {"option": "each"}))
)


def sparse_inputs(rng, *, batch, classes, weighted=False, regime="typical", **option):
    z = rng.normal(size=(batch, classes))
    y = rng.integers(0, classes, size=batch)
    z *= 3
    if regime == "confident":
        z[range(batch), y] = z.max(axis=-1) + 12
    elif regime == "shifted":
        z += 10_000
    else:
        z[3::4] *= 40 / 3
    w = {"w": rng.uniform(0.5, 2, size=classes)} if weighted else {}
    return {}, {"z": z, "y": y} | w


def dense_inputs(rng, *, batch, classes, regime="typical", **option):
    data = sparse_inputs(rng, batch=batch, classes=classes, regime=regime, **option)[1]
    if regime == "confident":
        return {}, data | {"y": 1.0 * (data["y"][:, None] == range(classes))}
    return {}, data | {"y": rng.dirichlet([1.0] * classes, size=batch)}


def in_torch(torch, *, smoothing=0.0, reduction="mean", **option):
    call = torch.nn.functional.cross_entropy
    how = reduction.removeprefix("weighted ")
    return lambda z, y, w=None: call(z, y, weight=w, label_smoothing=smoothing, reduction=how)


def reduced(mean, l, reduction, w=None):
    """What users write around the losses of the examples; `w` is each example's weight."""
    l = l if w is None else w * l
    if reduction == "none":
        return l
    return mean(l) / mean(w) if reduction == "weighted mean" else mean(l)


def tf_dense(tf, *, reduction="mean", **option):
    return lambda z, y: reduced(tf.reduce_mean, tf.nn.softmax_cross_entropy_with_logits(y, z), reduction)


def tf_sparse(tf, *, reduction="mean", **option):
    def loss(z, y, w=None):
        l = tf.nn.sparse_softmax_cross_entropy_with_logits(y, z)
        return reduced(tf.reduce_mean, l, reduction, None if w is None else tf.gather(w, y))

    return loss


KERAS = {"mean": "sum_over_batch_size", "weighted mean": "mean_with_sample_weight", "none": "none"}


def keras_dense(keras, *, smoothing=0.0, reduction="mean", **option):
    loss = keras.losses.CategoricalCrossentropy(
        from_logits=True, label_smoothing=smoothing, reduction=KERAS[reduction]
    )
    return lambda z, y: loss(y, z)


def keras_sparse(keras, *, reduction="mean", **option):
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction=KERAS[reduction])
    return lambda z, y, w=None: loss(y, z, sample_weight=None if w is None else keras.ops.take(w, y))


def optax_dense(optax, *, smoothing=0.0, reduction="mean", **option):
    def loss(z, y):
        y = optax.smooth_labels(y, smoothing) if smoothing else y
        return reduced(lambda l: l.mean(), optax.softmax_cross_entropy(z, y), reduction)

    return loss


def optax_sparse(optax, *, reduction="mean", **option):
    def loss(z, y, w=None):
        l = optax.softmax_cross_entropy_with_integer_labels(z, y)
        return reduced(lambda l: l.mean(), l, reduction, None if w is None else w[y])

    return loss


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


SHARED = {
    "sizes": SIZES,
    "regimes": REGIMES,
    "fixed": ("y", "w"),
    "items": lambda *, batch, **_: batch,
    "unit": "examples",
}
cases = (
    Case(
        name="cross-entropy",
        title="Categorical cross-entropy from logits",
        reference=cross_entropy,
        gradient=cross_entropy_vjp,
        inputs=dense_inputs,
        options=OPTIONS,
        rare=("each", "confident", "shifted"),
        contenders=(
            contender("torch.nn.functional.cross_entropy", in_torch),
            contender("tensorflow.nn.softmax_cross_entropy_with_logits", tf_dense, NEITHER),
            contender("keras.losses.CategoricalCrossentropy", keras_dense, NO_WEIGHTS),
            contender("optax.softmax_cross_entropy", optax_dense, NO_WEIGHTS),
        ),
        flops=lambda *, batch, classes, **_: 7 * batch * classes,  # a transcendental counts as one
        **SHARED,
    ),
    Case(
        name="sparse-cross-entropy",
        title="Sparse categorical cross-entropy from logits",
        reference=sparse_cross_entropy,
        gradient=sparse_cross_entropy_vjp,
        inputs=sparse_inputs,
        options=OPTIONS | {"weighted-mean": {"weighted": True, "reduction": "weighted mean"}},
        rare=("each", "confident", "shifted", "weighted-mean"),
        variants={
            "weighted mean of cross-entropy": {
                "over the number of examples": ("weights",),
                "over the sum of their weights": ("weighted-mean",),
            }
        },
        contenders=(
            contender("torch.nn.functional.cross_entropy", in_torch, BY_WEIGHTS),
            contender("tensorflow.nn.sparse_softmax_cross_entropy_with_logits", tf_sparse, NO_SMOOTHING),
            contender("keras.losses.SparseCategoricalCrossentropy", keras_sparse, NO_SMOOTHING),
            contender("optax.softmax_cross_entropy_with_integer_labels", optax_sparse, NO_SMOOTHING),
        ),
        flops=lambda *, batch, classes, **_: 4 * batch * classes,
        limits=SPARSE_LIMITS,
        **SHARED,
    ),
)
