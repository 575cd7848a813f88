"""Transposed convolution: the gradient of a convolution with respect to its images, as a layer.

Formula
    Y[n, p·stride + r·dilation - margin, q·stride + s·dilation - margin, o] += Σ_c X[n, p, q, c] W[r, s, o, c]
    for all p, q, r, s, and then + b[o]; terms outside of Y are dropped
    Y = conv2d's gradient of images for the cotangent X: ⟨conv2d(Y), X⟩ = ⟨Y, conv_transpose2d(X)⟩.
    Gradient: the transpose of the transpose, dX = conv2d(dY, W). Both are linear in W, with the same sum
    ⟨conv2d(dY, W), X⟩, so dW is conv2d's gradient of kernels for images dY and cotangent X. db = Σ dY.
Shapes
    x : (n, p, q, c)    images, channels last
    W : (r, s, e, c)    kernels; e = o / groups
    b : (o,)    one bias per output channel, or none
    y : (n, h, w, o)    h = (p - 1) stride + (r - 1) dilation + 1 - 2 padding + output_padding, w likewise
Source
    Zeiler et al. 2010, Deconvolutional networks. Long et al. 2015, section 3.3. arXiv:1411.4038
    Dumoulin and Visin 2016, chapter 4. arXiv:1603.07285
Choices
    The kernels are those of the convolution that it transposes, as in torch, TensorFlow and Keras. JAX
    expects flipped kernels, unless transpose_kernel is True.
    As in torch, padding=p cuts p pixels from both ends of an axis of Y, (p, q) for rows and columns, and
    output_padding keeps that many more at the bottom and on the right.
    padding="same" gives h = p·stride, and cuts the pixels that conv2d's "same" would have padded: the odd one
    at the bottom and on the right. torch's usual padding for a kernel of 3 cuts at the top and on the left.
    Conditioning of conv2d-transpose/*/* up to 20: the gradient of the bias is a sum over all places of all
    images, and a sum of n terms in any order loses a factor of √(n/6).
"""

import numpy as np

from reference.convolution import conv2d, conv2d_kernel_vjp, conv2d_transposed, pair


def conv_transpose2d(x, W, b=None, *, stride=1, padding=0, output_padding=0, dilation=1, groups=1):
    shape = enlarged(x.shape[1:3], W.shape[:2], stride, padding, output_padding, dilation)
    option = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    return conv2d_transposed(x, W, shape, b, **option)  # (n, h, w, o)


def conv_transpose2d_vjp(dy, x, W, b=None, *, stride=1, padding=0, output_padding=0, dilation=1, groups=1):
    option = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    dx = conv2d(dy, W, **option)  # (n, p, q, c), and more where output_padding leaves a window room
    more = [(0, wide - own) for wide, own in zip(dx.shape, x.shape, strict=True)]
    grads = {"x": dx[:, : x.shape[1], : x.shape[2]], **conv2d_kernel_vjp(np.pad(x, more), dy, W, **option)}
    return grads if b is None else grads | {"b": dy.sum(axis=(0, 1, 2))}


def enlarged(shape, size, stride, padding=0, output_padding=0, dilation=1):
    """The numbers of rows and columns of the output."""
    if padding == "same":
        return tuple(n * s for n, s in zip(shape, pair(stride), strict=True))
    axes = zip(shape, size, pair(stride), pair(padding), pair(output_padding), pair(dilation), strict=True)
    return tuple((n - 1) * s + (k - 1) * d + 1 - 2 * p + more for n, k, s, p, more, d in axes)
