"""Layer normalisation.

Formula
    μ = 1/m Σ x,  σ² = 1/m Σ (x − μ)²    over the normalised axes of one example
    y = γ (x − μ) / √(σ² + ε) + β
Shapes
    x : (..., d)    inputs; the last axes, as many as γ has, are normalised
    gamma : (d,)    scales, or none: 1; (t, d) normalises two axes
    beta : (d,)    shifts, or none: 0
    y : (..., d)
Source
    Ba, Kiros, Hinton 2016, Layer normalization, eqs. (3) and (4). arXiv:1607.06450
Choices
    ε stands inside the root, beside the variance. Its default is torch's, 1e-5 (Keras 1e-3, Flax 1e-6).
    The variance is the mean of the centred squares, in two passes, and divides by m, not m − 1.
    Without γ and β one axis is normalised.
"""

import math

import numpy as np


def layer_norm(x, gamma=None, beta=None, *, eps=1e-5):
    """y = γ n + β with n of mean 0 and variance σ² / (σ² + ε)."""
    n = _standardize(x, _axes(gamma), eps)[0]
    y = n if gamma is None else gamma * n
    return y if beta is None else y + beta


def layer_norm_vjp(dy, x, gamma=None, beta=None, *, eps=1e-5):
    """The chain rule from y back to x, step by step.

    With c = x − μ, s = √(σ² + ε), n = c / s: dn = γ dy; dc = dn / s; ds = −Σ dn n / s; dσ² = ds / (2 s);
    σ² = 1/m Σ c² adds 2 c dσ² / m to dc; μ is subtracted from every x, so dx = dc − 1/m Σ dc.
    """
    axes = _axes(gamma)
    n, c, s = _standardize(x, axes, eps)
    dn = dy if gamma is None else gamma * dy
    ds = -np.sum(dn * n / s, axis=axes, keepdims=True)  # (..., 1)
    m = math.prod(x.shape[axes[0] :])
    dc = dn / s + ds / (2 * s) * (2 / m) * c
    grads = {"x": dc - np.mean(dc, axis=axes, keepdims=True)}
    rows = tuple(range(x.ndim - len(axes)))
    if gamma is not None:
        grads["gamma"] = np.sum(dy * n, axis=rows)  # (d,)
    if beta is not None:
        grads["beta"] = np.sum(dy, axis=rows)  # (d,)
    return grads


def _axes(gamma):
    return tuple(range(-1 if gamma is None else -gamma.ndim, 0))


def _standardize(x, axes, eps):
    """n = c / s, the centred c, and s = √(σ² + ε): (..., d), (..., d), (..., 1)."""
    c = x - np.mean(x, axis=axes, keepdims=True)
    s = np.sqrt(np.mean(c * c, axis=axes, keepdims=True) + eps)
    return c / s, c, s
