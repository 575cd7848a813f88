"""Batch normalisation, in training and in inference.

Formula
    μ = 1/n Σ x,  σ² = 1/n Σ (x − μ)²    over all examples and places, channel by channel
    y = γ (x − μ) / √(σ² + ε) + β
    mean ← (1 − α) mean + α μ,  variance ← (1 − α) variance + α σ² n/(n − 1)
    in inference y = a x + (β − a mean) with a = γ / √(variance + ε)
Shapes
    x : (..., c)    examples and places, channels last
    mean : (c,)    the running mean
    variance : (c,)    the running variance
    gamma : (c,)    scales; 1 if not given
    beta : (c,)    shifts; 0 if not given
    y : (..., c)
Source
    Ioffe and Szegedy 2015, Batch normalization, algorithms 1 and 2. arXiv:1502.03167
Choices
    `momentum` is α, the weight of the new value, as in torch; that of Keras and Flax is 1 − α.
    `unbiased`: the running variance divides by n − 1 (the paper, torch), or like σ² by n (Keras, Flax).
    The running statistics are not differentiated, neither as inputs nor as outputs.
    Inference is one affine function, as in algorithm 2; Flax subtracts the mean first, which cancels less.
    ε is inside the root. Its default is that of torch and Flax, 1e-5 (Keras 1e-3).
    Conditioning of batch-norm/*/large-mean/*, batch-norm-biased/*/large-mean/*,
    batch-norm-biased/no-shift/typical/gradient.x up to 8: the mean and dγ are sums over all examples and
    places, and a sum of n terms in any order loses a factor of √(n/6).
"""

import math

import numpy as np

from reference.normalization import affine, affine_vjp, standardize, standardize_vjp


def batch_norm(x, mean, variance, gamma=None, beta=None, *, momentum=0.1, unbiased=True, eps=1e-5):
    """{"y", "mean", "variance"}: y from the statistics of the batch, and the updated running statistics."""
    axes = _rows(x)
    m = math.prod(x.shape[:-1])
    n, c, _ = standardize(x, axes, eps)
    square = np.sum(c * c, axis=axes) / (m - 1 if unbiased else m)  # (c,)
    return {
        "y": affine(n, gamma, beta),
        "mean": (1 - momentum) * mean + momentum * np.mean(x, axis=axes),
        "variance": (1 - momentum) * variance + momentum * square,
    }


def batch_norm_vjp(dy, x, mean, variance, gamma=None, beta=None, *, eps=1e-5):
    """The chain rule of `affine`, then that of `standardize`: μ and σ² depend on every example."""
    n, _, s = standardize(x, _rows(x), eps)
    dn, grads = affine_vjp(dy, n, gamma, beta)
    return {"x": standardize_vjp(dn, n, s, _rows(x))} | grads


def batch_norm_inference(x, mean, variance, gamma=None, beta=None, *, eps=1e-5):
    """y = a x + b from the running statistics, with a = γ / s and b = β − a mean."""
    a = _slope(variance, gamma, eps)
    return a * x + (-(a * mean) if beta is None else beta - a * mean)


def batch_norm_inference_vjp(dy, x, mean, variance, gamma=None, beta=None, *, eps=1e-5):
    """dx = a dy; db = Σ dy, and da = Σ dy x − mean db; dγ = da / s. The running statistics are constants."""
    db = np.sum(dy, axis=_rows(x))
    da = np.sum(dy * x, axis=_rows(x)) - mean * db
    grads = {"x": _slope(variance, gamma, eps) * dy}
    grads |= {} if gamma is None else {"gamma": da / np.sqrt(variance + eps)}
    return grads if beta is None else grads | {"beta": db}


def _slope(variance, gamma, eps):
    return (1.0 if gamma is None else gamma) / np.sqrt(variance + eps)


def _rows(x):
    return tuple(range(x.ndim - 1))
