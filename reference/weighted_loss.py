"""Losses with a weight for each element or example, and what is left out.

Formula
    L = reduced(w ℓ) of the losses ℓ of elements, or of examples, the means over an axis
Shapes
    w : (n, c)    weights, of any shape that broadcasts to that of ℓ
    seen : (n, c)    boolean, False for what is left out of a sum
    dy : ()    cotangent of the loss, with the shape of ℓ if the reduction is "none"
Source
    Hastie, Tibshirani, Friedman 2009, The Elements of Statistical Learning, 10.1 (weights of examples).
Choices
    "mean" divides by the number of losses, whatever their weights; "weighted mean" by the sum of the weights.
    Weights are not differentiated.
    Conditioning of weighted-*/*/forward.y up to 12: a mean is a sum over all elements, in any order.
"""

import numpy as np

from reference.divergence import (
    kl_divergence,
    kl_divergence_floored,
    kl_divergence_floored_vjp,
    kl_divergence_vjp,
)
from reference.huber import huber, huber_vjp
from reference.loss import (
    binary_cross_entropy,
    binary_cross_entropy_vjp,
    mean_squared_error,
    mean_squared_error_vjp,
    reduced,
    share,
)


def weighted_squared(p, y, w=1, *, axis=None, reduction="mean"):
    return _total(mean_squared_error(p, y, reduction="none"), w, axis, reduction)


def weighted_squared_vjp(dy, p, y, w=1, *, axis=None, reduction="mean"):
    return mean_squared_error_vjp(_part(dy, p, w, axis, reduction), p, y, reduction="none")


def weighted_huber(p, y, w=1, *, delta=1.0, axis=None, reduction="mean"):
    return _total(huber(p, y, delta=delta, reduction="none"), w, axis, reduction)


def weighted_huber_vjp(dy, p, y, w=1, *, delta=1.0, axis=None, reduction="mean"):
    """The targets are not differentiated."""
    return {"p": huber_vjp(_part(dy, p, w, axis, reduction), p, y, delta=delta, reduction="none")["p"]}


def weighted_logistic(z, y, w=1, v=1, *, smoothing=0.0, axis=None, reduction="mean"):
    """v is the weight of the positive term."""
    l = binary_cross_entropy(z, y, v, smoothing=smoothing, reduction="none")
    return _total(l, w, axis, reduction)


def weighted_logistic_vjp(dy, z, y, w=1, v=1, *, smoothing=0.0, axis=None, reduction="mean"):
    dl = _part(dy, z, w, axis, reduction)
    return binary_cross_entropy_vjp(dl, z, y, v, smoothing=smoothing, reduction="none")


def weighted_kl(z, p, w=1, seen=None, *, axis=-1, reduction="mean"):
    """Σ_k over the axis, of what is seen."""
    l = kl_divergence(z, p, reduction="none")
    return _total(l if seen is None else np.where(seen, l, 0), w, axis, reduction, np.sum)


def weighted_kl_vjp(dy, z, p, w=1, seen=None, *, axis=-1, reduction="mean"):
    dl = _part(dy, z, w, axis, reduction, terms=1)
    return kl_divergence_vjp(dl if seen is None else np.where(seen, dl, 0), z, p, reduction="none")


def weighted_kl_floored(q, p, w=1, *, axis=-1, reduction="mean"):
    return _total(kl_divergence_floored(q, p, reduction="none"), w, axis, reduction, np.sum)


def weighted_kl_floored_vjp(dy, q, p, w=1, *, axis=-1, reduction="mean"):
    return kl_divergence_floored_vjp(_part(dy, q, w, axis, reduction, terms=1), q, p, reduction="none")


def _total(l, w, axis, reduction, over=np.mean):
    """L; over an axis, if one is given, the elements are one loss."""
    l = l if axis is None else over(l, axis=axis)
    return reduced(w * l, reduction, w if reduction == "weighted mean" else None)


def _part(dy, x, w, axis, reduction, terms=0):
    """The gradient of `_total`: the part of dy for each element, of which a loss has so many equal terms."""
    shape = x.shape if axis is None else tuple(np.delete(x.shape, axis))
    dl = share(dy, int(np.prod(shape)), reduction, w if reduction == "weighted mean" else None) * w
    if axis is None:
        return dl * np.ones_like(x)
    dl = np.expand_dims(dl * np.ones_like(x, shape=shape), axis)
    return dl / float(terms or x.shape[axis]) * np.ones_like(x)
