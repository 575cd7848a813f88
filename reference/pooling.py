"""Maximum and average pooling of images.

Formula
    max_pool    Y[n, p, q, c] = max_{r, s} X[n, p·stride + r·dilation, q·stride + s·dilation, c]
    avg_pool    Y[n, p, q, c] = Σ_{r, s} X[n, p·stride + r, q·stride + s, c] / N[p, q]
    N is the number of pixels in the window, or given.
    Gradient: a maximum passes dY to the one pixel that it took, an average passes dY / N to each pixel.
Shapes
    x : (n, h, w, c)    images, channels last
    y : (n, p, q, c)    p = ⌊(h + margins - (size - 1) dilation - 1) / stride⌋ + 1, q alike
Source
    LeCun et al. 1998, section II.B (average). Ranzato et al. 2007, Unsupervised learning of invariant feature
    hierarchies (maximum). Boureau et al. 2010, A theoretical analysis of feature pooling.
Choices
    The default stride is the window's size.
    Of equal pixels the maximum takes the first, row by row, which gets the whole gradient.
    Padding is -∞ for a maximum. In an average it counts as zeros, or with count_margin=False not at all.
    See convolution.py for the values of padding.
"""

import math

import numpy as np

from reference.convolution import every, margins, pair, windows


def max_pool(x, *, size=2, stride=None, padding=0, dilation=1):
    u, first = _choice(x, size, stride, padding, dilation)  # (n, p, q, r s, c), (n, p, q, 1, c)
    return np.take_along_axis(u, first, axis=3)[:, :, :, 0]  # (n, p, q, c)


def max_pool_vjp(dy, x, *, size=2, stride=None, padding=0, dilation=1):
    u, first = _choice(x, size, stride, padding, dilation)
    n, p, q, _, c = u.shape
    du = np.zeros_like(u)
    np.put_along_axis(du, first, dy[:, :, :, None], axis=3)
    du = du.reshape(n, p, q, *pair(size), c)  # (n, p, q, r, s, c)
    return {"x": _fold(du, x, stride or size, padding, pair(dilation))}


def avg_pool(x, *, size=2, stride=None, padding=0, count_margin=True, divisor=None):
    u = windows(x, size, stride=stride or size, padding=padding)  # (n, p, q, r, s, c)
    return u.sum(axis=(3, 4)) / _count(x, size, stride, padding, count_margin, divisor)  # (n, p, q, c)


def avg_pool_vjp(dy, x, *, size=2, stride=None, padding=0, count_margin=True, divisor=None):
    r, s = pair(size)
    du = dy / _count(x, size, stride, padding, count_margin, divisor)  # (n, p, q, c)
    du = np.broadcast_to(du[:, :, :, None, None], (*du.shape[:3], r, s, du.shape[3]))  # (n, p, q, r, s, c)
    return {"x": _fold(du, x, stride or size, padding)}


def _choice(x, size, stride, padding, dilation):
    u = windows(x, size, stride=stride or size, padding=padding, dilation=dilation, fill=-math.inf)
    n, p, q, r, s, c = u.shape
    u = u.reshape(n, p, q, r * s, c)
    return u, u.argmax(axis=3)[:, :, :, None]


def _fold(du, x, stride, padding, dilation=(1, 1)):
    """The transpose of `windows`: each pixel sums its elements of all windows."""
    n, p, q, r, s, c = du.shape
    h, w = x.shape[1:3]
    (top, bottom), (left, right) = margins((h, w), (r, s), pair(stride), padding, dilation)
    reach = (r - 1) * dilation[0] + 1, (s - 1) * dilation[1] + 1
    # then no pixel is in two windows
    apart = all(step >= k for step, k in zip(pair(stride), reach, strict=True))
    shape = (1 if apart else r * s, n, h + top + bottom, w + left + right, c)
    dx = np.zeros_like(du, shape=shape)  # (r s, n, ĥ, ŵ, c)
    for i, j in np.ndindex(r, s):
        rows = every(i * dilation[0], pair(stride)[0], p)
        columns = every(j * dilation[1], pair(stride)[1], q)
        dx[0 if apart else i * s + j, :, rows, columns] = du[:, :, :, i, j]
    dx = dx[:, :, top : top + h, left : left + w]  # (r s, n, h, w, c)
    return dx[0] if apart else dx.sum(axis=0)  # (n, h, w, c)


def _count(x, size, stride, padding, count_margin, divisor):
    """The divisor of each average: a number, or of shape (p, q, 1) if padding does not count."""
    (r, s), stride = pair(size), pair(stride or size)
    if count_margin or divisor:
        return float(divisor or r * s)
    inside = []
    for n, k, step, (before, after) in zip(
        x.shape[1:3], (r, s), stride, margins(x.shape[1:3], (r, s), stride, padding), strict=True
    ):
        start = np.arange(0, n + before + after - k + 1, step) - before
        inside.append(np.minimum(start + k, n) - np.maximum(start, 0))
    count = (inside[0][:, None] * inside[1])[:, :, None]
    return count.astype(np.min_scalar_type(count.max()))  # does not promote float32; nor float16 up to 255
