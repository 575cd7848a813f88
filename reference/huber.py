"""Losses that are quadratic near zero and linear far from it.

Formula
    huber        ℓ = e²/2 where |e| ≤ δ, else δ (|e| − δ/2);    e = p − y
    smooth_l1    ℓ = e²/(2β) where |e| < β, else |e| − β/2
Shapes
    p : (n, c)    predictions, of any one shape; y has the same
    dy : ()    cotangent of the loss, with the shape of ℓ if the reduction is "none"
Source
    Huber 1964, eq. (1.4), with k for δ. Girshick 2015, eq. (3), with β = 1. arXiv:1504.08083
Choices
    smooth_l1 is huber / β at δ = β: its slope far from zero is 1, its curvature near zero is 1/β. β = 0 is
    |e|, with slope 0 at zero. At |e| = δ both pieces agree, in value and slope.
    The mean is over all elements.
    Conditioning of huber/*/forward.y, smooth-l1/*/forward.y up to 10: a mean is a sum over all elements,
    in any order.
"""

import numpy as np

from reference.loss import reduced, share


def huber(p, y, *, delta=1.0, reduction="mean"):
    e = p - y
    a = np.abs(e)
    return reduced(np.where(a <= delta, e * e / 2, delta * (a - delta / 2)), reduction)


def huber_vjp(dy, p, y, *, delta=1.0, reduction="mean"):
    """dℓ/de is e near zero and δ sign(e) far from it: e between the bounds -δ and δ."""
    return _both(share(dy, p.size, reduction) * np.minimum(np.maximum(p - y, -delta), delta))


def smooth_l1(p, y, *, beta=1.0, reduction="mean"):
    a = np.abs(p - y)
    if beta == 0:
        return reduced(a, reduction)
    return reduced(np.where(a < beta, a * a / (2 * beta), a - beta / 2), reduction)


def smooth_l1_vjp(dy, p, y, *, beta=1.0, reduction="mean"):
    """dℓ/de = e/β near zero, sign(e) far from it."""
    e = p - y
    slope = np.minimum(np.maximum(e / beta, -1), 1) if beta else np.sign(e)
    return _both(share(dy, p.size, reduction) * slope)


def _both(dp):
    return {"p": dp, "y": -dp}
