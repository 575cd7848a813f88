"""Cross-entropies of probabilities: reference/probability_loss.py against each framework's own.

Keras clips probabilities, and torch their logarithms: options "ends" and "floored-ends", where many are
beyond the bounds. Inputs are probabilities, or scores that the model's own sigmoid or softmax makes into some
("scores"). optax and tf.nn have no losses of probabilities. See suites/binary_cross_entropy.py and
suites/cross_entropy.py for losses of logits.
"""

from functools import partial

import numpy as np

from gaugeblock import Case, Contender, Option
from reference.activation import sigmoid, sigmoid_vjp, softmax, softmax_vjp
from reference.probability_loss import (
    binary,
    binary_vjp,
    categorical,
    categorical_vjp,
    sparse,
    sparse_vjp,
)

SIZES = {
    "small": {"batch": 13, "classes": 7},
    "two-classes": {"batch": 31, "classes": 2},
    "large": {"batch": 1024, "classes": 100},
}
OPTIONS: dict[str, Option] = {
    "plain": {},
    "sum": {"reduction": "sum"},
    "each": {"reduction": "none"},
    "smoothing": {"smoothing": 0.1},
    "weights": {"weighted": True},
    "scores": {"scores": True},
    "ends": {"ends": True, "reduction": "none"},
    "ends-smoothing": {"ends": True, "smoothing": 0.1},
    "ends-scores": {"ends": True, "scores": True},
}
FLOORED = {
    "floored": {"convention": "floored"},
    "floored-sum": {"convention": "floored", "reduction": "sum"},
    "floored-weights": {"convention": "floored", "weighted": True},
    "floored-scores": {"convention": "floored", "scores": True},
    "floored-ends": {"convention": "floored", "ends": True, "reduction": "none"},
}
UNSMOOTHED: dict[str, Option] = {name: how for name, how in OPTIONS.items() if "smoothing" not in how}
KERAS = {"mean": "sum_over_batch_size", "sum": "sum", "none": "none"}


def inputs(rng, *, kind, batch, classes, weighted=False, scores=False, ends=False, **option):
    if kind != "binary" and classes < 2:
        raise ValueError(f"{classes} classes, should be two or more: the loss of one class is a constant")
    x = 2 * rng.normal(size=(batch, classes))
    if ends:  # no probability is near a bound, where a rounding error would decide
        x += 40 * rng.integers(-1, 2, size=x.shape)
    if kind == "binary" and option.get("smoothing"):
        # right in a share of its own in each set, so that the means of many elements differ
        y = np.where(rng.uniform(size=x.shape) < rng.uniform(), 1.0 * (x > 0), rng.uniform(size=x.shape))
    elif kind == "binary":
        y = 1.0 * (rng.uniform(size=x.shape) < 0.5)
    elif kind == "categorical":
        y = rng.dirichlet([1.0] * classes, size=batch)
    else:
        y = rng.integers(0, classes, size=batch)
    turned = (sigmoid if kind == "binary" else softmax)(x)
    data = {"x": x} if scores else {"p": turned}
    w = {"w": rng.uniform(0.5, 2, size=x.shape if kind == "binary" else batch)} if weighted else {}
    return {}, data | {"y": y} | w


def binary_inputs(rng, **given):
    return inputs(rng, kind="binary", **given)


def categorical_inputs(rng, **given):
    return inputs(rng, kind="categorical", **given)


def sparse_inputs(rng, **given):
    return inputs(rng, kind="sparse", **given)


def through(f, turn):
    """The loss of probabilities, or of scores x that `turn` makes into some."""

    def formula(y, w=1, p=None, x=None, *, smoothing=0.0, reduction="mean", convention="clipped"):
        how = known(smoothing, reduction, convention)
        return f(turn(x) if p is None else p, y, w, **how)

    formula.__name__ = f"{f.__name__}_cross_entropy"
    return formula


def through_vjp(f_vjp, turn, turn_vjp):
    def gradient(dy, y, w=1, p=None, x=None, *, smoothing=0.0, reduction="mean", convention="clipped"):
        how = known(smoothing, reduction, convention)
        if p is not None:
            return f_vjp(dy, p, y, w, **how)
        return turn_vjp(f_vjp(dy, turn(x), y, w, **how)["p"], x)

    return gradient


# by their names, under which rows have them
binary_cross_entropy = through(binary, sigmoid)
categorical_cross_entropy = through(categorical, softmax)
sparse_cross_entropy = through(sparse, softmax)


def known(smoothing, reduction, convention):
    """The keywords that are not the usual ones: not every loss takes all."""
    given = {"smoothing": smoothing, "reduction": reduction, "convention": convention}
    usual = {"smoothing": 0.0, "reduction": "mean", "convention": "clipped"}
    return {name: value for name, value in given.items() if value != usual[name]}


def in_keras(weights, *, name, turn, turned=None, smoothing=0.0, reduction="mean", **option):
    import keras

    turned = turned or getattr(keras.ops, turn)
    smooth = {"label_smoothing": smoothing} if smoothing else {}
    call = getattr(keras.losses, name)(reduction=KERAS[reduction], **smooth)

    def run(params, y, w=None, p=None, x=None):
        p = turned(x) if p is None else p
        if turn == "sigmoid" and (w is not None or reduction != "mean"):  # it takes the mean of the last axis
            p, y = p[..., None], y[..., None]
        return {"y": call(y, p, sample_weight=w)}

    return {}, run


def of_tensorflow(weights, *, turn, **option):
    """The same loss, of the function that TensorFlow's users write at the end of their models."""
    import tensorflow as tf

    return in_keras(weights, turn=turn, turned=getattr(tf.nn, turn), **option)


def in_torch(weights, *, reduction="mean", **option):
    import torch

    call = torch.nn.functional.binary_cross_entropy

    def run(params, y, w=None, p=None, x=None):
        return {"y": call(torch.sigmoid(x) if p is None else p, y, weight=w, reduction=reduction)}

    return {}, run


def keras(name, turn, options):
    """Keras's loss of probabilities and of Keras's own function of scores, and of TensorFlow's."""
    of_scores = {option: "is a function of scores" for option, how in options.items() if "scores" not in how}
    floored = dict.fromkeys(FLOORED if turn == "sigmoid" else (), FLOORS)
    return (
        Contender("tensorflow", f"keras.losses.{name}", partial(in_keras, name=name, turn=turn), floored),
        Contender(
            "tensorflow",
            f"tensorflow.nn.{turn}",
            partial(of_tensorflow, name=name, turn=turn),
            of_scores | floored,
        ),
    )


CLIPPED = "keeps logarithms above -100 (see floored-ends)"
FLOORS = "clips probabilities (see ends)"
COMMON = {
    "sizes": SIZES,
    "fixed": ("y", "w"),
    "minor": True,
    "items": lambda *, batch, **_: batch,
    "unit": "examples",
    "flops": lambda *, batch, classes, **_: 7 * batch * classes,  # a transcendental counts as one
}

cases = (
    Case(
        name="probability-binary",
        title="Binary cross-entropy of probabilities",
        reference=binary_cross_entropy,
        gradient=through_vjp(binary_vjp, sigmoid, sigmoid_vjp),
        inputs=binary_inputs,
        options=OPTIONS | FLOORED,
        variants={
            "binary cross-entropy of probability 0": {
                "the probability is clipped": ("ends",),
                "the logarithm is at least −100": ("floored-ends",),
            }
        },
        contenders=(
            *keras("BinaryCrossentropy", "sigmoid", OPTIONS),
            Contender(
                "torch", "torch.nn.functional.binary_cross_entropy", in_torch, dict.fromkeys(OPTIONS, CLIPPED)
            ),
        ),
        **COMMON,
    ),
    Case(
        name="probability-categorical",
        title="Categorical cross-entropy of probabilities",
        reference=categorical_cross_entropy,
        gradient=through_vjp(categorical_vjp, softmax, softmax_vjp),
        inputs=categorical_inputs,
        options=OPTIONS,
        contenders=keras("CategoricalCrossentropy", "softmax", OPTIONS),
        **COMMON,
    ),
    Case(
        name="probability-sparse",
        title="Sparse categorical cross-entropy of probabilities",
        reference=sparse_cross_entropy,
        gradient=through_vjp(sparse_vjp, softmax, softmax_vjp),
        inputs=sparse_inputs,
        options=UNSMOOTHED,
        contenders=keras("SparseCategoricalCrossentropy", "softmax", UNSMOOTHED),
        **COMMON,
    ),
)
