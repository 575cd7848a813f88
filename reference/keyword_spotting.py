"""Keyword spotting: which word is said in a second of sound, by a depthwise-separable network on its MFCC.

Formula
    u = cepstrum(log_mel(power of the spectrogram of x)), as an image of frames by coefficients
    h = block(u ⋆ W)
    h ← block(block(depthwise(h, D)) ⋆ P)        for each layer
    z = mean of h over all places · W + b
    p = softmax(z),  loss = -mean log p[label]
    block(a) = relu(γ (a - mean) / √(variance + ε) + β)
Shapes
    x : (n, t)    sound
    labels : (n,)    the word that is said
    window : (l,)    the window of a frame (spectrogram.py)
    bands : (k, b)    the mel bands of a frequency (mel.py)
    mean : (j, c)    running means; j is 1 + 2 times the number of layers
    variance : (j, c)    running variances
    first : tree    {"W": (r, s, 1, c), "gamma": (c,), "beta": (c,)}
    layers : tree    lists of {"D": (3, 3, c, 1), "P": (c, c), "gamma": (2, c), "beta": (2, c)}
    end : tree    {"W": (c, a), "b": (a,)}
    p : (n, a)    and loss : ()
Source
    Zhang et al. 2017, Hello edge: keyword spotting on microcontrollers, section 4.4. arXiv:1711.07128
    Howard et al. 2017, MobileNets (the layers). arXiv:1704.04861
Choices
    Batch normalisation has its running statistics, as when the network listens, or is tuned further.
    The first convolution has a stride of 2 in time and in coefficients (the small DS-CNN);
    it and the depthwise ones have the zeros of "same".
    Frames overlap by half. ε is 1e-3 (Keras). The loss is taken from z, not from p.
    Conditioning of keyword-spotting/*/gradient.* up to 17: the gradient of the sound is a sum over all
    frequencies, whose small powers have a steep logarithm, and others are sums over places, in any order.
"""

import numpy as np

from reference.activation import relu, relu_vjp, softmax, softmax_vjp
from reference.batch_norm import batch_norm_inference, batch_norm_inference_vjp
from reference.convolution import conv2d, conv2d_vjp
from reference.linear import linear, linear_vjp
from reference.loss import sparse_cross_entropy, sparse_cross_entropy_vjp
from reference.mel import cepstrum, cepstrum_vjp, log_mel, log_mel_vjp
from reference.separable import depthwise_conv2d, depthwise_conv2d_vjp
from reference.spectrogram import spectrogram, spectrogram_vjp

EPS, SHIFT = 1e-3, 0.5
FIRST, SAME = {"stride": 2, "padding": "same"}, {"padding": "same"}


def keyword_spotting(x, labels, window, bands, mean, variance, first, layers, end, *, keep=10):
    z = _forward(features(x, window, bands, keep=keep)[-1], mean, variance, first, layers, end)[-1]
    return {"p": softmax(z), "loss": sparse_cross_entropy(z, labels)}


def features(x, window, bands, *, keep=10):
    """The power, its logarithms in mel bands, and the cepstrum as images : (n, f, keep, 1)."""
    power = spectrogram(x, window, shift=SHIFT)["power"]
    y = log_mel(power, bands)
    return power, y, cepstrum(y, keep=keep)[..., None]


def keyword_spotting_vjp(dy, x, labels, window, bands, mean, variance, first, layers, end, *, keep=10):
    """From the scores through the network, then through the features to the sound."""
    power, y, images = features(x, window, bands, keep=keep)
    steps, h, pooled, z = _forward(images, mean, variance, first, layers, end)
    dz = softmax_vjp(dy["p"], z)["x"] + sparse_cross_entropy_vjp(dy["loss"], z, labels)["z"]
    dend = linear_vjp(dz, pooled, **end)
    dh = np.broadcast_to(dend.pop("x")[:, None, None] / (h.shape[1] * h.shape[2]), h.shape)
    dlayers = []
    for layer in reversed(layers):
        du, point = _block_vjp(dh, steps.pop())
        d = conv2d_vjp(du, point["x"], layer["P"][None, None])
        du, deep = _block_vjp(d["x"], steps.pop())
        dd = depthwise_conv2d_vjp(du, deep["x"], layer["D"], **SAME)
        both = {name: np.stack([deep[name], point[name]]) for name in ("gamma", "beta")}
        dlayers.insert(0, {"D": dd["W"], "P": d["W"][0, 0]} | both)
        dh = dd["x"]
    du, found = _block_vjp(dh, steps.pop())
    d = conv2d_vjp(du, images, first["W"], **FIRST)
    dfirst = {"W": d["W"], "gamma": found["gamma"], "beta": found["beta"]}
    dlog = cepstrum_vjp(d["x"][..., 0], y, keep=keep)["y"]
    dpower = log_mel_vjp(dlog, power, bands)["power"]
    none = np.zeros_like(power)
    dx = spectrogram_vjp({"real": none, "imag": none, "power": dpower}, x, window, shift=SHIFT)
    return dx | {"first": dfirst, "layers": dlayers, "end": dend}


def _forward(images, mean, variance, first, layers, end):
    """What the gradient of each block needs, then h, its mean, and z."""
    steps, count = [], iter(range(len(mean)))

    def block(x, u, gamma, beta):
        """relu of the normalised u, which is a convolution of x."""
        at = next(count)
        how = u, mean[at], variance[at], gamma, beta
        a = batch_norm_inference(*how, eps=EPS)
        steps.append((x, how, a))
        return relu(a)

    h = block(images, conv2d(images, first["W"], **FIRST), first["gamma"], first["beta"])  # (n, p, q, c)
    for layer in layers:
        (g, k), (b, d) = layer["gamma"], layer["beta"]
        h = block(h, depthwise_conv2d(h, layer["D"], **SAME), g, b)
        h = block(h, conv2d(h, layer["P"][None, None]), k, d)
    pooled = np.mean(h, axis=(1, 2))  # (n, c)
    return steps, h, pooled, linear(pooled, **end)


def _block_vjp(dh, step):
    """The gradient of the convolution, and of γ and β; with them the x that it was taken of."""
    x, how, a = step
    d = batch_norm_inference_vjp(relu_vjp(dh, a)["x"], *how, eps=EPS)
    return d["x"], {"x": x, "gamma": d["gamma"], "beta": d["beta"]}
