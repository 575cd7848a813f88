"""Mean and variance over any axes, with a weight for each element, or of some elements.

Formula
    μ = Σ w x / Σ w
    σ² = Σ w (x − μ)² / (Σ w − δ)
Shapes
    x : (n, c, d)    any axes; those that are not reduced remain
    w : (n, c, d)    weights; 1 if not given
    seen : (n, c, d)    boolean, False for what is left out of both sums
Source
    West 1979, Updating mean and variance estimates, eqs. (1) and (2).
Choices
    δ is 0, or 1 for the unbiased variance of a sample (`correction`). The deviations are from μ, in two
    passes.
    Weights are not differentiated.
    Conditioning of moments/* up to 16: both are sums over all elements, in any order.
"""

import numpy as np


def moments(x, w=None, seen=None, *, axis=-1, correction=0, keepdims=False):
    """{"mean", "variance"}."""
    x, w, total, axis = _weights(x, w, seen, axis)
    mean, c = _centred(x, w, total, axis)
    variance = (w * (c * c)).sum(axis=axis, keepdims=True) / (total - correction)
    found = {"mean": mean, "variance": variance}
    return found if keepdims else {name: np.squeeze(y, axis=axis) for name, y in found.items()}


def moments_vjp(dy, x, w=None, seen=None, *, axis=-1, correction=0, keepdims=False):
    """dx = w/Σw dμ + 2 w (x − μ)/(Σw − δ) dσ²; through μ the latter has no slope, but for its rounding."""
    x, w, total, axis = _weights(x, w, seen, axis)
    _, c = _centred(x, w, total, axis)
    dmean, dvariance = (dy[k] if keepdims else np.expand_dims(dy[k], axis) for k in ("mean", "variance"))
    dc = 2 * (w * c) * (dvariance / (total - correction))
    return {"x": dc + w * ((dmean - dc.sum(axis=axis, keepdims=True)) / total)}


def _weights(x, w, seen, axis):
    """The elements that count, the weight of each, their sum, and the axes."""
    axis = tuple(range(x.ndim)) if axis is None else axis
    w = np.ones_like(x) if w is None else np.broadcast_to(w, x.shape)
    if seen is not None:  # what is left out may be no number
        x, w = np.where(seen, x, 0), np.where(seen, w, 0)
    return x, w, w.sum(axis=axis, keepdims=True), axis


def _centred(x, w, total, axis):
    mean = (w * x).sum(axis=axis, keepdims=True) / total
    return mean, x - mean
