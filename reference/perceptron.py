"""Multi-layer perceptron: forward propagation and back propagation, layer by layer.

Formula
    h⁰ = x,   zˡ = hˡ⁻¹ Wˡ + bˡ,   hˡ = f(zˡ),   y = g(zᴸ)
    Back: δᴸ = g'(zᴸ)ᵀ dy,   δˡ⁻¹ = f'(zˡ⁻¹)ᵀ (δˡ Wˡᵀ),   dWˡ = hˡ⁻¹ᵀ δˡ,   dbˡ = Σ δˡ
Shapes
    x : (n, d)    inputs
    y : (n, m)    outputs
Source
    Rumelhart, Hinton, Williams 1986. Goodfellow, Bengio, Courville 2016, algorithms 6.3 and 6.4.
Choices
    layers is a list of {"W": (inputs, outputs), "b": (outputs,)}.
    hidden names f, used after every layer but the last, and output names g; both are in activation.py.
    Conditioning of perceptron/sigmoid/* up to 9: each layer multiplies by a slope of two sigmoids, each
    as exact as the least exact library.
"""

from reference.activation import ACTIVATIONS
from reference.linear import linear, linear_vjp


def perceptron(x, layers, *, hidden="relu", output="identity"):
    for layer, name in zip(layers, _names(layers, hidden, output), strict=True):
        x = ACTIVATIONS[name][0](linear(x, **layer))
    return x


def perceptron_vjp(dy, x, layers, *, hidden="relu", output="identity"):
    names, kept, grads = _names(layers, hidden, output), [], []
    for layer, name in zip(layers, names, strict=True):
        z = linear(x, **layer)
        kept.append((x, z))
        x = ACTIVATIONS[name][0](z)
    for layer, name, (x, z) in zip(layers[::-1], names[::-1], kept[::-1], strict=True):
        g = linear_vjp(ACTIVATIONS[name][1](dy, z)["x"], x, **layer)
        dy = g.pop("x")
        grads.append(g)
    return {"x": dy, "layers": grads[::-1]}


def _names(layers, hidden, output):
    return [hidden] * (len(layers) - 1) + [output]
