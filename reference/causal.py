"""Causal convolution of sequences: an output depends on its own step and on earlier ones, some steps apart.

Formula
    y[n, s, o] = b[o] + Σ_{j, c} x[n, s·stride - (k - 1 - j)·dilation, c] W[j, c, o]
    x is zero before its first step. The last of the k taps is on the step itself.
    Groups as in convolution.py.
    Gradient: that of a convolution of images of one column, without what it gives the zeros.
Shapes
    x : (n, t, c)    sequences, channels last
    W : (k, e, o)    kernels; e = c / groups
    b : (o,)    one bias per kernel, or none
    y : (n, s, o)    s = ⌈t / stride⌉
Source
    van den Oord et al. 2016, section 2.1. arXiv:1609.03499
    Yu and Koltun 2016 (dilation). arXiv:1511.07122
Choices
    Kernels are not flipped: the first tap is on the earliest step.
    The bias is one more term of the sum (convolution.py).
"""

import numpy as np

from reference.convolution import conv2d, conv2d_vjp


def causal_convolution(x, W, b=None, *, stride=1, dilation=1, groups=1):
    option = {"stride": (stride, 1), "dilation": (dilation, 1), "groups": groups}
    return conv2d(_images(x, W, dilation), W[:, None], b, **option)[:, :, 0]  # (n, s, o)


def causal_convolution_vjp(dy, x, W, b=None, *, stride=1, dilation=1, groups=1):
    option = {"stride": (stride, 1), "dilation": (dilation, 1), "groups": groups}
    d = conv2d_vjp(dy[:, :, None], _images(x, W, dilation), W[:, None], b, **option)
    return d | {"x": d["x"][:, before(W, dilation) :, 0], "W": d["W"][:, 0]}


def before(W, dilation):
    """The number of zeros before the first step: the steps that the first tap is behind the last."""
    return (len(W) - 1) * dilation


def _images(x, W, dilation):
    """Sequences as images of one column, with the zeros above : (n, (k - 1) dilation + t, 1, c)."""
    return np.pad(x, ((0, 0), (before(W, dilation), 0), (0, 0)))[:, :, None]
