"""Two-dimensional convolution, as networks mean it: a cross-correlation of images with a bank of kernels.

Formula
    Y[n, p, q, o] = b[o] + Σ_{r, s, c} X̂[n, p·stride + r·dilation, q·stride + s·dilation, c] W[r, s, c, o]
    X̂ = X inside a margin of zeros
    With groups, channels and kernels are cut into as many equal runs, and run k of the outputs sees
    run k of the inputs only.
    Gradient: with the windows of X̂ as rows of a matrix U and each kernel as a column, Y = U W + b, so
    dW = Uᵀ dY, db = Σ dY, dU = dY Wᵀ, and a pixel's gradient adds up what its windows hold for it.
Shapes
    x : (n, h, w, c)    images, channels last
    W : (r, s, e, o)    kernels; e = c / groups
    b : (o)             one bias a kernel, or none
    y : (n, p, q, o)    p = ⌊(h + margins - (r - 1) dilation - 1) / stride⌋ + 1, q alike
Source
    LeCun et al. 1998, Gradient-based learning applied to document recognition, section II.A.
    Dumoulin and Visin 2016, A guide to convolution arithmetic. arXiv:1603.07285
    Krizhevsky et al. 2012, section 3.2 (groups).
Choices
    Kernels are not flipped. Channels are last: so compute TensorFlow, Keras, JAX and Flax, and torch reads a view.
    padding=p puts p zeros at both ends of an axis; (p, q) does it for rows and columns.
    padding="same" gives ⌈h / stride⌉ outputs, with the odd zero at the bottom and on the right (TensorFlow).
    Output channels of a group are neighbours.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view


def conv2d(x, W, b=None, *, stride=1, padding=0, dilation=1, groups=1):
    U, geometry = _rows(x, W, stride, padding, dilation, groups)  # (g, n p q, r s e), (n, p, q)
    y = U @ _columns(W, groups)  # (g, n p q, o/g)
    y = np.moveaxis(y, 0, 1).reshape(*geometry, W.shape[3])  # (n, p, q, o)
    return y if b is None else y + b


def conv2d_vjp(dy, x, W, b=None, *, stride=1, padding=0, dilation=1, groups=1):
    U, (n, p, q) = _rows(x, W, stride, padding, dilation, groups)  # (g, n p q, r s e)
    r, s, e, o = W.shape
    V = np.moveaxis(dy.reshape(n * p * q, groups, o // groups), 1, 0)  # (g, n p q, o/g)
    dW = np.swapaxes(U, 1, 2) @ V  # (g, r s e, o/g)
    dU = V @ np.swapaxes(_columns(W, groups), 1, 2)  # (g, n p q, r s e)
    dU = np.moveaxis(dU.reshape(groups, n, p, q, r, s, e), 0, 5)  # (n, p, q, r, s, g, e)
    dU = dU.reshape(n, p, q, r, s, groups * e)  # (n, p, q, r, s, c)
    gradients = {
        "x": windows_vjp(dU, x, stride=stride, padding=padding, dilation=dilation),
        "W": np.moveaxis(dW, 0, 1).reshape(r, s, e, o),
    }
    return gradients if b is None else gradients | {"b": dy.sum(axis=(0, 1, 2))}


def windows(x, size, *, stride=1, padding=0, dilation=1, fill=0.0):
    """Every window of `x`: (n, h, w, c) becomes (n, p, q, r, s, c), a view where nothing is padded."""
    size, stride, dilation = pair(size), pair(stride), pair(dilation)
    ends = margins(x.shape[1:3], size, stride, padding, dilation)
    if ends != ((0, 0), (0, 0)):
        x = np.pad(x, ((0, 0), *ends, (0, 0)), constant_values=fill)  # (n, ĥ, ŵ, c)
    reach = tuple((k - 1) * d + 1 for k, d in zip(size, dilation, strict=True))
    u = sliding_window_view(x, reach, axis=(1, 2))  # (n, ĥ - reach + 1, ŵ - reach + 1, c, reach, reach)
    u = u[:, :: stride[0], :: stride[1], :, :: dilation[0], :: dilation[1]]  # (n, p, q, c, r, s)
    return np.moveaxis(u, 3, 5)


def windows_vjp(du, x, *, stride=1, padding=0, dilation=1):
    """The transpose of `windows`: each pixel collects what its windows hold for it."""
    _, p, q, r, s, c = du.shape
    stride, dilation = pair(stride), pair(dilation)
    (top, bottom), (left, right) = margins(x.shape[1:3], (r, s), stride, padding, dilation)
    n, h, w, _ = x.shape
    dx = np.zeros_like(du, shape=(n, h + top + bottom, w + left + right, c))  # (n, ĥ, ŵ, c)
    for i in range(r):
        rows = _slice(i * dilation[0], stride[0], p)
        for j in range(s):
            dx[:, rows, _slice(j * dilation[1], stride[1], q)] += du[:, :, :, i, j]  # (n, p, q, c)
    return dx[:, top : top + h, left : left + w]  # (n, h, w, c)


def margins(shape, size, stride, padding, dilation=(1, 1)):
    """The zeros before and after the rows, and before and after the columns."""
    if padding != "same":
        return tuple((p, p) for p in pair(padding))
    ends = []
    for n, k, s, d in zip(shape, size, stride, dilation, strict=True):
        total = max((-(-n // s) - 1) * s + (k - 1) * d + 1 - n, 0)
        ends.append((total // 2, total - total // 2))
    return tuple(ends)


def pair(value):
    return (value, value) if isinstance(value, int) else tuple(value)


def _rows(x, W, stride, padding, dilation, groups):
    u = windows(x, W.shape[:2], stride=stride, padding=padding, dilation=dilation)
    n, p, q, r, s, c = u.shape
    u = np.moveaxis(u.reshape(n, p, q, r, s, groups, c // groups), 5, 0)  # (g, n, p, q, r, s, e)
    return u.reshape(groups, n * p * q, r * s * c // groups), (n, p, q)


def _columns(W, groups):
    r, s, e, o = W.shape
    return np.moveaxis(W.reshape(r * s * e, groups, o // groups), 1, 0)  # (g, r s e, o/g)


def _slice(start, step, count):
    return slice(start, start + (count - 1) * step + 1, step)
