"""Sparse categorical cross-entropy from logits: reference/loss.py against each framework's own.

Targets are class numbers; see suites/cross_entropy.py for probabilities. Convention: the mean over the
examples. The weighted mean of torch's cross_entropy divides by the sum of the targets' weights, Keras's
default by the number of examples: options "weighted-mean" and "weights". tf.nn and optax return the loss of
each example, and their users take the mean and apply weights. Only torch smooths labels.

Slopes p − 1 cancel in every framework where a prediction is right and certain: known departures.
"""

from gaugeblock import Case, Headline
from reference.loss import sparse_cross_entropy, sparse_cross_entropy_vjp
from suites.cross_entropy import KERAS, NO_SMOOTHING, OPTIONS, SHARED, SIZES, draw, in_torch, reduced
from suites.mean_squared_error import contender


def inputs(rng, *, batch, classes, **option):
    return {}, draw(rng, batch=batch, classes=classes, **option)


def in_tensorflow(tf, *, reduction="mean", **option):
    def loss(z, y, w=None):
        l = tf.nn.sparse_softmax_cross_entropy_with_logits(y, z)
        return reduced(tf.reduce_mean, l, reduction, None if w is None else tf.gather(w, y))

    return loss


def in_keras(keras, *, reduction="mean", **option):
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction=KERAS[reduction])
    return lambda z, y, w=None: loss(y, z, sample_weight=None if w is None else keras.ops.take(w, y))


def in_optax(optax, *, reduction="mean", **option):
    def loss(z, y, w=None):
        l = optax.softmax_cross_entropy_with_integer_labels(z, y)
        return reduced(lambda l: l.mean(), l, reduction, None if w is None else w[y])

    return loss


BY_WEIGHTS = {"weights": "its mean divides by the weights of the targets (see weighted-mean)"}

case = Case(
    name="sparse-cross-entropy",
    title="Sparse categorical cross-entropy from logits",
    reference=sparse_cross_entropy,
    gradient=sparse_cross_entropy_vjp,
    inputs=inputs,
    options=OPTIONS | {"weighted-mean": {"weighted": True, "reduction": "weighted mean"}},
    rare=("each", "confident", "shifted", "weighted-mean"),
    headlines=(
        Headline(
            "llama",
            "cross-entropy, 64 tokens, vocabulary 32,000",
            "the vocabulary of Llama 2",
            growth=({"batch": 1}, {"batch": 4}, {"batch": 16}),
            gpu={"batch": 8_192},
        ),
    ),
    variants={
        "weighted mean of cross-entropy": {
            "over the number of examples": ("weights",),
            "over the sum of their weights": ("weighted-mean",),
        }
    },
    contenders=(
        contender("torch.nn.functional.cross_entropy", in_torch, BY_WEIGHTS),
        contender("tensorflow.nn.sparse_softmax_cross_entropy_with_logits", in_tensorflow, NO_SMOOTHING),
        contender("keras.losses.SparseCategoricalCrossentropy", in_keras, NO_SMOOTHING),
        contender("optax.softmax_cross_entropy_with_integer_labels", in_optax, NO_SMOOTHING),
    ),
    flops=lambda *, batch, classes, **_: 4 * batch * classes,
    **SHARED | {"sizes": SIZES | {"llama": {"batch": 64, "classes": 32_000}}},
)
