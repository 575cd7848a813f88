"""Activations: elementwise, and softmax and log-softmax over the last axis.

Formula
    sigmoid(x)     = 1 / (1 + e⁻ˣ)
    tanh(x)        = (eˣ - e⁻ˣ) / (eˣ + e⁻ˣ)
    relu(x)        = max(x, 0)
    gelu(x)        = x Φ(x) = x (1 + erf(x/√2)) / 2
    gelu_tanh(x)   = x (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2
    softmax(x)ᵢ    = e^xᵢ / Σⱼ e^xⱼ
    log_softmax(x)ᵢ = xᵢ - log Σⱼ e^xⱼ
Shapes
    x : (n, c)    any leading axes; the last one is normalised by the softmaxes
    dy : (n, c)    cotangent of the result
Source
    Goodfellow, Bengio, Courville 2016, chapters 3 and 6. Hendrycks and Gimpel 2016 (GELU). arXiv:1606.08415
Choices
    relu'(0) = 0, as in the relu of every framework (their gradient of max(x, 0) differs).
    GELU's erf form and its tanh form are two functions; 1 + erf as printed, not erfc, so that its
    cancellation at large negative x belongs to the formula.
    Slopes of sigmoid and tanh are products, not 1 - s and 1 - t², which cancel where s and t are near 1.
    Softmaxes subtract the row maximum before exp: same value, no overflow. Its gradient is zero.
"""

from math import pi, sqrt

import numpy as np

from reference.special import erf, expit


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
    return x * (0.5 * (1 + erf(x * sqrt(1 / 2))))


def gelu_vjp(dy, x):
    """(x Φ)' = Φ + x φ, with φ(x) = e^(-x²/2) / √(2π)."""
    Phi = 0.5 * (1 + erf(x * sqrt(1 / 2)))
    phi = np.exp(-0.5 * (x * x)) * (1 / sqrt(2 * pi))
    return {"x": dy * (Phi + x * phi)}


def gelu_tanh(x):
    t = np.tanh(sqrt(2 / pi) * (x + 0.044715 * (x * x * x)))
    return 0.5 * x * (1 + t)


def gelu_tanh_vjp(dy, x):
    """With t = tanh(u): (x (1 + t) / 2)' = (1 + t) / 2 + x/2 (1 - t²) u'."""
    t = np.tanh(sqrt(2 / pi) * (x + 0.044715 * (x * x * x)))
    du = sqrt(2 / pi) * (1 + 3 * 0.044715 * (x * x))
    return {"x": dy * (0.5 * (1 + t) + 0.5 * x * (1 - t * t) * du)}


def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def softmax_vjp(dy, x):
    """∂yᵢ/∂xⱼ = yᵢ (δᵢⱼ - yⱼ), so dx = y (dy - Σⱼ dyⱼ yⱼ)."""
    y = softmax(x)
    return {"x": y * (dy - (dy * y).sum(axis=-1, keepdims=True))}


def log_softmax(x):
    s = x - x.max(axis=-1, keepdims=True)
    return s - np.log(np.exp(s).sum(axis=-1, keepdims=True))


def log_softmax_vjp(dy, x):
    """∂yᵢ/∂xⱼ = δᵢⱼ - softmax(x)ⱼ, so dx = dy - softmax(x) Σᵢ dyᵢ."""
    return {"x": dy - softmax(x) * dy.sum(axis=-1, keepdims=True)}


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
