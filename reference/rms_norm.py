"""Root mean square normalisation.

Formula
    s = √(1/m Σ x² + ε)    over the normalised axes of one example
    y = γ x / s
Shapes
    x : (..., d)    inputs; the last `axes` axes are normalised
    gamma : (d,)    scales; 1 if not given; (t, d) for two axes
    y : (..., d)
Source
    Zhang and Sennrich 2019, Root mean square layer normalization, eq. (4). arXiv:1910.07467
Choices
    Unlike layer normalisation (normalization.py) it neither centres nor shifts.
    ε, which the paper leaves out, is inside the root. Its default is Keras's and Flax's, 1e-6
    (torch: the machine epsilon of the dtype).
"""

import math

import numpy as np

from reference.normalization import affine, affine_vjp


def rms_norm(x, gamma=None, *, axes=1, eps=1e-6):
    """y = γ n with n of root mean square 1, up to ε."""
    return affine(_scale(x, axes, eps)[0], gamma)


def rms_norm_vjp(dy, x, gamma=None, *, axes=1, eps=1e-6):
    """The chain rule from n back to x, step by step.

    n = x / s: dx = dn / s; ds = −Σ dn n / s; s² = 1/m Σ x² + ε adds 2 x / m · ds / (2 s) = n ds / m to dx.
    """
    n, s = _scale(x, axes, eps)
    dn, grads = affine_vjp(dy, n, gamma)
    ds = -np.sum(dn * n / s, axis=_last(axes), keepdims=True)  # (..., 1)
    m = math.prod(x.shape[-axes:])
    return {"x": dn / s + ds / m * n} | grads


def _scale(x, axes, eps):
    """n = x / s and s: (..., d), (..., 1)."""
    s = np.sqrt(np.mean(x * x, axis=_last(axes), keepdims=True) + eps)
    return x / s, s


def _last(axes):
    return tuple(range(-axes, 0))
