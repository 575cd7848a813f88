"""Norms of whole numbers: the norm of the same numbers as floats.

Formula
    layer     layer normalisation (normalization.py)
    rms       RMS normalisation (rms_norm.py)
    groups    group normalisation of two groups (group_norm.py)
Shapes
    x : (n, t, d)    whole numbers
    gamma : (d,)    scales
    beta : (d,)    shifts; 0 if not given
    y : (n, t, d)
Source
    Ba, Kiros, Hinton 2016. arXiv:1607.06450. Zhang and Sennrich 2019. arXiv:1910.07467. Wu and He 2018.
    arXiv:1803.08494
Choices
    The result has the dtype of the weights. Whole numbers have no gradient. ε = 1e-5.
"""

import numpy as np

from reference.group_norm import group_norm, group_norm_vjp
from reference.normalization import layer_norm, layer_norm_vjp
from reference.rms_norm import rms_norm, rms_norm_vjp

EPS = 1e-5


def whole_norm(x, gamma, beta=None, *, kind="layer"):
    x = _floats(x, gamma)
    if kind == "groups":
        return group_norm(x, gamma, beta, groups=2, eps=EPS)
    return rms_norm(x, gamma, eps=EPS) if kind == "rms" else layer_norm(x, gamma, beta, eps=EPS)


def whole_norm_vjp(dy, x, gamma, beta=None, *, kind="layer"):
    """The gradients of the weights."""
    x = _floats(x, gamma)
    if kind == "groups":
        grads = group_norm_vjp(dy, x, gamma, beta, groups=2, eps=EPS)
    elif kind == "rms":
        grads = rms_norm_vjp(dy, x, gamma, eps=EPS)
    else:
        grads = layer_norm_vjp(dy, x, gamma, beta, eps=EPS)
    return {name: g for name, g in grads.items() if name != "x"}


def _floats(x, gamma):
    """The same numbers in the dtype of the weights."""
    found = np.empty_like(gamma, shape=x.shape)
    found[...] = x
    return found
