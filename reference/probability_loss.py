"""Cross-entropies of probabilities, which are kept off 0, where a logarithm is infinite.

Formula
    clipped     x̃ = min(max(x, ε), 1 − ε) of the probabilities x
    binary      ℓ = −t log p̃ − (1 − t) log(1 − p̃);  if "floored", of p, and no logarithm is below −100
    categorical ℓ = −Σ_k t_k log q̃_k,  q = p / Σ_k p_k
    sparse      ℓ = −log(p̃_y / Σ_k p̃_k)
    t = y (1 − α) + α/c;  α/2 if binary
Shapes
    p : (n, c)    probabilities
    y : (n, c)    targets; class numbers of shape (n,) if sparse
    w : (n,)    a weight for each loss; (n, c) if binary
    dy : ()    cotangent of the loss, with the shape of ℓ if the reduction is "none"
Source
    Goodfellow, Bengio, Courville 2016, 6.2.2. Szegedy et al. 2015 (label smoothing). arXiv:1512.00567
Choices
    ε = 1e-7 is Keras's, and −100 torch's: two conventions of one name. A probability outside the bounds gets
    no gradient, one at a bound does. Keras scales the probabilities to a sum of 1 before it clips them, and
    for class numbers after.
    The mean is over all losses, weighted or not.
    Conditioning of probability-*/ends*, probability-binary/*scores/* up to 6e28: a probability of 1 is
    clipped to 1 − ε, which is rounded, so 1 − (1 − ε) keeps few digits of ε; the logarithm of a quotient
    near 1 is what is left of it; and saturated scores have hardly a slope. The convention is written out.
    Conditioning of probability-categorical/scores/*/gradient.x, probability-sparse/scores/*/gradient.x up to
    5: the slope 1/p times the p of the softmax, both rounded, where their product is 1.
    Conditioning of probability-*/*/forward.y up to 9: a mean is a sum over all elements, in any order.
"""

import numpy as np

from reference.loss import reduced, share


def binary(p, y, w=1, *, smoothing=0.0, reduction="mean", convention="clipped"):
    t = _smooth(y, smoothing, 2)
    return reduced(w * (-t * _log(p, convention) - (1 - t) * _log_rest(p, convention)), reduction)


def binary_vjp(dy, p, y, w=1, *, smoothing=0.0, reduction="mean", convention="clipped"):
    """dℓ/dp = (1 − t)/(1 − p) − t/p, each where its logarithm has a slope."""
    t = _smooth(y, smoothing, 2)
    slope = (1 - t) * _slope_rest(p, convention) - t * _slope(p, convention)
    return {"p": share(dy, p.size, reduction) * (w * slope)}


def categorical(p, y, w=1, *, smoothing=0.0, reduction="mean"):
    t = _smooth(y, smoothing, p.shape[-1])
    q = p / p.sum(axis=-1, keepdims=True)
    return reduced(w * -(t * _log(q, "clipped")).sum(axis=-1), reduction)  # (n,)


def categorical_vjp(dy, p, y, w=1, *, smoothing=0.0, reduction="mean"):
    """dq = −t/q where q lies within the bounds; q = p/s with s = Σ p gives dp = (dq − Σ dq q) / s."""
    t = _smooth(y, smoothing, p.shape[-1])
    s = p.sum(axis=-1, keepdims=True)
    q = p / s
    dl = (share(dy, p[..., 0].size, reduction) * (w * np.ones_like(q[..., 0])))[..., None]  # (n, 1)
    dq = -dl * t * _slope(q, "clipped")
    return {"p": (dq - (dq * q).sum(axis=-1, keepdims=True)) / s}


def sparse(p, y, w=1, *, reduction="mean"):
    q = _clip(p)
    chosen = np.take_along_axis(q, y[:, None], axis=-1)[:, 0]
    return reduced(w * -(np.log(chosen / q.sum(axis=-1))), reduction)  # (n,)


def sparse_vjp(dy, p, y, w=1, *, reduction="mean"):
    """dq = 1/Σ q − δ_y/q, where p lies within the bounds."""
    q = _clip(p)
    dl = (share(dy, y.size, reduction) * (w * np.ones_like(q[:, 0])))[:, None]  # (n, 1)
    dq = 1 / q.sum(axis=-1, keepdims=True) - np.where(np.arange(q.shape[-1]) == y[:, None], 1 / q, 0)
    return {"p": np.where(_inside(p), dl * dq, 0)}


EPSILON = 1e-7
FLOOR = -100.0


def _smooth(y, smoothing, classes):
    return y * (1 - smoothing) + smoothing / classes if smoothing else y


def _clip(p):
    return np.minimum(np.maximum(p, EPSILON), 1 - EPSILON)


def _inside(p):
    return (p >= EPSILON) & (p <= 1 - EPSILON)


def _log(p, convention):
    if convention == "clipped":
        return np.log(_clip(p))
    return np.where(p > 0, np.maximum(np.log(np.where(p > 0, p, 1)), FLOOR), FLOOR)


def _log_rest(p, convention):
    """log(1 − p)."""
    if convention == "clipped":
        return np.log1p(-_clip(p))
    return np.where(p < 1, np.maximum(np.log1p(-np.where(p < 1, p, 0)), FLOOR), FLOOR)


def _slope(p, convention):
    """1/p where `_log` has a slope."""
    inside = _inside(p) if convention == "clipped" else p > 0
    return np.where(inside, 1 / np.where(inside, p, 1), 0)


def _slope_rest(p, convention):
    return (
        np.where(_inside(p), 1 / (1 - _clip(p)), 0) if convention == "clipped" else _slope(1 - p, convention)
    )
