"""Cross-entropies of pixels: the classes stand along any axis, and some pixels, or classes, are left out.

Formula
    pixel          ℓ = −Σ_k w_k t_k log softmax(z)_k  over the axis,    t = y (1 − ε) + ε/c
    sparse_pixel   ℓ = −(1 − ε) w_y log softmax(z)_y − ε/c Σ_k w_k log softmax(z)_k
    ℓ = 0 of a pixel that is left out, or all of its classes; a class that is left out is in neither sum.
Shapes
    z : (n, c, d)    logits, with c on the axis
    y : (n, c, d)    targets; class numbers of shape (n, d) if sparse
    w : (c,)    class weights
    v : (n, d)    a weight for each pixel
    seen : (n, d)    boolean, False for a pixel that is left out; (n, c, d) for classes of each pixel
    dy : ()    cotangent of the loss, with the shape of ℓ if the reduction is "none"
Source
    Long, Shelhamer, Darrell 2015, 3.4 and 4 (a loss of each pixel, some of them masked). arXiv:1411.4038
    Szegedy et al. 2015 (label smoothing). arXiv:1512.00567
Choices
    The mean is over the pixels that are seen; "mean of all" counts those that are left out; "weighted mean"
    divides by Σ w_y over those that are seen, torch's mean for class numbers. v is no part of a divisor.
    c in ε/c is the length of the class axis, wherever that stands.
    Conditioning of pixel-cross-entropy/*/forward.y, sparse-pixel-cross-entropy/*/forward.y up to 7.5: a mean
    is a sum over all pixels, in any order, and the weights of a class are equal.
"""

import math

import numpy as np

from reference.activation import log_softmax, log_softmax_vjp
from reference.loss import reduced


def pixel(z, y, w=1, v=1, seen=None, *, axis=1, smoothing=0.0, reduction="mean"):
    l, pixels, _, _ = _dense(z, y, w, seen, axis, smoothing)
    return _total(l, pixels, v, reduction)


def pixel_vjp(dy, z, y, w=1, v=1, seen=None, *, axis=1, smoothing=0.0, reduction="mean"):
    """dℓ = −w t for log softmax, in pixels and classes that are seen."""
    l, pixels, _, cost = _dense(z, y, w, seen, axis, smoothing)
    return {"z": _back(-_part(dy, l, pixels, v, reduction)[..., None] * cost, z, seen, axis)}


def sparse_pixel(z, y, w=None, v=1, seen=None, *, axis=1, smoothing=0.0, ignored=None, reduction="mean"):
    l, pixels, weights, _ = _sparse(z, y, w, seen, axis, smoothing, ignored)
    return _total(l, pixels, v, reduction, weights)


def sparse_pixel_vjp(
    dy, z, y, w=None, v=1, seen=None, *, axis=1, smoothing=0.0, ignored=None, reduction="mean"
):
    """The cotangent of −w log softmax is 1 − ε at the target and ε/c everywhere, in pixels that are seen."""
    l, pixels, weights, cost = _sparse(z, y, w, seen, axis, smoothing, ignored)
    return {"z": _back(-_part(dy, l, pixels, v, reduction, weights)[..., None] * cost, z, None, axis)}


def _dense(z, y, w, seen, axis, smoothing):
    """ℓ of each pixel, which are seen, nothing, and the weight of each −log softmax: (n, d, c)."""
    t = np.moveaxis(y, axis, -1)  # (n, d, c)
    if smoothing:
        t = t * (1 - smoothing) + smoothing / t.shape[-1]
    cost = w * t
    if seen is not None:
        classes = np.moveaxis(seen, axis, -1) if seen.ndim == z.ndim else seen[..., None]
        cost = np.where(classes, cost, 0)
    l = (cost * _negative(z, seen, axis)).sum(axis=-1)  # (n, d)
    return l, _pixels(seen, z, l), None, cost


def _sparse(z, y, w, seen, axis, smoothing, ignored):
    """ℓ of each pixel, which are seen, the weights of their targets, and that of each −log softmax."""
    pixels = np.ones(y.shape, bool) if ignored is None else y != ignored
    pixels = pixels if seen is None else pixels & seen
    target = np.where(pixels, y, 0)
    k = np.arange(z.shape[axis])
    cost = (k == target[..., None]) * (1 - smoothing) + smoothing / k.size  # (n, d, c)
    cost = np.where(pixels[..., None], cost, 0).astype(z.dtype)
    cost = cost if w is None else w * cost
    l = (cost * _negative(z, None, axis)).sum(axis=-1)
    return l, pixels, None if w is None else np.where(pixels, w[target], 0), cost


def _logits(z, seen, axis):
    """z with the classes last, and −∞ where a class is left out; where all are, no class has a weight."""
    z = np.moveaxis(z, axis, -1)
    if seen is None or seen.ndim < z.ndim:
        return z
    classes = np.moveaxis(seen, axis, -1)
    return np.where(classes | ~classes.any(axis=-1, keepdims=True), z, -math.inf)


def _negative(z, seen, axis):
    """−log softmax with the classes last, 0 where a class is left out."""
    z = _logits(z, seen, axis)
    return np.where(z == -math.inf, 0, -log_softmax(z))


def _pixels(seen, z, l):
    return seen if seen is not None and seen.ndim < z.ndim else np.ones(l.shape, bool)


def _total(l, pixels, v, reduction, weights=None):
    l = np.where(pixels, l, 0)  # also where a pixel that is left out is NaN
    if reduction in ("none", "sum"):
        return reduced(v * l, reduction)
    return (v * l).sum() / _divisor(l, pixels, reduction, weights)


def _part(dy, l, pixels, v, reduction, weights=None):
    """The gradient of `_total`: the part of dy for each pixel."""
    dl = dy if reduction in ("none", "sum") else dy / _divisor(l, pixels, reduction, weights)
    return dl * (v * np.ones_like(l))


def _divisor(l, pixels, reduction, weights):
    if reduction == "weighted mean":
        return weights.sum()
    return l.size if reduction == "mean of all" else int(pixels.sum())


def _back(dlog, z, seen, axis):
    """dz, from the cotangent of log softmax."""
    masked = _logits(z, seen, axis)
    dz = log_softmax_vjp(np.where(masked == -math.inf, 0, dlog), masked)["x"]
    return np.moveaxis(dz, -1, axis)
