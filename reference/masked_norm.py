"""Layer and RMS normalisation over any axis, of the elements that are seen.

Formula
    centred    y = γ (x − μ) / √(σ² + ε) + β;  μ, σ² the mean and the variance of what is seen on the axis
    else       y = γ x / √(ρ + ε) + β;  ρ the mean square of what is seen on the axis
Shapes
    x : (n, c, d)    inputs; one axis is normalised
    seen : (n, c, d)    boolean, False for what is left out of mean and variance
    gamma : (c,)    scales, as long as that axis; 1 if not given
    beta : (c,)    shifts; 0 if not given
    y : (n, c, d)
Source
    Ba, Kiros, Hinton 2016, eqs. (3) and (4). arXiv:1607.06450. Zhang and Sennrich 2019. arXiv:1910.07467
Choices
    What is left out of the statistics is normalised by them all the same (Flax's mask).
    ε is inside the root. The variance is that of two passes, divided by the number of what is seen.
    Conditioning of masked-norm/* up to 9: dx is what is left of dn without its mean and its part along n,
    sums whose terms are rounded in any order.
"""

import numpy as np


def masked_norm(x, gamma=None, beta=None, seen=None, *, axis=-1, eps=1e-5, centred=True):
    n = _standard(x, seen, axis, eps, centred)[0]
    y = n if gamma is None else _along(gamma, x, axis) * n
    return y if beta is None else y + _along(beta, x, axis)


def masked_norm_vjp(dy, x, gamma=None, beta=None, seen=None, *, axis=-1, eps=1e-5, centred=True):
    """n = c / s with c = x − μ: dc = dn / s, ds = −Σ dn n / s, and each seen c has ds n / (s m) · s in dx."""
    n, s, m = _standard(x, seen, axis, eps, centred)
    others = tuple(i for i in range(x.ndim) if i != axis % x.ndim)
    grads = {} if gamma is None else {"gamma": (dy * n).sum(axis=others)}
    grads |= {} if beta is None else {"beta": dy.sum(axis=others)}
    dn = dy if gamma is None else _along(gamma, x, axis) * dy
    ds = -(dn * n / s).sum(axis=axis, keepdims=True)
    dx = dn / s + _seen(ds / m * n, seen)
    if centred:
        dx = dx - _seen(np.broadcast_to(dx.sum(axis=axis, keepdims=True) / m, x.shape), seen)
    return {"x": dx} | grads


def _standard(x, seen, axis, eps, centred):
    """n, s = √(σ² + ε), and the number of what is seen."""
    m = float(x.shape[axis])
    if seen is not None:
        count = seen.sum(axis=axis, keepdims=True)
        m = count.astype(np.min_scalar_type(int(count.max(initial=0))))  # which does not promote float32
    c = x - _seen(x, seen).sum(axis=axis, keepdims=True) / m if centred else x
    s = np.sqrt(_seen(c * c, seen).sum(axis=axis, keepdims=True) / m + eps)
    return c / s, s, m


def _seen(x, seen):
    return x if seen is None else np.where(seen, x, 0)


def _along(weight, x, axis):
    """A weight of that axis, to multiply x by."""
    return weight.reshape([-1 if i == axis % x.ndim else 1 for i in range(x.ndim)])
