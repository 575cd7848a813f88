"""Categorical cross-entropy from logits: reference/loss.py against each framework's own.

Targets are probabilities; see suites/sparse_cross_entropy.py for class numbers. Convention: the mean over the
examples. tf.nn and optax return the loss of each example, and their users take the mean. torch and Keras have
an argument for label smoothing, optax has optax.smooth_labels. Only torch has class weights.
"""

from gaugeblock import Case
from reference.loss import cross_entropy, cross_entropy_vjp
from suites.mean_squared_error import contender, examples

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
KERAS = {"mean": "sum_over_batch_size", "weighted mean": "mean_with_sample_weight", "none": "none"}
NO_SMOOTHING = {"smoothing": "smooths no labels"}
NO_WEIGHTS = {"weights": "takes no class weights"}
NEITHER = NO_SMOOTHING | NO_WEIGHTS


def draw(rng, *, batch, classes, weighted=False, regime="typical", **option):
    """Logits, a class for each example, and class weights."""
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
    return {"z": z, "y": y} | w


def inputs(rng, *, batch, classes, regime="typical", **option):
    data = draw(rng, batch=batch, classes=classes, regime=regime, **option)
    if regime == "confident":
        return {}, data | {"y": 1.0 * (data["y"][:, None] == range(classes))}
    return {}, data | {"y": rng.dirichlet([1.0] * classes, size=batch)}


def in_torch(torch, *, smoothing=0.0, reduction="mean", **option):
    call = torch.nn.functional.cross_entropy
    how = reduction.removeprefix("weighted ")
    return lambda z, y, w=None: call(z, y, weight=w, label_smoothing=smoothing, reduction=how)


def reduced(mean, l, reduction, w=None):
    """The reduction that users write around the losses of the examples; `w` has a weight per example."""
    l = l if w is None else w * l
    if reduction == "none":
        return l
    return mean(l) / mean(w) if reduction == "weighted mean" else mean(l)


def in_tensorflow(tf, *, reduction="mean", **option):
    return lambda z, y: reduced(tf.reduce_mean, tf.nn.softmax_cross_entropy_with_logits(y, z), reduction)


def in_keras(keras, *, smoothing=0.0, reduction="mean", **option):
    loss = keras.losses.CategoricalCrossentropy(
        from_logits=True, label_smoothing=smoothing, reduction=KERAS[reduction]
    )
    return lambda z, y: loss(y, z)


def in_optax(optax, *, smoothing=0.0, reduction="mean", **option):
    def loss(z, y):
        y = optax.smooth_labels(y, smoothing) if smoothing else y
        return reduced(lambda l: l.mean(), optax.softmax_cross_entropy(z, y), reduction)

    return loss


SHARED = {
    "sizes": SIZES,
    "regimes": REGIMES,
    "fixed": ("y", "w"),
    "items": examples,
    "unit": "examples",
}

case = Case(
    name="cross-entropy",
    title="Categorical cross-entropy from logits",
    reference=cross_entropy,
    gradient=cross_entropy_vjp,
    inputs=inputs,
    options=OPTIONS,
    rare=("each", "confident", "shifted"),
    contenders=(
        contender("torch.nn.functional.cross_entropy", in_torch),
        contender("tensorflow.nn.softmax_cross_entropy_with_logits", in_tensorflow, NEITHER),
        contender("keras.losses.CategoricalCrossentropy", in_keras, NO_WEIGHTS),
        contender("optax.softmax_cross_entropy", in_optax, NO_WEIGHTS),
    ),
    flops=lambda *, batch, classes, **_: 7 * batch * classes,  # a transcendental counts as one
    **SHARED,
)
