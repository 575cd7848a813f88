"""Triplet loss: an anchor should be nearer to a positive example than to a negative one, by a margin.

Formula
    ℓ = max(δ(a, p) − δ(a, n) + m, 0);  swap: min(δ(a, n), δ(p, n)) for δ(a, n)
    δ(x, y) = (Σ_k |e_k|^q)^(1/q),          e = x − y + ε
    inside:   (Σ_k |e_k|^q + ε)^(1/q),      e = x − y
Shapes
    a : (b, w)    anchors; p (positives) and n (negatives) have the same shape
    dy : ()    cotangent of the loss, (b,) if the reduction is "none"
Source
    Balntas, Riba, Ponsa, Mikolajczyk 2016, eqs. (2) to (4) and 3.1 (swap). BMVC 119
Choices
    ε is added to every difference (torch), or to the sum inside the root (optax).
    If δ(a, n) and δ(p, n) are equal, δ(a, n) gets the gradient. The mean is over the examples.
    Conditioning of triplet/*each/typical/forward.y up to 6: a loss is the difference of two distances,
    and each is the root of a sum, in any order.
    Conditioning of triplet/*/gradient.* up to 12: an anchor's gradient is the difference of two slopes,
    each with the rounding of the sum in its own distance. They may cancel.
"""

import numpy as np

from reference.loss import reduced, share


def triplet(a, p, n, *, margin=1.0, degree=2, eps=1e-6, swap=False, inside=False, reduction="mean"):
    away = _distance(a, n, degree, eps, inside)
    if swap:
        away = np.minimum(away, _distance(p, n, degree, eps, inside))
    return reduced(np.maximum(_distance(a, p, degree, eps, inside) - away + margin, 0), reduction)


def triplet_vjp(dy, a, p, n, *, margin=1.0, degree=2, eps=1e-6, swap=False, inside=False, reduction="mean"):
    """Both distances get the gradient that the maximum passes, the second with the opposite sign."""
    near, away = _distance(a, p, degree, eps, inside), _distance(a, n, degree, eps, inside)
    across = _distance(p, n, degree, eps, inside) if swap else away
    dl = share(dy, len(a), reduction) * np.ones_like(near)
    dl = np.where(near - np.minimum(away, across) + margin > 0, dl, 0)[:, None]  # (b, 1)
    ap = dl * _slope(a, p, degree, eps, inside)
    an = -dl * _slope(a, n, degree, eps, inside)
    if not swap:
        return {"a": ap + an, "p": -ap, "n": -an}
    first = (away <= across)[:, None]
    an = np.where(first, an, 0)
    pn = np.where(first, 0, -dl * _slope(p, n, degree, eps, inside))
    return {"a": ap + an, "p": pn - ap, "n": -an - pn}


def _distance(x, y, degree, eps, inside):
    return _powers(x, y, degree, eps, inside)[1] ** (1 / degree)


def _powers(x, y, degree, eps, inside):
    """e and Σ |e|^q"""
    e = x - y if inside else x - y + eps
    s = (np.abs(e) ** degree).sum(axis=-1)
    return e, s + eps if inside else s


def _slope(x, y, degree, eps, inside):
    """∂δ/∂x = s^(1/q − 1) |e|^(q − 1) sign(e)"""
    e, s = _powers(x, y, degree, eps, inside)
    return s[:, None] ** (1 / degree - 1) * np.abs(e) ** (degree - 1) * np.sign(e)
