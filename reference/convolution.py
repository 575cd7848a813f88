"""Two-dimensional convolution as in neural networks: a cross-correlation of images with a bank of kernels.

Formula
    Y[n, p, q, o] = b[o] + Σ_{r, s, c} X̂[n, p·stride + r·dilation, q·stride + s·dilation, c] W[r, s, c, o]
    X̂ = X padded with zeros
    With groups, input and output channels are split into that many equal parts, and part k of the outputs
    depends on part k of the inputs only.
    Gradient: with the windows of X̂ as rows of a matrix U and each kernel as a column, Y = U W + b, so
    dW = Uᵀ dY and db = Σ dY. With dŶ, which has stride - 1 zeros between the elements of dY and zeros around,
    dX̂[n, i, j, c] = Σ_{r, s, o} dŶ[n, i - r·dilation, j - s·dilation, o] W[r, s, c, o]:
    dŶ convolved with the flipped kernels.
Shapes
    x : (n, h, w, c)    images, channels last
    W : (r, s, e, o)    kernels; e = c / groups
    b : (o,)            one bias per kernel, or none
    y : (n, p, q, o)    p = ⌊(h + margins - (r - 1) dilation - 1) / stride⌋ + 1, q alike
Source
    LeCun et al. 1998, Gradient-based learning applied to document recognition, section II.A.
    Dumoulin and Visin 2016, A guide to convolution arithmetic. arXiv:1603.07285
    Krizhevsky et al. 2012, section 3.2 (groups).
Choices
    Kernels are not flipped. Channels are last, as in TensorFlow, Keras, JAX and Flax; torch reads a view.
    padding=p puts p zeros at both ends of an axis; (p, q) gives them for rows and columns.
    padding="same" gives ⌈h / stride⌉ outputs, with the odd zero at the bottom and on the right (TensorFlow);
    padding="ceil" pads there so that the last window is complete and covers all pixels (torch's ceil_mode).
    Output channels of a group are adjacent.
    The bias is one more term of the sum: some libraries start with it, others add it last.
    Conditioning of conv2d/*/* up to 11: the gradients of kernels and biases are sums over all places of all
    images, and a sum of n terms in any order loses a factor of √(n/6).
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view


def conv2d(x, W, b=None, *, stride=1, padding=0, dilation=1, groups=1):
    U, geometry = _rows(x, W, stride, padding, dilation, groups, ones=b is not None)  # (g, n p q, r s e + 1)
    columns = _columns(W, groups)  # (g, r s e, o/g)
    if b is not None:
        columns = np.concatenate([columns, b.reshape(groups, 1, -1)], axis=1)  # (g, r s e + 1, o/g)
    return np.moveaxis(U @ columns, 0, 1).reshape(*geometry, W.shape[3])  # (n, p, q, o)


def conv2d_vjp(dy, x, W, b=None, *, stride=1, padding=0, dilation=1, groups=1):
    option = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    return {"x": conv2d_transposed(dy, W, x.shape[1:3], **option)} | conv2d_kernel_vjp(dy, x, W, b, **option)


def conv2d_transposed(dy, W, shape, b=None, *, stride=1, padding=0, dilation=1, groups=1):
    """Only the gradient of the images, which have that shape; a transposed convolution adds a bias to it."""
    (n, p, q, o), (h, w), (r, s, e, _) = dy.shape, shape, W.shape
    stride, dilation = pair(stride), pair(dilation)
    (top, bottom), (left, right) = margins((h, w), (r, s), stride, padding, dilation)
    up, back = (r - 1) * dilation[0], (s - 1) * dilation[1]
    spread = np.zeros_like(dy, shape=(n, h + top + bottom + up, w + left + right + back, o))
    spread[:, every(up, stride[0], p), every(back, stride[1], q)] = dy
    spread = spread[:, top : top + h + up, left : left + w + back]  # (n, h + up, w + back, o)
    turned = np.moveaxis(W[::-1, ::-1].reshape(r, s, e, groups, o // groups), 4, 2)  # (r, s, o/g, e, g)
    turned = np.swapaxes(turned, 3, 4).reshape(r, s, o // groups, groups * e)  # (r, s, o/g, c)
    return conv2d(spread, turned, b, dilation=dilation, groups=groups)  # (n, h, w, c)


def conv2d_kernel_vjp(dy, x, W, b=None, *, stride=1, padding=0, dilation=1, groups=1):
    """Only the gradients of kernels and bias: a first layer needs no others."""
    U, (n, p, q) = _rows(x, W, stride, padding, dilation, groups)  # (g, n p q, r s e)
    V = np.moveaxis(dy.reshape(n * p * q, groups, dy.shape[-1] // groups), 1, 0)  # (g, n p q, o/g)
    dW = np.moveaxis(np.swapaxes(U, 1, 2) @ V, 0, 1).reshape(W.shape)  # (r, s, e, o)
    return {"W": dW} if b is None else {"W": dW, "b": dy.sum(axis=(0, 1, 2))}


def windows(x, size, *, stride=1, padding=0, dilation=1, fill=0.0):
    """Every window of `x`: (n, h, w, c) becomes (n, p, q, r, s, c), a view if there is no padding."""
    size, stride, dilation = pair(size), pair(stride), pair(dilation)
    ends = margins(x.shape[1:3], size, stride, padding, dilation)
    if ends != ((0, 0), (0, 0)):
        x = np.pad(x, ((0, 0), *ends, (0, 0)), constant_values=fill)  # (n, ĥ, ŵ, c)
    reach = tuple((k - 1) * d + 1 for k, d in zip(size, dilation, strict=True))
    u = sliding_window_view(x, reach, axis=(1, 2))  # (n, ĥ - reach + 1, ŵ - reach + 1, c, reach, reach)
    u = u[:, :: stride[0], :: stride[1], :, :: dilation[0], :: dilation[1]]  # (n, p, q, c, r, s)
    return np.moveaxis(u, 3, 5)


def margins(shape, size, stride, padding, dilation=(1, 1)):
    """The zeros before and after the rows, and before and after the columns."""
    if padding not in ("same", "ceil"):
        return tuple((p, p) for p in pair(padding))
    ends = []
    for n, k, s, d in zip(shape, size, stride, dilation, strict=True):
        reach = (k - 1) * d + 1
        steps = -(-n // s) - 1 if padding == "same" else -(-(n - reach) // s)
        total = max(steps * s + reach - n, 0)
        before = total // 2 if padding == "same" else 0
        ends.append((before, total - before))
    return tuple(ends)


def pair(value):
    return (value, value) if isinstance(value, int) else tuple(value)


def _rows(x, W, stride, padding, dilation, groups, ones=False):
    """The windows as rows, group by group, each with a one at its end for the bias."""
    u = windows(x, W.shape[:2], stride=stride, padding=padding, dilation=dilation)
    n, p, q, r, s, c = u.shape
    k = r * s * c // groups
    u = np.moveaxis(u.reshape(n, p, q, r, s, groups, c // groups), 5, 0)  # (g, n, p, q, r, s, e)
    rows = np.empty_like(x, shape=(groups, n, p, q, k + ones))
    rows[..., k:] = 1.0
    rows[..., :k].reshape(u.shape)[...] = u
    return rows.reshape(groups, n * p * q, k + ones), (n, p, q)


def _columns(W, groups):
    r, s, e, o = W.shape
    return np.moveaxis(W.reshape(r * s * e, groups, o // groups), 1, 0)  # (g, r s e, o/g)


def every(start, step, count):
    """`count` places from `start`, `step` apart."""
    return slice(start, start + (count - 1) * step + 1, step)
