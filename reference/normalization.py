"""Layer normalisation.

Formula
    μ = 1/m Σ x,  σ² = 1/m Σ (x − μ)²    over the normalised axes of one example
    y = γ (x − μ) / √(σ² + ε) + β
Shapes
    x : (..., d)    inputs; as many last axes as γ has are normalised
    gamma : (d,)    scales; 1 if not given; (t, d) normalises two axes
    beta : (d,)    shifts; 0 if not given
    y : (..., d)
Source
    Ba, Kiros, Hinton 2016, Layer normalization, eqs. (3) and (4). arXiv:1607.06450
Choices
    ε is inside the root, added to the variance. Its default is torch's, 1e-5 (Keras 1e-3, Flax 1e-6).
    The variance is the mean of the centred squares, in two passes, divided by m and not by m − 1.
    Without γ and β one axis is normalised.
    Conditioning of layer-norm/plain/near-constant/*, layer-norm/two-axes/* up to 6: dx is what is left of dn
    without its mean and its part along n, two sums whose n terms are rounded in any order.
"""

import math

import numpy as np


def layer_norm(x, gamma=None, beta=None, *, eps=1e-5):
    """y = γ n + β with n of mean 0 and variance σ² / (σ² + ε)."""
    return affine(standardize(x, _axes(gamma), eps)[0], gamma, beta)


def layer_norm_vjp(dy, x, gamma=None, beta=None, *, eps=1e-5):
    """The chain rule of `affine`, then that of `standardize`."""
    axes = _axes(gamma)
    n, _, s = standardize(x, axes, eps)
    dn, grads = affine_vjp(dy, n, gamma, beta)
    return {"x": standardize_vjp(dn, n, s, axes)} | grads


def standardize(x, axes, eps):
    """n = c / s, the centred c = x − μ, and s = √(σ² + ε): (..., d), (..., d), (..., 1)."""
    c = x - np.mean(x, axis=axes, keepdims=True)
    s = np.sqrt(np.mean(c * c, axis=axes, keepdims=True) + eps)
    return c / s, c, s


def standardize_vjp(dn, n, s, axes):
    """The chain rule from n back to x, step by step.

    n = c / s: dc = dn / s; ds = −Σ dn n / s; dσ² = ds / (2 s); σ² = 1/m Σ c² adds 2 c dσ² / m = n ds / m
    to dc;
    μ is subtracted from every x, so dx = dc − 1/m Σ dc.
    """
    ds = -np.sum(dn * n / s, axis=axes, keepdims=True)  # (..., 1)
    m = math.prod(n.shape[axis] for axis in axes)
    dc = dn / s + ds / m * n
    return dc - np.mean(dc, axis=axes, keepdims=True)


def affine(n, gamma=None, beta=None):
    """y = γ n + β."""
    y = n if gamma is None else gamma * n
    return y if beta is None else y + beta


def affine_vjp(dy, n, gamma=None, beta=None):
    """dn = γ dy; dγ = Σ dy n and dβ = Σ dy, over all elements that share γ and β."""
    dn, grads = dy if gamma is None else gamma * dy, {}
    if gamma is not None:
        grads["gamma"] = np.sum(dy * n, axis=tuple(range(n.ndim - gamma.ndim)))  # (d,)
    if beta is not None:
        grads["beta"] = np.sum(dy, axis=tuple(range(n.ndim - beta.ndim)))  # (d,)
    return dn, grads


def _axes(gamma):
    return tuple(range(-1 if gamma is None else -gamma.ndim, 0))
