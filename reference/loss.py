"""Losses: mean squared error, and cross-entropies from logits.

Formula
    mean_squared_error       ℓ = (p - y)²
    binary_cross_entropy     ℓ = -w t log σ(z) - (1 - t) log(1 - σ(z)),  t = y (1 - ε) + ε/2
    cross_entropy            ℓ = -Σ_k w_k t_k log softmax(z)_k,          t = y (1 - ε) + ε/c
    sparse_cross_entropy     the same with class numbers y:
                             ℓ = -(1 - ε) w_y log softmax(z)_y - ε/c Σ_k w_k log softmax(z)_k
Shapes
    z : (n, c)    logits; p and y of the squared error have the same shape, which is arbitrary
    y : (n, c)    targets between 0 and 1; class numbers of shape (n,) if sparse
    w : (c,)    class weights; weights of the positive class if binary
    dy : ()    cotangent of the loss, with the shape of ℓ if the reduction is "none"
Source
    Goodfellow, Bengio, Courville 2016, 5.5 and 6.2. Szegedy et al. 2015 (label smoothing). arXiv:1512.00567
Choices
    The mean is over all elements of ℓ. "weighted mean" divides by Σ w_y instead of their number: torch's
    mean for class numbers. Keras's mean is the plain one, and so is torch's for class probabilities.
    -log σ(z) = max(-z, 0) + log(1 + e^-|z|): no overflow, no cancellation at either end. In its gradient
    1 - σ(z) is σ(-z), and in that of log softmax 1 - p is a sum (activation.py): neither cancels where a
    prediction is right and certain. Squared error has no factor 1/2.
    Targets and weights are not differentiated.
    Conditioning of mean-squared-error/*/forward.y, binary-cross-entropy/plain/*/forward.y,
    binary-cross-entropy/smoothing/*/forward.y, weighted-binary-cross-entropy/plain/*/forward.y up to 9: a
    mean is a sum over all elements, in any order.
    Conditioning of sparse-cross-entropy/weighted-mean/*/forward.y up to 6: the sum of weights has equal
    terms, whose partial sums round alike.
"""

import numpy as np

from reference.activation import log_softmax, log_softmax_vjp, sigmoid


def mean_squared_error(p, y, *, reduction="mean"):
    d = p - y
    return reduced(d * d, reduction)


def mean_squared_error_vjp(dy, p, y, *, reduction="mean"):
    return {"p": share(dy, p.size, reduction) * (2 * (p - y))}


def binary_cross_entropy(z, y, w=1, *, smoothing=0.0, reduction="mean"):
    t = _smooth(y, smoothing, 2)
    return reduced(w * t * _softplus(-z) + (1 - t) * _softplus(z), reduction)


def binary_cross_entropy_vjp(dy, z, y, w=1, *, smoothing=0.0, reduction="mean"):
    """With 1 - σ(z) = σ(-z): dz = (1 - t) σ(z) - w t σ(-z)."""
    t = _smooth(y, smoothing, 2)
    return {"z": share(dy, z.size, reduction) * ((1 - t) * sigmoid(z) - w * t * sigmoid(-z))}


def cross_entropy(z, y, w=1, *, smoothing=0.0, reduction="mean"):
    t = _smooth(y, smoothing, z.shape[-1])
    return reduced(-(w * t * log_softmax(z)).sum(axis=-1), reduction)  # (n,)


def cross_entropy_vjp(dy, z, y, w=1, *, smoothing=0.0, reduction="mean"):
    t = _smooth(y, smoothing, z.shape[-1])
    dl = share(dy, z[..., 0].size, reduction)[..., None]  # (n, 1) or (1,)
    return {"z": log_softmax_vjp(-dl * (w * t), z)["x"]}


def sparse_cross_entropy(z, y, w=None, *, smoothing=0.0, reduction="mean"):
    l = -log_softmax(z) if w is None else -w * log_softmax(z)
    chosen = np.take_along_axis(l, y[..., None], axis=-1)[..., 0]  # (n,)
    if smoothing:
        chosen = (1 - smoothing) * chosen + (smoothing / z.shape[-1]) * l.sum(axis=-1)
    return reduced(chosen, reduction, None if w is None else w[y])


def sparse_cross_entropy_vjp(dy, z, y, w=None, *, smoothing=0.0, reduction="mean"):
    """The cotangent of -w log softmax is (1 - ε) at the target and ε/c everywhere."""
    dchosen = share(dy, y.size, reduction, None if w is None else w[y])[..., None]  # (n, 1) or (1,)
    dl = np.where(np.arange(z.shape[-1]) == y[..., None], (1 - smoothing) * dchosen, 0)  # (n, c)
    if smoothing:
        dl = dl + (smoothing / z.shape[-1]) * dchosen
    return {"z": log_softmax_vjp(-dl if w is None else -w * dl, z)["x"]}


def _softplus(z):
    """log(1 + e^z)."""
    return np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))


def _smooth(y, smoothing, classes):
    return y * (1 - smoothing) + smoothing / classes if smoothing else y


def reduced(l, reduction, weights=None):
    """The loss reduced over all elements: "none", "sum", "mean", or "weighted mean" by `weights`."""
    if reduction == "none":
        return l
    if reduction == "sum":
        return l.sum()
    return l.sum() / weights.sum() if reduction == "weighted mean" else l.mean()


def share(dy, size, reduction, weights=None):
    """The gradient of `reduced`: the part of `dy` for one of `size` elements."""
    if reduction in ("none", "sum"):
        return dy
    return dy / (weights.sum() if reduction == "weighted mean" else size)
