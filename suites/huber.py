"""Huber loss and smooth L1 loss: reference/huber.py against each framework's own.

torch's huber_loss, Keras's Huber and optax's huber_loss are one formula; torch's smooth_l1_loss is that
divided by its threshold, and |p - y| if the threshold is zero. optax returns the loss of each element. Keras
first takes the mean over the last axis; with length 1 that is the loss of each element.
"""

import numpy as np

from gaugeblock import Case
from reference.huber import huber, huber_vjp, smooth_l1, smooth_l1_vjp
from suites.binary_cross_entropy import KERAS
from suites.mean_squared_error import contender, examples

SIZES = {
    "small": {"batch": 13, "classes": 7},
    "one": {"batch": 1, "classes": 1},
    "one-class": {"batch": 31, "classes": 1},
    "large": {"batch": 512, "classes": 1000},
}
REGIMES = {
    "typical": "errors of the size of the bound, so that both pieces are taken",
    "kink": "errors that are exactly 0, the bound, or twice that, of either sign: ties of the choice",
    "far": "errors of ten thousand: all straight, and squares would leave the bound few digits",
    "near": "errors of a thousandth: all square",
}


def inputs(rng, *, batch, classes, regime="typical", delta=1.0, beta=1.0, **option):
    bound = delta * beta or 1.0
    y = rng.normal(size=(batch, classes))
    e = bound * (1e4 if regime == "far" else 1.5) * rng.normal(size=y.shape)
    if regime == "near":
        e = 1e-3 * bound * np.sign(e) * rng.uniform(0.5, 1, size=y.shape)
    if regime == "kink":
        y = np.round(8 * y) / 8  # so that p - y is exact
        e = bound * rng.integers(-2, 3, size=y.shape)
    if beta == 0:
        e[1::2] = 0  # where the derivative of |e| is a convention
    return {}, {"p": y + e, "y": y}


def torch_huber(torch, *, delta=1.0, reduction="mean"):
    return lambda p, y: torch.nn.functional.huber_loss(p, y, reduction=reduction, delta=delta)


def torch_smooth_l1(torch, *, beta=1.0, reduction="mean"):
    return lambda p, y: torch.nn.functional.smooth_l1_loss(p, y, reduction=reduction, beta=beta)


def keras_huber(keras, *, delta=1.0, reduction="mean"):
    loss = keras.losses.Huber(delta=delta, reduction=KERAS.get(reduction, reduction))
    if reduction == "mean":
        return lambda p, y: loss(y, p)
    return lambda p, y: loss(y[..., None], p[..., None])


def optax_huber(optax, *, delta=1.0, reduction="mean"):
    def loss(p, y):
        l = optax.losses.huber_loss(p, y, delta=delta)
        return l if reduction == "none" else getattr(l, reduction)()

    return loss


REDUCTIONS = {"plain": {}, "sum": {"reduction": "sum"}, "each": {"reduction": "none"}}
COMMON = {
    "inputs": inputs,
    "sizes": SIZES,
    "regimes": REGIMES,
    "minor": True,
    "items": examples,
    "unit": "examples",
    "flops": lambda *, batch, classes, **_: 5 * batch * classes,
}
cases = (
    Case(
        name="huber",
        title="Huber's loss",
        reference=huber,
        gradient=huber_vjp,
        options=REDUCTIONS | {"half": {"delta": 0.5}, "tenth": {"delta": 0.1}, "wide": {"delta": 4.0}},
        contenders=(
            contender("torch.nn.functional.huber_loss", torch_huber),
            contender("keras.losses.Huber", keras_huber),
            contender("optax.losses.huber_loss", optax_huber),
        ),
        **COMMON,
    ),
    Case(
        name="smooth-l1",
        title="Smooth L1 loss",
        reference=smooth_l1,
        gradient=smooth_l1_vjp,
        options=REDUCTIONS | {"half": {"beta": 0.5}, "ninth": {"beta": 1 / 9}, "absolute": {"beta": 0.0}},
        contenders=(contender("torch.nn.functional.smooth_l1_loss", torch_smooth_l1),),
        **COMMON,
    ),
)
