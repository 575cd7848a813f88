"""Cross-entropies of pixels: reference/pixel_loss.py against each framework's own.

The classes stand on axis 1, where torch has them, or last. Pixels are left out by a class number (torch's
ignore_index, Keras's ignore_class) or by a mask (optax's where), and weighted by class (torch) or one by one
(Keras's sample_weight). See suites/cross_entropy.py for classes on the last axis and nothing left out.
"""

import numpy as np

from gaugeblock import Case, Option
from reference.pixel_loss import pixel, pixel_vjp, sparse_pixel, sparse_pixel_vjp
from suites.mean_squared_error import contender, examples

SIZES = {
    "small": {"batch": 3, "classes": 5, "pixels": 7},
    "one-pixel": {"batch": 9, "classes": 3, "pixels": 1},
    "large": {"batch": 8, "classes": 21, "pixels": 1024},
}
REGIMES = {
    "typical": "logits 3 x",
    "shifted": "logits 10,000 + 3 x: e^z overflows, in float64 too, and the shift cancels out of the loss",
}
LAST = {"axis": -1}
SOME = {"masking": "pixels"}
OPTIONS: dict[str, Option] = {
    "plain": {},
    "last": LAST,
    "each": {"reduction": "none"},
    "sum": {"reduction": "sum"},
    "smoothing": {"smoothing": 0.1},
    "smoothing-last": LAST | {"smoothing": 0.1},
    "smoothing-each": {"smoothing": 0.1, "reduction": "none"},
    "pixel-weights": {"by_pixel": True},
    "pixel-weights-smoothing": {"by_pixel": True, "smoothing": 0.1},
}
DENSE = {
    "class-weights": {"by_class": True},
    "class-weights-smoothing": {"by_class": True, "smoothing": 0.1},
    "some-pixels": SOME,
    "some-pixels-each": SOME | {"reduction": "none"},
    "some-pixels-last": SOME | LAST,
    "some-classes": {"masking": "classes"},
    "some-classes-last": {"masking": "classes"} | LAST,
}
VOID = {"ignored": 0}
SPARSE = {
    "some-pixels": SOME,
    "some-pixels-each": SOME | {"reduction": "none"},
    "some-pixels-last": SOME | LAST,
    "void": VOID,
    "void-each": VOID | {"reduction": "none"},
    "void-sum": VOID | {"reduction": "sum"},
    "void-smoothing": VOID | {"smoothing": 0.1},
    "void-last": VOID | LAST,
    "void-last-each": VOID | LAST | {"reduction": "none"},
    "void-last-pixel-weights": VOID | LAST | {"by_pixel": True},
    "void-outside": {"ignored": -100},
    "void-outside-last": {"ignored": -100} | LAST,
    "class-weights": {"by_class": True, "reduction": "weighted mean"},
    "class-weights-void": VOID | {"by_class": True, "reduction": "weighted mean"},
    "class-weights-void-smoothing": VOID | {"by_class": True, "reduction": "weighted mean", "smoothing": 0.1},
    "pixel-weights-last": LAST | {"by_pixel": True},
}


def draw(
    rng, *, batch, classes, pixels, axis=1, masking="", by_class=False, by_pixel=False, regime="typical",
    **option,
):  # fmt: skip
    z = 3 * rng.normal(size=(batch, pixels, classes)) + (10_000 if regime == "shifted" else 0)
    data = {"z": np.moveaxis(z, -1, axis)}
    if by_class:
        data["w"] = rng.uniform(0.5, 2, size=classes)
    if by_pixel:
        data["v"] = rng.uniform(0.5, 2, size=(batch, pixels))
    if masking:
        data["seen"] = rng.uniform(size=(batch, pixels) if masking == "pixels" else data["z"].shape) < 0.6
        data["seen"][0] = True
    return data


def inputs(rng, *, batch, classes, pixels, axis=1, **option):
    data = draw(rng, batch=batch, classes=classes, pixels=pixels, axis=axis, **option)
    y = rng.dirichlet([1.0] * classes, size=(batch, pixels))
    data["y"] = np.moveaxis(y, -1, axis)
    if option.get("masking") == "classes":
        data["seen"] |= np.moveaxis(y == y.max(axis=-1, keepdims=True), -1, axis)
    return {}, data


def sparse_inputs(rng, *, batch, classes, pixels, ignored=None, **option):
    data = draw(rng, batch=batch, classes=classes, pixels=pixels, **option)
    y = rng.integers(0, classes, size=(batch, pixels))
    if ignored is not None:
        y[:, ::3] = ignored
        y[0] = rng.integers(1, classes, size=pixels)
    return {}, data | {"y": y}


def in_torch(torch, *, axis=1, smoothing=0.0, ignored=None, reduction="mean", **option):
    call = torch.nn.functional.cross_entropy
    how = {"reduction": reduction.removeprefix("weighted "), "label_smoothing": smoothing}
    how |= {} if ignored is None else {"ignore_index": ignored}

    def loss(z, y, w=None):
        if axis == -1:
            z, y = z.movedim(-1, 1), y.movedim(-1, 1) if y.ndim == z.ndim else y
        return call(z, y, weight=w, **how)

    return loss


KERAS = {"mean": "sum_over_batch_size", "sum": "sum", "none": "none"}


def in_keras(keras, *, axis=1, smoothing=0.0, reduction="mean", **option):
    loss = keras.losses.CategoricalCrossentropy(
        from_logits=True, label_smoothing=smoothing, axis=axis, reduction=KERAS[reduction]
    )
    return lambda z, y, v=None: loss(y, z, sample_weight=v)


def in_keras_sparse(keras, *, ignored=None, reduction="mean", **option):
    loss = keras.losses.SparseCategoricalCrossentropy(
        from_logits=True, ignore_class=ignored, reduction=KERAS[reduction]
    )
    return lambda z, y, v=None: loss(y, z, sample_weight=v)


def in_tensorflow(tf, *, axis=1, reduction="mean", **option):
    def loss(z, y, v=None):
        l = tf.nn.softmax_cross_entropy_with_logits(y, z, axis=axis)
        l = l if v is None else v * l
        return {"none": lambda l: l, "sum": tf.reduce_sum, "mean": tf.reduce_mean}[reduction](l)

    return loss


def reduced(l, reduction, v, seen):
    """The reduction that users write around the losses of the pixels."""
    l = l if v is None else v * l
    if reduction == "none":
        return l
    return l.sum() if reduction == "sum" else l.mean(where=seen)


def in_optax(optax, *, axis=1, smoothing=0.0, reduction="mean", **option):
    def loss(z, y, v=None, seen=None):
        if smoothing:  # it smooths over the last axis
            y = optax.smooth_labels(y.swapaxes(axis, -1), smoothing).swapaxes(axis, -1)
        l = optax.softmax_cross_entropy(z, y, axis=axis, where=seen)
        return reduced(l, reduction, v, None if seen is None or seen.ndim > l.ndim else seen)

    return loss


def in_optax_sparse(optax, *, axis=1, ignored=None, reduction="mean", **option):
    def loss(z, y, v=None, seen=None):
        if ignored is not None:  # its labels are class numbers
            seen = y != ignored
            y = y * seen
        l = optax.softmax_cross_entropy_with_integer_labels(z, y, axis=axis, where=seen)
        return reduced(l, reduction, v, seen)

    return loss


def lacking(options, reason, fits):
    return {name: reason for name, how in options.items() if fits(how)}


def mask(how):
    return "masking" in how


NO_MASK = "takes no mask (see void)"
NO_CLASSES = "takes no class weights"
NO_PIXELS = "takes no weights of pixels"
COMMON = {
    "sizes": SIZES,
    "regimes": REGIMES,
    "fixed": ("y", "w", "v"),
    "minor": True,
    "items": examples,
    "unit": "images",
    "flops": lambda *, batch, classes, pixels, **_: 7 * batch * classes * pixels,
}
EVERY, ALL_SPARSE = OPTIONS | DENSE, OPTIONS | SPARSE

cases = (
    Case(
        name="pixel-cross-entropy",
        title="Cross-entropy of pixels",
        reference=pixel,
        gradient=pixel_vjp,
        inputs=inputs,
        options=EVERY,
        contenders=(
            contender(
                "torch.nn.functional.cross_entropy",
                in_torch,
                lacking(EVERY, NO_PIXELS, lambda how: "by_pixel" in how) | lacking(EVERY, NO_MASK, mask),
            ),
            contender(
                "tensorflow.nn.softmax_cross_entropy_with_logits",
                in_tensorflow,
                lacking(EVERY, NO_CLASSES, lambda how: "by_class" in how)
                | lacking(EVERY, NO_MASK, mask)
                | lacking(EVERY, "smooths no labels", lambda how: "smoothing" in how),
            ),
            contender(
                "keras.losses.CategoricalCrossentropy",
                in_keras,
                lacking(EVERY, NO_CLASSES, lambda how: "by_class" in how) | lacking(EVERY, NO_MASK, mask),
            ),
            contender(
                "optax.softmax_cross_entropy",
                in_optax,
                lacking(EVERY, NO_CLASSES, lambda how: "by_class" in how),
            ),
        ),
        **COMMON,
    ),
    Case(
        name="sparse-pixel-cross-entropy",
        title="Sparse cross-entropy of pixels",
        reference=sparse_pixel,
        gradient=sparse_pixel_vjp,
        inputs=sparse_inputs,
        options=ALL_SPARSE,
        contenders=(
            contender(
                "torch.nn.functional.cross_entropy",
                in_torch,
                lacking(ALL_SPARSE, NO_PIXELS, lambda how: "by_pixel" in how)
                | lacking(ALL_SPARSE, NO_MASK, mask),
            ),
            contender(
                "keras.losses.SparseCategoricalCrossentropy",
                in_keras_sparse,
                lacking(ALL_SPARSE, NO_CLASSES, lambda how: "by_class" in how)
                | lacking(ALL_SPARSE, NO_MASK, mask)
                | lacking(ALL_SPARSE, "takes classes on the last axis only", lambda how: "axis" not in how)
                | lacking(ALL_SPARSE, "smooths no labels", lambda how: "smoothing" in how),
            ),
            contender(
                "optax.softmax_cross_entropy_with_integer_labels",
                in_optax_sparse,
                lacking(ALL_SPARSE, NO_CLASSES, lambda how: "by_class" in how)
                | lacking(ALL_SPARSE, "smooths no labels", lambda how: "smoothing" in how),
            ),
        ),
        **COMMON,
    ),
)
