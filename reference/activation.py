"""Activations: elementwise, and softmax and log-softmax over the last axis.

Formula
    sigmoid(x)     = 1 / (1 + e⁻ˣ)
    tanh(x)        = (eˣ - e⁻ˣ) / (eˣ + e⁻ˣ)
    relu(x)        = max(x, 0)
    gelu(x)        = x Φ(x) = x (1 + erf(x/√2)) / 2 = x erfc(-x/√2) / 2
    gelu_tanh(x)   = x (1 + tanh(u)) / 2 = x sigmoid(2u),  u = √(2/π) (x + 0.044715 x³)
    softmax(x)ᵢ    = e^xᵢ / Σⱼ e^xⱼ
    log_softmax(x)ᵢ = xᵢ - log Σⱼ e^xⱼ
Shapes
    x : (n, c)    any leading axes; the last one is normalised by the softmaxes
    dy : (n, c)    cotangent of the result
Source
    Goodfellow, Bengio, Courville 2016, chapters 3 and 6. Hendrycks and Gimpel 2016 (GELU). arXiv:1606.08415
Choices
    relu'(0) = 0, as in the relu of every framework (their gradient of max(x, 0) differs).
    GELU's erf form and its tanh form are two functions.
    Forms that do not cancel, so that the limit is what the inputs' own rounding forces: erfc for 1 + erf
    and sigmoid for 1 + tanh, which cancel at large negative x; products for the slopes 1 - s and 1 - t²,
    where s and t are near 1; for a y of the softmaxes above 1/2, the sum of the others for 1 - y.
    Softmaxes subtract the row maximum before exp: same value, no overflow. Its gradient is zero.
    Conditioning of gelu/*/gradient.x up to 6: x/√2 is rounded before it is squared, in every library.
    Conditioning of gelu-tanh/*/gradient.x up to 60: where sigmoid(2u) is subnormal, and may be flushed to
    zero, its product with x is not yet.
    Conditioning of softmax/* up to 8: a softmax divides by the sum of a row, in any order.
"""

from math import pi, sqrt

import numpy as np

from reference.special import erfc, expit


def identity(x):
    return x


def identity_vjp(dy, x):
    return {"x": dy}


def sigmoid(x):
    return expit(x)


def sigmoid_vjp(dy, x):
    """s'(x) = s(x) (1 - s(x)) = s(x) s(-x)."""
    return {"x": dy * (expit(x) * expit(-x))}


def tanh(x):
    return np.tanh(x)


def tanh_vjp(dy, x):
    """t'(x) = 1 - t(x)² = 4 / (eˣ + e⁻ˣ)² = 4q / (1 + q)² with q = e^(-2|x|), as t' is even."""
    q = np.exp(-2 * np.abs(x))
    return {"x": dy * (4 * q / (1 + q) ** 2)}


def relu(x):
    return np.maximum(x, 0)


def relu_vjp(dy, x):
    return {"x": np.where(x > 0, dy, 0)}


def gelu(x):
    return x * (0.5 * erfc(-x * sqrt(1 / 2)))


def gelu_vjp(dy, x):
    """(x Φ)' = Φ + x φ, with φ(x) = e^(-x²/2) / √(2π) = e^(-t²) / √(2π) for t = x/√2, as erfc'(-t) has it."""
    t = x * sqrt(1 / 2)
    Phi = 0.5 * erfc(-t)
    phi = np.exp(-(t * t)) * (1 / sqrt(2 * pi))
    return {"x": dy * (Phi + x * phi)}


def gelu_tanh(x):
    return x * expit(2 * sqrt(2 / pi) * (x + 0.044715 * (x * x * x)))


def gelu_tanh_vjp(dy, x):
    """With z = 2u, (x s(z))' = s(z) + x s'(z) z' and s' = s(z) s(-z)."""
    z = 2 * sqrt(2 / pi) * (x + 0.044715 * (x * x * x))
    dz = 2 * sqrt(2 / pi) * (1 + 3 * 0.044715 * (x * x))
    return {"x": dy * (expit(z) * (1 + x * expit(-z) * dz))}


def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def softmax_vjp(dy, x):
    """∂yᵢ/∂xⱼ = yᵢ (δᵢⱼ - yⱼ), so dxᵢ = yᵢ (dyᵢ - Σⱼ dyⱼ yⱼ) = yᵢ (dyᵢ (1 - yᵢ) - Σ_{j≠i} dyⱼ yⱼ)."""
    y = softmax(x)
    near, others, rest = _split(y)
    some = dy * rest - (dy * others).sum(axis=-1, keepdims=True)
    return {"x": y * np.where(near, some, dy - (dy * y).sum(axis=-1, keepdims=True))}


def log_softmax(x):
    """xᵢ - m - log Σⱼ e^(xⱼ - m) for the largest element m, whose term in the sum is 1."""
    m = x.argmax(axis=-1, keepdims=True)
    s = x - np.take_along_axis(x, m, axis=-1)
    others = np.where(np.arange(x.shape[-1]) == m, 0, np.exp(s))
    return s - np.log1p(others.sum(axis=-1, keepdims=True))


def log_softmax_vjp(dy, x):
    """∂yᵢ/∂xⱼ = δᵢⱼ - pⱼ for p = softmax(x), so dxᵢ = dyᵢ - pᵢ Σⱼ dyⱼ = dyᵢ (1 - pᵢ) - pᵢ Σ_{j≠i} dyⱼ."""
    p = softmax(x)
    near, _, rest = _split(p)
    some = dy * rest - p * np.where(near, 0, dy).sum(axis=-1, keepdims=True)
    return {"x": np.where(near, some, dy - p * dy.sum(axis=-1, keepdims=True))}


def _split(p):
    """Which probability is above 1/2, the others, and their sum: 1 - p without a difference of ones."""
    near = p > 0.5
    others = np.where(near, 0, p)
    return near, others, others.sum(axis=-1, keepdims=True)


ACTIVATIONS = {
    "identity": (identity, identity_vjp),
    "sigmoid": (sigmoid, sigmoid_vjp),
    "tanh": (tanh, tanh_vjp),
    "relu": (relu, relu_vjp),
    "gelu": (gelu, gelu_vjp),
    "gelu-tanh": (gelu_tanh, gelu_tanh_vjp),
    "softmax": (softmax, softmax_vjp),
    "log-softmax": (log_softmax, log_softmax_vjp),
}
