"""Losses with weights: reference/weighted_loss.py against each framework's own arguments for them.

torch's functions take a weight of each element, and mse_loss divides its mean by the sum of the weights,
huber_loss by their number: options "weighted-mean" and "weights". Keras's sample_weight has the shape of what
its loss returns, the mean of the last axis, or of another one. optax's functions take a mask ("where") and an
axis, or their users weigh the losses. See the pages of these losses for what has no weights.
"""

from functools import partial

import numpy as np

from gaugeblock import Case, Contender
from reference.weighted_loss import (
    weighted_huber,
    weighted_huber_vjp,
    weighted_kl,
    weighted_kl_floored,
    weighted_kl_floored_vjp,
    weighted_kl_vjp,
    weighted_logistic,
    weighted_logistic_vjp,
    weighted_squared,
    weighted_squared_vjp,
)

SIZES = {
    "small": {"batch": 13, "classes": 7},
    "one-class": {"batch": 31, "classes": 1},
    "large": {"batch": 1024, "classes": 100},
}
EACH = {"reduction": "none"}
WEIGHTS = {
    "weights": {"weighted": "all"},
    "weights-sum": {"weighted": "all", "reduction": "sum"},
    "weights-each": {"weighted": "all"} | EACH,
    "zeros": {"weighted": "zeros"},
    "sum": {"reduction": "sum"},
    "each": EACH,
}
BY_MEAN = {
    "weighted-mean": {"weighted": "all", "reduction": "weighted mean"},
    "weighted-mean-zeros": {"weighted": "zeros", "reduction": "weighted mean"},
}
EXAMPLES = {
    "examples": {"weighted": "examples", "axis": -1},
    "examples-each": {"weighted": "examples", "axis": -1} | EACH,
}
LOGITS = {
    "both-weights": {"weighted": "all", "positive": True},
    "both-weights-each": {"weighted": "all", "positive": True} | EACH,
    "smoothing": {"weighted": "all", "smoothing": 0.1},
    "other-axis": {"axis": 0, "weighted": "classes"},
    "other-axis-smoothing": {"axis": 0, "smoothing": 0.1} | EACH,
}
DIVERGENCES = {
    "examples": {"weighted": "examples"},
    "examples-sum": {"weighted": "examples", "reduction": "sum"},
    "examples-each": {"weighted": "examples"} | EACH,
}
SOME = {
    "other-axis": {"axis": 0} | EACH,
    "some": {"masked": True} | EACH,
    "some-other-axis": {"masked": True, "axis": 0},
}


def weights(rng, shape, weighted):
    w = rng.uniform(0.5, 2, size={"examples": shape[:1], "classes": shape[1:]}.get(weighted, shape))
    if weighted == "zeros":
        w[1::3] = 0
    return {"w": w} if weighted else {}


def inputs(rng, *, batch, classes, weighted="", positive=False, binary=False, **option):
    shape = batch, classes
    if binary:
        data = {"z": 3 * rng.normal(size=shape), "y": 1.0 * (rng.uniform(size=shape) < 0.5)}
    else:
        data = {"p": 1.5 * rng.normal(size=shape), "y": rng.normal(size=shape)}
    v = {"v": rng.uniform(0.5, 2, size=classes)} if positive else {}
    return {}, data | v | weights(rng, shape, weighted)


def kl_inputs(rng, *, batch, classes, weighted="", masked=False, floored=False, **option):
    p, q = rng.dirichlet(np.ones(classes), size=(2, batch))
    data = {"q": q, "p": p} if floored else {"z": np.log(q), "p": p}
    if masked:
        data["seen"] = rng.uniform(size=p.shape) < 0.6
    return {}, data | weights(rng, p.shape, weighted)


def binary_inputs(rng, **given):
    return inputs(rng, binary=True, **given)


def floored_inputs(rng, **given):
    return kl_inputs(rng, floored=True, **given)


def torch_squared(weights, *, reduction="mean", **option):
    import torch

    how = {"reduction": reduction.removeprefix("weighted ")}
    return {}, lambda params, p, y, w=None: {"y": torch.nn.functional.mse_loss(p, y, weight=w, **how)}


def torch_huber(weights, *, reduction="mean", delta=1.0, **option):
    import torch

    how = {"reduction": reduction, "delta": delta}
    return {}, lambda params, p, y, w=None: {"y": torch.nn.functional.huber_loss(p, y, weight=w, **how)}


def torch_logistic(weights, *, reduction="mean", **option):
    import torch

    call = partial(torch.nn.functional.binary_cross_entropy_with_logits, reduction=reduction)
    return {}, lambda params, z, y, w=None, v=None: {"y": call(z, y, weight=w, pos_weight=v)}


KERAS = {
    "mean": "sum_over_batch_size",
    "weighted mean": "mean_with_sample_weight",
    "sum": "sum",
    "none": "none",
}


def in_keras(name, weights, *, reduction="mean", axis=None, smoothing=0.0, delta=1.0, **option):
    import keras

    how = {"reduction": KERAS[reduction]}
    how |= {"from_logits": True, "label_smoothing": smoothing} if name == "BinaryCrossentropy" else {}
    how |= {"delta": delta} if name == "Huber" else {}
    how |= {"axis": 0} if axis == 0 else {}
    loss = getattr(keras.losses, name)(**how)

    def run(params, y, w=None, p=None, z=None):
        x = z if p is None else p
        if axis is None:  # it takes the mean of the last axis
            x, y = x[..., None], y[..., None]
        return {"y": loss(y, x, sample_weight=w)}

    return {}, run


def keras_kl(weights, *, reduction="mean", **option):
    import keras

    loss = keras.losses.KLDivergence(reduction=KERAS[reduction])
    return {}, lambda params, q, p, w=None: {"y": loss(p, q, sample_weight=w)}


def optax_kl(weights, *, reduction="mean", axis=-1, **option):
    import optax

    def run(params, z, p, w=None, seen=None):
        l = optax.losses.kl_divergence(z, p, axis=axis, where=seen)
        l = l if w is None else w * l
        return {"y": l if reduction == "none" else getattr(l, reduction)()}

    return {}, run


def lacking(options, reason, fits):
    return {name: reason for name, how in options.items() if fits(how)}


MEAN = "divides by the number of elements (see weights)"
BY_SUM = dict.fromkeys(("weights", "zeros"), "divides by the sum of the weights (see weighted-mean)")
NO_MEAN = "takes a weight of each element, no mean of an axis"
COMMON = {
    "sizes": SIZES,
    "fixed": ("y", "w", "v"),
    "minor": True,
    "items": lambda *, batch, **_: batch,
    "unit": "examples",
    "flops": lambda *, batch, classes, **_: 5 * batch * classes,
}
SQUARES = WEIGHTS | BY_MEAN | EXAMPLES
HUBERS = SQUARES | {"half": {"weighted": "all", "delta": 0.5}}
LOGISTIC = WEIGHTS | EXAMPLES | LOGITS

cases = (
    Case(
        name="weighted-squared-error",
        title="Weighted squared error",
        reference=weighted_squared,
        gradient=weighted_squared_vjp,
        inputs=inputs,
        options=SQUARES,
        contenders=(
            Contender(
                "torch",
                "torch.nn.functional.mse_loss",
                torch_squared,
                BY_SUM | dict.fromkeys(EXAMPLES, NO_MEAN),
            ),
            Contender("tensorflow", "keras.losses.MeanSquaredError", partial(in_keras, "MeanSquaredError")),
        ),
        variants={
            "weighted mean of squared error": {
                "over the number of elements": ("weights",),
                "over the sum of their weights": ("weighted-mean",),
            }
        },
        **COMMON,
    ),
    Case(
        name="weighted-huber",
        title="Weighted Huber loss",
        reference=weighted_huber,
        gradient=weighted_huber_vjp,
        inputs=inputs,
        options=HUBERS,
        contenders=(
            Contender(
                "torch",
                "torch.nn.functional.huber_loss",
                torch_huber,
                dict.fromkeys(BY_MEAN, MEAN) | dict.fromkeys(EXAMPLES, NO_MEAN),
            ),
            Contender("tensorflow", "keras.losses.Huber", partial(in_keras, "Huber")),
        ),
        **COMMON,
    ),
    Case(
        name="weighted-logistic",
        title="Weighted binary cross-entropy",
        reference=weighted_logistic,
        gradient=weighted_logistic_vjp,
        inputs=binary_inputs,
        options=LOGISTIC,
        contenders=(
            Contender(
                "torch",
                "torch.nn.functional.binary_cross_entropy_with_logits",
                torch_logistic,
                lacking(LOGISTIC, NO_MEAN, lambda how: "axis" in how)
                | lacking(LOGISTIC, "smooths no labels", lambda how: "smoothing" in how),
            ),
            Contender(
                "tensorflow",
                "keras.losses.BinaryCrossentropy",
                partial(in_keras, "BinaryCrossentropy"),
                lacking(LOGISTIC, "takes no weight of the positive term", lambda how: "positive" in how),
            ),
        ),
        **COMMON,
    ),
    Case(
        name="weighted-kl",
        title="Weighted Kullback-Leibler divergence",
        reference=weighted_kl,
        gradient=weighted_kl_vjp,
        inputs=kl_inputs,
        options=DIVERGENCES | SOME,
        contenders=(Contender("jax", "optax.losses.kl_divergence", optax_kl),),
        **COMMON | {"fixed": ("p", "w")},
    ),
    Case(
        name="weighted-kl-floored",
        title="Weighted Kullback-Leibler divergence of floored probabilities",
        reference=weighted_kl_floored,
        gradient=weighted_kl_floored_vjp,
        inputs=floored_inputs,
        options=DIVERGENCES,
        contenders=(Contender("tensorflow", "keras.losses.KLDivergence", keras_kl),),
        **COMMON | {"fixed": ("p", "w")},
    ),
)
