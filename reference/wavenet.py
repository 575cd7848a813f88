"""WaveNet: the distribution of the next sample of sound, by gated causal convolutions ever further apart.

Formula
    h = one_hot(codes) ⋆ V
    z = tanh(h ⋆ W_f + b_f) σ(h ⋆ W_g + b_g)
    s = Σ (z W_s + b_s),  h ← h + z W_r + b_r        for each layer; the l-th of a stack has dilation 2ˡ
    u = relu(relu(s) W_1 + b_1) W_2 + b_2
    p = softmax(u),  loss = -mean log p[target]
Shapes
    codes : (n, t)    μ-law codes of the samples (mu_law.py), whole numbers below a
    targets : (n, t)    the codes of the samples that follow
    front : (k, a, r)    V, the kernel of the first convolution
    stacks : tree    lists of layers: filter and gate {"W": (k, r, d), "b": (d,)}, residual {"W": (d, r),
        "b": (r,)}, skip {"W": (d, s), "b": (s,)}
    end : tree    two layers {"W": (s, e), "b": (e,)} and {"W": (e, a), "b": (a,)}
    p : (n, t, a)    and loss : ()
Source
    van den Oord et al. 2016, sections 2.1 to 2.4 and figure 4. arXiv:1609.03499
Choices
    The convolution of one-hot vectors is a sum of rows of V, one for each tap.
    The first convolution has no bias; every other bias may be left out.
    h after the last layer goes nowhere, so that its weights have a gradient of zero.
    A step sees its own code: its distribution is that of the code after it.
    The loss is taken from u, not from p.
    Conditioning of wavenet/*/gradient.* up to 5: the gradient of a bias is a sum over all steps of all
    sequences, in any order.
"""

import numpy as np

from reference.activation import relu, relu_vjp, sigmoid, sigmoid_vjp, softmax, softmax_vjp, tanh, tanh_vjp
from reference.causal import causal_convolution, causal_convolution_vjp
from reference.embedding import embedding, embedding_vjp
from reference.linear import linear, linear_vjp
from reference.loss import sparse_cross_entropy, sparse_cross_entropy_vjp


def wavenet(codes, targets, front, stacks, end):
    """The distributions p after each code, and the loss of the targets."""
    u = _forward(codes, front, stacks, end)[-1]  # (n, t, a)
    return {"p": softmax(u), "loss": sparse_cross_entropy(u, targets)}


def wavenet_vjp(dy, codes, targets, front, stacks, end):
    """From u back through the two last layers to s, whose gradient goes to every layer."""
    layers, s, a, u = _forward(codes, front, stacks, end)
    du = softmax_vjp(dy["p"], u)["x"] + sparse_cross_entropy_vjp(dy["loss"], u, targets)["z"]
    second = linear_vjp(du, relu(a), **end[1])
    first = linear_vjp(relu_vjp(second.pop("x"), a)["x"], relu(s), **end[0])
    ds = relu_vjp(first.pop("x"), s)["x"]  # (n, t, s)
    dh, dstacks = np.zeros_like(layers[-1][0]), [[] for _ in stacks]
    for number in reversed(range(len(stacks))):
        for level in reversed(range(len(stacks[number]))):
            dh, found = _layer_vjp(dh, ds, layers.pop(), stacks[number][level], 2**level)
            dstacks[number].insert(0, found)
    return {"front": _front_vjp(dh, codes, front), "stacks": dstacks, "end": [first, second]}


def distributions(codes, front, stacks, end):
    """The distributions p alone."""
    return softmax(_forward(codes, front, stacks, end)[-1])  # (n, t, a)


def _forward(codes, front, stacks, end):
    """h, the two convolutions and z of each layer, then s, a and u."""
    h, s, layers = _front(codes, front), 0, []
    for stack in stacks:
        for level, layer in enumerate(stack):
            f = causal_convolution(h, **layer["filter"], dilation=2**level)  # (n, t, d)
            g = causal_convolution(h, **layer["gate"], dilation=2**level)
            z = tanh(f) * sigmoid(g)
            layers.append((h, f, g, z))
            s = s + linear(z, **layer["skip"])  # (n, t, s)
            h = h + linear(z, **layer["residual"])  # (n, t, r)
    a = linear(relu(s), **end[0])  # (n, t, e)
    return layers, s, a, linear(relu(a), **end[1])


def _layer_vjp(dh, ds, found, layer, dilation):
    """The gradient of a layer's input, and of its weights."""
    h, f, g, z = found
    skip, residual = linear_vjp(ds, z, **layer["skip"]), linear_vjp(dh, z, **layer["residual"])
    dz = skip.pop("x") + residual.pop("x")  # (n, t, d)
    df, dg = tanh_vjp(dz * sigmoid(g), f)["x"], sigmoid_vjp(dz * tanh(f), g)["x"]
    left = causal_convolution_vjp(df, h, **layer["filter"], dilation=dilation)
    right = causal_convolution_vjp(dg, h, **layer["gate"], dilation=dilation)
    dh = dh + left.pop("x") + right.pop("x")  # (n, t, r)
    return dh, {"filter": left, "gate": right, "residual": residual, "skip": skip}


def _front(codes, front):
    """V[-1] in the row of each code, V[-2] in that of the code before, and so on : (n, t, r)."""
    h = embedding(codes, front[-1])
    for back in range(1, len(front)):
        seen = codes[:, : max(codes.shape[1] - back, 0)]
        zeros = codes.shape[1] - seen.shape[1]
        h = h + np.pad(embedding(seen, front[-1 - back]), ((0, 0), (zeros, 0), (0, 0)))
    return h


def _front_vjp(dh, codes, front):
    t, k = codes.shape[1], len(front)
    each = [
        embedding_vjp(dh[:, back:], codes[:, : max(t - back, 0)], front[-1 - back])["E"] for back in range(k)
    ]
    return np.stack(each[::-1])  # (k, a, r)
