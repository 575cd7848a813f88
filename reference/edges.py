"""Convolution of images that go on beyond their edges.

Formula
    X̂[n, i, j, c] = X[n, ρ(i − top), ρ(j − left), c], where of n places
        circular     ρ(i) = i mod n
        replicate    ρ(i) = min(max(i, 0), n − 1)
        reflect      ρ(i) = |i|, and 2 (n − 1) − |i| where that is beyond the end
    Y = the convolution (convolution.py) of X̂ without a margin
    Gradient: each pixel of X collects the gradients of its copies in X̂.
Shapes
    x : (n, h, w, c)    images, channels last
    W : (r, s, e, o)    kernels; e = c / groups
    b : (o,)            one bias per kernel, or none
    y : (n, p, q, o)    p = ⌊(h + margins - (r - 1) dilation - 1) / stride⌋ + 1, q alike
Source
    Dumoulin and Visin 2016, A guide to convolution arithmetic. arXiv:1603.07285
    NumPy 2.3, numpy.pad (the modes wrap, edge and reflect).
Choices
    padding="same" gives the images a margin of (r − 1) dilation rows, of which the odd one stands at the
    bottom, whatever the stride (torch, Flax); padding=p has p rows at both ends, (p, q) for rows and columns.
    A reflection does not repeat the pixels of the edge. A margin is narrower than the image.
    Conditioning of edge-convolution/*/* up to 11: the gradients of kernels and biases are sums over all
    places of all images, and a sum of n terms in any order loses a factor of √(n/6).
"""

import numpy as np

from reference.convolution import conv2d, conv2d_vjp, pair


def edge_convolution(x, W, b=None, *, edge, padding="same", stride=1, dilation=1, groups=1):
    rows, columns = _places(x, W, edge, padding, dilation)
    return conv2d(x[:, rows][:, :, columns], W, b, stride=stride, dilation=dilation, groups=groups)


def edge_convolution_vjp(dy, x, W, b=None, *, edge, padding="same", stride=1, dilation=1, groups=1):
    rows, columns = _places(x, W, edge, padding, dilation)
    wide = x[:, rows][:, :, columns]  # (n, ĥ, ŵ, c)
    grads = conv2d_vjp(dy, wide, W, b, stride=stride, dilation=dilation, groups=groups)
    dx = _collected(grads.pop("x"), columns, 2, x.shape[2])
    return {"x": _collected(dx, rows, 1, x.shape[1])} | grads


def _places(x, W, edge, padding, dilation):
    """The row of the image that each row of the wider one is, and the column of each column."""
    found = []
    for n, k, d, p in zip(x.shape[1:3], W.shape, pair(dilation), _sides(padding), strict=False):
        total = (k - 1) * d
        before, after = (total // 2, total - total // 2) if padding == "same" else (p, p)
        if edge != "replicate" and (most := max(before, after)) >= n:
            raise ValueError(f"a margin of {most} pixels: should be narrower than the image, {n}")
        found.append(_place(np.arange(-before, n + after), n, edge))
    return found


def _sides(padding):
    return (0, 0) if padding == "same" else pair(padding)


def _place(i, n, edge):
    """ρ(i)."""
    if edge == "circular":
        return i % n
    if edge == "replicate":
        return np.clip(i, 0, n - 1)
    return (n - 1) - np.abs(n - 1 - np.abs(i))


def _collected(d, places, axis, n):
    """The sums of d over the places that are the same, of n."""
    moved = np.moveaxis(d, axis, 0)
    found = np.zeros_like(moved, shape=(n, *moved.shape[1:]))
    np.add.at(found, places, moved)
    return np.moveaxis(found, 0, axis)
