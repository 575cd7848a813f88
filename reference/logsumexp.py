"""The logarithm of a weighted sum of exponentials.

Formula
    y = log |Σⱼ bⱼ e^xⱼ|,  s = sign(Σⱼ bⱼ e^xⱼ)    over one or several axes
Shapes
    x : (n, c)    exponents, any axes
    b : (n, c)    weights; 1 if not given
    seen : (n, c)    boolean, False for terms that are left out
    y : (n,)    of the remaining axes; s has the same shape
Source
    Blanchard, Higham, Higham 2021, eq. (1.3). arXiv:1909.03469
Choices
    The largest exponent among terms whose weight is not zero is subtracted first: same value, no overflow. A
    term of weight zero, or that is left out, may have any exponent: it counts nothing.
    Its weight has a slope all the same, e^(x − y), and a term that is left out has none.
    An exponent that is infinite is not subtracted: log ∞ = ∞, and the logarithm of no terms is −∞.
    s has no gradient. Without `signed` the sum should be positive. axis=None is all axes.
"""

import math

import numpy as np


def logsumexp(x, b=None, seen=None, *, axis=-1, keepdims=False, signed=False):
    """y, and with `signed` also s."""
    axis = _axes(x, axis)
    terms, most = _terms(x, b, seen, axis)
    S = terms.sum(axis=axis, keepdims=True)
    y = most + np.log(np.abs(S) if signed else S)
    y = y if keepdims else np.squeeze(y, axis=axis)
    s = np.sign(S)
    return {"y": y, "s": s if keepdims else np.squeeze(s, axis=axis)} if signed else y


def logsumexp_vjp(dy, x, b=None, seen=None, *, axis=-1, keepdims=False, signed=False):
    """∂y/∂xⱼ = bⱼ e^xⱼ / S and ∂y/∂bⱼ = e^xⱼ / S for the sum S."""
    axis = _axes(x, axis)
    terms, most = _terms(x, b, seen, axis)
    dy = dy["y"] if isinstance(dy, dict) else dy
    dy = dy if keepdims else np.expand_dims(dy, axis)
    dS = dy / terms.sum(axis=axis, keepdims=True)
    grads = {"x": dS * terms}
    if b is not None:
        grads["b"] = dS * np.exp(_counting(x, None, seen) - most)
    return grads


def _terms(x, b, seen, axis):
    """b e^(x − m), and m, the largest x of a term that counts."""
    most = np.max(_counting(x, b, seen), axis=axis, keepdims=True)
    most = np.where(np.isfinite(most), most, 0)
    powers = np.exp(_counting(x, b, seen) - most)
    return powers if b is None else b * powers, most


def _counting(x, b, seen):
    """x, and −∞ where a term counts nothing."""
    counts = np.ones(x.shape, bool) if seen is None else seen
    counts = counts if b is None else counts & (b != 0)
    return np.where(counts, x, -math.inf)


def _axes(x, axis):
    return tuple(range(x.ndim)) if axis is None else axis
