"""The Inception module: convolutions of several sizes side by side, with batch normalisation.

Formula
    unit(h) = relu(batch_norm(h ⋆ W; γ, β))
    y = [unit₁ₓ₁(x), unit₃ₓ₃(unit₁ₓ₁(x)), unit₅ₓ₅(unit₁ₓ₁(x)), unit₁ₓ₁(max_pool₃ₓ₃(x))], joined by channels
    Gradient: dx is the sum of what the four branches pass back.
Shapes
    x : (n, h, w, c)    images, channels last
    mean : (m,)    the running means of all units' channels: branch by branch, first to last
    variance : (m,)    their running variances
    one : tree    a list of one unit {"W": (1, 1, c, o), "gamma": (o,), "beta": (o,)}
    three : tree    two units, with kernels of 1 by 1 and of 3 by 3
    five : tree    two units, with kernels of 1 by 1 and of 5 by 5
    pool : tree    a list of one unit of 1 by 1, after the pooling
    y : (n, h, w, o)    the sum of the four branches' channels
Source
    Szegedy et al. 2014, Going deeper with convolutions, figure 2(b). arXiv:1409.4842
    Ioffe and Szegedy 2015, Batch normalization, sections 3.2 and 4.2. arXiv:1502.03167
Choices
    Each convolution has no bias, as β follows, and its own batch normalisation before its ReLU.
    Kernels of 3 and 5 have zeros around the image; the pool, of 3 by 3 with stride 1, has −∞. So all branches
    keep the image's size.
    ε is 1e-3, as in Keras and in torchvision's GoogLeNet. See batch_norm.py for `momentum` and `unbiased`.
    training=False normalises by the running statistics. In training they are results if `unbiased` is given.
    relu'(0) = 0; a pool takes the first of equal pixels.
    Conditioning of inception-module/*/* up to 20: sums over all places of all images, in any order. What a
    normalisation passes back has a sum of zero, so that of a kernel whose inputs have a mean, as after the
    pool, rounding times that mean remains; and the next normalisation all but undoes the scale of a unit.
"""

import numpy as np

from reference.activation import relu, relu_vjp
from reference.batch_norm import (
    batch_norm,
    batch_norm_inference,
    batch_norm_inference_vjp,
    batch_norm_vjp,
)
from reference.convolution import conv2d, conv2d_vjp
from reference.pooling import max_pool, max_pool_vjp

POOL = {"size": 3, "stride": 1, "padding": 1}


def inception(
    x, mean, variance, one, three, five, pool, *, training=True, momentum=0.1, unbiased=None, eps=1e-3
):  # fmt: skip
    """{"y"}, and with `unbiased` the updated running "mean" and "variance"."""
    option = {"training": training, "momentum": momentum, "unbiased": bool(unbiased), "eps": eps}
    y, moved, _ = forward(x, mean, variance, one, three, five, pool, **option)
    return {"y": y} | (moved if unbiased is not None else {})


def inception_vjp(dy, x, mean, variance, one, three, five, pool, *, training=True, eps=1e-3):
    found = forward(x, mean, variance, one, three, five, pool, training=training, eps=eps)[2]
    return backward(dy, x, found, one, three, five, pool, training=training, eps=eps)


def forward(x, mean, variance, one, three, five, pool, **option):
    """y, the updated running statistics, and for each branch what each of its units saw."""
    starts = (x, x, x, max_pool(x, **POOL))
    joined, moved, found, at = [], {"mean": [], "variance": []}, [], 0
    for h, branch in zip(starts, (one, three, five, pool), strict=True):
        found.append([])
        for layer in branch:
            here = slice(at, at + layer["W"].shape[3])
            h, changed, seen = unit(h, mean[here], variance[here], **layer, **option)
            for name, value in changed.items():
                moved[name].append(value)
            found[-1].append(seen)
            at = here.stop
        joined.append(h)
    y = np.concatenate(joined, axis=3)  # (n, h, w, o)
    return y, {name: np.concatenate(values) for name, values in moved.items() if values}, found


def backward(dy, x, found, one, three, five, pool, **option):
    """The gradients of x and of the units: each branch has its part of dy, by channels."""
    branches, grads, dx, at = {"one": one, "three": three, "five": five, "pool": pool}, {}, 0, 0
    for (name, branch), seen in zip(branches.items(), found, strict=True):
        here = slice(at, at + branch[-1]["W"].shape[3])
        dh, grads[name], at = dy[..., here], [], here.stop
        for layer, saw in zip(branch[::-1], seen[::-1], strict=True):
            d = unit_vjp(dh, saw, **layer, **option)
            dh = d.pop("x")
            grads[name].insert(0, d)
        dx = dx + (max_pool_vjp(dh, x, **POOL)["x"] if name == "pool" else dh)
    return {"x": dx} | grads


def unit(x, mean, variance, W, gamma, beta, *, training=True, momentum=0.1, unbiased=True, eps=1e-3):
    """relu(batch_norm(x ⋆ W)), the updated running statistics, and what the gradient needs."""
    a = conv2d(x, W, padding=len(W) // 2)  # (n, h, w, o)
    if training:
        how = {"momentum": momentum, "unbiased": unbiased, "eps": eps}
        moved = batch_norm(a, mean, variance, gamma, beta, **how)
        n = moved.pop("y")
    else:
        n, moved = batch_norm_inference(a, mean, variance, gamma, beta, eps=eps), {}
    return relu(n), moved, (x, a, n, mean, variance)


def unit_vjp(dy, saw, W, gamma, beta, *, training=True, eps=1e-3):
    """From the ReLU back through the normalisation and the convolution."""
    x, a, n, mean, variance = saw
    back = batch_norm_vjp if training else batch_norm_inference_vjp
    d = back(relu_vjp(dy, n)["x"], a, mean, variance, gamma, beta, eps=eps)
    return d | conv2d_vjp(d.pop("x"), x, W, padding=len(W) // 2)
