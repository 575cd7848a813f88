"""Binary cross-entropy from logits, also with class weights: reference/loss.py against each framework's.

Convention: the mean over all elements, or the loss of each element. tf.nn and optax return the loss of each
element, and their users take the mean. Keras first takes the mean over the last axis; with length 1 that is
the loss of each element. A class weight multiplies the positive term (torch's pos_weight); Keras weights
samples, not classes. Only Keras has an argument for label smoothing. See suites/cross_entropy.py for
categorical cross-entropy.
"""

from gaugeblock import Case
from reference.loss import binary_cross_entropy, binary_cross_entropy_vjp
from suites.mean_squared_error import SIZES, contender, examples

OPTIONS = {"plain": {}, "each": {"reduction": "none"}}
REGIMES = {
    "typical": "logits 2 to 4 x, targets at random: else a mean of millions is that of any other draw",
    "large-logits": "logits 40 x, targets at random: e^|z| overflows in float32",
    "confident": "logits of at least 8 with the right sign: the losses are small, and what cancels shows",
}
KERAS = {"mean": "sum_over_batch_size", "none": "none"}
NO_SMOOTHING = {"smoothing": "smooths no labels"}


def inputs(rng, *, batch, classes, regime="typical", **option):
    z = rng.normal(size=(batch, classes))
    y = 1.0 * (rng.uniform(size=z.shape) < 0.5)
    z *= {"large-logits": 40, "confident": 3}.get(regime) or rng.uniform(2, 4)
    if regime == "confident":
        z = (2 * y - 1) * (8 + abs(z))
    return {}, {"z": z, "y": y}


def weighted_inputs(rng, *, batch, classes, **option):
    data = inputs(rng, batch=batch, classes=classes)[1]
    return {}, data | {"w": rng.uniform(0.5, 2, size=classes)}


def in_torch(torch, *, reduction="mean", **option):
    call = torch.nn.functional.binary_cross_entropy_with_logits
    return lambda z, y, w=None: call(z, y, pos_weight=w, reduction=reduction)


def tf_reduced(tf, l, reduction):
    return l if reduction == "none" else tf.reduce_mean(l)


def in_tensorflow(tf, *, reduction="mean", **option):
    return lambda z, y: tf_reduced(tf, tf.nn.sigmoid_cross_entropy_with_logits(y, z), reduction)


def in_tensorflow_weighted(tf, *, reduction="mean", **option):
    call = tf.nn.weighted_cross_entropy_with_logits
    return lambda z, y, w: tf_reduced(tf, call(y, z, w), reduction)


def in_keras(keras, *, smoothing=0.0, reduction="mean", **option):
    loss = keras.losses.BinaryCrossentropy(
        from_logits=True, label_smoothing=smoothing, reduction=KERAS[reduction]
    )
    return lambda z, y: loss(y[..., None], z[..., None])


def optax_reduced(l, reduction):
    return l if reduction == "none" else l.mean()


def in_optax(optax, *, reduction="mean", **option):
    return lambda z, y: optax_reduced(optax.sigmoid_binary_cross_entropy(z, y), reduction)


cases = (
    Case(
        name="binary-cross-entropy",
        title="Binary cross-entropy from logits",
        reference=binary_cross_entropy,
        gradient=binary_cross_entropy_vjp,
        inputs=inputs,
        sizes=SIZES,
        options=OPTIONS | {"smoothing": {"smoothing": 0.1}},
        regimes=REGIMES,
        fixed=("y",),
        rare=("each", "confident", "large-logits"),
        contenders=(
            contender("torch.nn.functional.binary_cross_entropy_with_logits", in_torch, NO_SMOOTHING),
            contender("tensorflow.nn.sigmoid_cross_entropy_with_logits", in_tensorflow, NO_SMOOTHING),
            contender("keras.losses.BinaryCrossentropy", in_keras),
            contender("optax.sigmoid_binary_cross_entropy", in_optax, NO_SMOOTHING),
        ),
        items=examples,
        unit="examples",
        flops=lambda *, batch, classes, **_: 13 * batch * classes,  # a transcendental counts as one
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
            contender("torch.nn.functional.binary_cross_entropy_with_logits", in_torch),
            contender("tensorflow.nn.weighted_cross_entropy_with_logits", in_tensorflow_weighted),
        ),
        items=examples,
        unit="examples",
        flops=lambda *, batch, classes, **_: 14 * batch * classes,
    ),
)
