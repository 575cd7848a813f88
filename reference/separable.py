"""Depthwise convolution, in which each channel has its own kernels, and separable convolution.

Formula
    Y[n, p, q, c·m + k] = b[c·m + k]
        + Σ_{r, s} X̂[n, p·stride + r·dilation, q·stride + s·dilation, c] W[r, s, c, k]      depthwise_conv2d
    Y = (depthwise_conv2d of X with D) P + b                                               separable_conv2d
    X̂ = X padded with zeros; m kernels per channel, k < m
    Gradient: a depthwise convolution is a grouped one whose groups have one channel each, and P is a
    convolution with kernels of one pixel: each has the gradient of conv2d, and the chain rule joins them.
Shapes
    x : (n, h, w, c)    images, channels last
    W : (r, s, c, m)    the kernels of each channel; m is the depth multiplier
    D : (r, s, c, m)    the same for the depthwise step
    P : (d, o)    the pointwise step; d = c m
    b : (o,)    one bias per kernel, or none; o = c m in a depthwise convolution
    y : (n, p, q, o)    p and q as in convolution.py
Source
    Sifre 2014, Rigid-motion scattering for image classification (thesis), section 6.2.
    Chollet 2017, Xception. arXiv:1610.02357. Howard et al. 2017, MobileNets, section 3.1. arXiv:1704.04861
Choices
    The outputs of one channel's kernels are adjacent, as in all frameworks.
    Stride, padding and dilation apply to the depthwise step. There is nothing between the two steps:
    MobileNet has a normalisation and a ReLU there, but layers named separable do not.
    See convolution.py for the values of padding.
    Conditioning of depthwise-conv2d/*/*, separable-conv2d/*/* up to 7: the gradients of kernels and biases
    are sums over all places of all images, and a sum of n terms in any order loses a factor of √(n/6).
"""

from reference.convolution import conv2d, conv2d_vjp


def depthwise_conv2d(x, W, b=None, *, stride=1, padding=0, dilation=1):
    option = {"stride": stride, "padding": padding, "dilation": dilation}
    return conv2d(x, _grouped(W), b, groups=x.shape[3], **option)  # (n, p, q, c m)


def depthwise_conv2d_vjp(dy, x, W, b=None, *, stride=1, padding=0, dilation=1):
    option = {"stride": stride, "padding": padding, "dilation": dilation}
    grads = conv2d_vjp(dy, x, _grouped(W), b, groups=x.shape[3], **option)
    return grads | {"W": grads["W"].reshape(W.shape)}


def separable_conv2d(x, D, P, b=None, *, stride=1, padding=0, dilation=1):
    z = depthwise_conv2d(x, D, stride=stride, padding=padding, dilation=dilation)  # (n, p, q, c m)
    return conv2d(z, P[None, None], b)  # (n, p, q, o)


def separable_conv2d_vjp(dy, x, D, P, b=None, *, stride=1, padding=0, dilation=1):
    option = {"stride": stride, "padding": padding, "dilation": dilation}
    point = conv2d_vjp(dy, depthwise_conv2d(x, D, **option), P[None, None], b)
    deep = depthwise_conv2d_vjp(point["x"], x, D, **option)
    grads = {"x": deep["x"], "D": deep["W"], "P": point["W"][0, 0]}
    return grads if b is None else grads | {"b": point["b"]}


def _grouped(W):
    r, s, c, m = W.shape
    return W.reshape(r, s, 1, c * m)
