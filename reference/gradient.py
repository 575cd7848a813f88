"""Operations on gradients before a step: accumulation over micro-batches, and clipping.

Formula
    accumulate             ḡ = (1/k) Σ_i ∇J(θ; B_i);  total: Σ_i ∇J(θ; B_i)
    clip_by_value          g ← min(max(g, −c), c)
    clip_by_global_norm    g ← g min(1, c / (n + ε)),  n = √Σ g² over all tensors
    clip_by_column_norm    g_j ← g_j min(1, c / n_j),  n_j = √Σᵢ gᵢⱼ² of each column of each tensor
Shapes
    theta : tree    weights; g has the same shapes
    x : (k, m, d)    k micro-batches
    y : (k, m, o)    their targets
Source
    Mikolov 2012, 3.2.2 (by value). Pascanu, Mikolov, Bengio 2013, algorithm 1. arXiv:1211.5063
Choices
    The loss of k micro-batches is reduced like their gradients: to their mean, or their total.
    ε is 10⁻⁶ in torch, so that the norm of a clipped gradient stays below c, and 0 elsewhere.
    The norm is taken of g / max |g|: same value, and no overflow of a square.
    each=True clips every tensor by its own norm (Keras's clipnorm); infinity=True uses max |g| as n.
    c, ε and 1/k are Python floats. At c itself, both branches agree.
    Conditioning of clip-by-norm/*/*, clip-by-value/*/* up to 7: loss and gradient are sums over the batch,
    and a sum of n terms in any order loses a factor of √(n/6).
"""

import numpy as np

from reference.descent import value_and_gradient
from reference.optimizer import tree_map


def accumulate(theta, x, y, *, total=False):
    """J and ∇J over all micro-batches."""
    loss, g = value_and_gradient(theta, x[0], y[0])
    for x_i, y_i in zip(x[1:], y[1:], strict=True):
        more, g_i = value_and_gradient(theta, x_i, y_i)
        loss, g = loss + more, tree_map(lambda a, b: a + b, g, g_i)
    return (loss, g) if total else (loss / len(x), tree_map(lambda g: g / len(x), g))


def clip_by_value(g, *, most):
    return tree_map(lambda g: np.minimum(np.maximum(g, -most), most), g)


def clip_by_global_norm(g, *, most, eps=0.0, each=False, infinity=False):
    if each:
        return {name: g[name] * _factor([g[name]], most, eps, infinity) for name in g}
    factor = _factor(list(g.values()), most, eps, infinity)
    return {name: g[name] * factor for name in g}


def clip_by_column_norm(g, *, most):
    return tree_map(lambda g: g * np.minimum(most / _norm_of_columns(g), 1), g)


def _factor(tensors, most, eps, infinity):
    """min(1, c / (n + ε))"""
    return np.minimum(most / (_norm(tensors, infinity) + eps), 1)


def _norm_of_columns(g):
    largest = np.abs(g).max(axis=0, keepdims=True)
    size = np.where(largest > 0, largest, 1)
    return size * np.sqrt(((g / size) ** 2).sum(axis=0, keepdims=True))


def _norm(tensors, infinity):
    largest = np.max(np.stack([np.abs(g).max() for g in tensors]))
    if infinity:
        return largest
    size = np.where(largest > 0, largest, 1)
    tensors = [g / size for g in tensors]
    return size * np.sqrt(np.stack([(g * g).sum() for g in tensors]).sum())
