"""Pooling with a margin at both ends, and windows that reach over the end.

Formula
    max     Y = max of X over the window
    mean    Y = Σ X / N over the window
    The window starts at every stride-th pixel of the image with its margin, and may reach over the end; one
    that would start in the margin at the end, or beyond it, is left out.
Shapes
    x : (n, h, w, c)    images, channels last
    y : (n, p, q, c)    p = ⌈(h + 2 margin - (size - 1) dilation - 1) / stride⌉ + 1, q alike, or one less
Source
    Dumoulin and Visin 2016, relationship 16, with the ceiling for the floor. arXiv:1603.07285
Choices
    N counts the pixels of the image and of its margin, or with count_margin=False those of the image; what
    the window has beyond them never counts. Or N is given.
    Padding is −∞ for a maximum. Of equal pixels it takes the first.
"""

import math

import numpy as np

from reference.convolution import pair
from reference.pooling import avg_pool, avg_pool_vjp, max_pool, max_pool_vjp


def ceil_max(x, *, size=2, stride=None, margin=0, dilation=1):
    y = max_pool(_padded(x, margin, -math.inf), **_how(size, stride, dilation=dilation))
    return y[_kept(y, x, size, stride, margin)]


def ceil_max_vjp(dy, x, *, size=2, stride=None, margin=0, dilation=1):
    wide, how = _padded(x, margin, -math.inf), _how(size, stride, dilation=dilation)
    dy = _with_left_out(dy, max_pool(wide, **how).shape)
    return {"x": _inside(max_pool_vjp(dy, wide, **how)["x"], x, margin)}


def ceil_mean(x, *, size=2, stride=None, margin=0, count_margin=True, divisor=None):
    y = avg_pool(_padded(x, margin, 0.0), **_how(size, stride, divisor=1))
    y = y[_kept(y, x, size, stride, margin)]
    return y / _count(x, size, stride, margin, count_margin, divisor)


def ceil_mean_vjp(dy, x, *, size=2, stride=None, margin=0, count_margin=True, divisor=None):
    """Each pixel of the window gets dY / N."""
    wide, how = _padded(x, margin, 0.0), _how(size, stride, divisor=1)
    dy = dy / _count(x, size, stride, margin, count_margin, divisor)
    dy = _with_left_out(dy, avg_pool(wide[:1, :, :, :1], **how).shape)
    return {"x": _inside(avg_pool_vjp(dy, wide, **how)["x"], x, margin)}


def _how(size, stride, **more):
    return {"size": size, "stride": stride, "padding": "ceil", **more}


def _padded(x, margin, fill):
    rows, columns = pair(margin)
    return np.pad(x, ((0, 0), (rows, rows), (columns, columns), (0, 0)), constant_values=fill)


def _inside(dx, x, margin):
    (rows, columns), (h, w) = pair(margin), x.shape[1:3]
    return dx[:, rows : rows + h, columns : columns + w]


def _kept(y, x, size, stride, margin):
    """The windows that start before the margin at the end."""
    ends = [
        sum(i * step < n + m for i in range(count))
        for count, step, n, m in zip(
            y.shape[1:3], pair(stride or size), x.shape[1:3], pair(margin), strict=True
        )
    ]
    return slice(None), slice(ends[0]), slice(ends[1])


def _with_left_out(dy, shape):
    """dy with zeros for the windows that are left out."""
    full = np.zeros_like(dy, shape=(len(dy), *shape[1:3], dy.shape[3]))
    full[:, : dy.shape[1], : dy.shape[2]] = dy
    return full


def _count(x, size, stride, margin, count_margin, divisor):
    """N: a number, or of shape (p, q, 1)."""
    if divisor:
        return float(divisor)
    pixels = _padded(np.ones((1, *x.shape[1:3], 1)), margin, 1.0 if count_margin else 0.0)
    count = avg_pool(pixels, **_how(size, stride, divisor=1))
    count = count[_kept(count, x, size, stride, margin)][0]
    return count.astype(np.min_scalar_type(int(count.max())))  # does not promote float32
