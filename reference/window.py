"""Frames of a signal under a window, which is near zero at both ends.

Formula
    y[n, m] = x[n, m] w[m],  m < l,  with h[m] = sin²(π m / p)
    w = h                      hann: 1/2 - 1/2 cos θ with θ = 2π m / p
    w = 0.08 + 0.92 h          hamming: 0.54 - 0.46 cos θ
    w = 0.36 h + 0.64 h²       blackman: 0.42 - 0.5 cos θ + 0.08 cos 2θ
    w = 2 min(m, p - m) / p    bartlett
    p = l if periodic, else l - 1
    Gradient: dx = dy w.
Shapes
    x : (n, l)    frames
    y : (n, l)
Source
    Harris 1978, On the use of windows for harmonic analysis with the discrete Fourier transform, section V.
Choices
    A periodic window is a symmetric one of l + 1 elements without its last: its copies add up (the default of
    torch and of tf.signal). A symmetric one is NumPy's (jax.numpy, keras.ops).
    Sums of cosines cancel at the ends, where the window is near zero: powers of a sine do not.
    A window of one element is 1.
"""

import numpy as np


def windowed(x, *, kind="hann", periodic=True):
    return x * window(x, kind=kind, periodic=periodic)


def windowed_vjp(dy, x, *, kind="hann", periodic=True):
    return {"x": dy * window(x, kind=kind, periodic=periodic)}


def window(x, *, kind="hann", periodic=True):
    """The window : (l,) for frames x : (..., l), in their dtype."""
    l = x.shape[-1]
    w = np.ones_like(x, shape=(l,))
    if l > 1:
        p = l if periodic else l - 1
        m = np.minimum(np.arange(l), p - np.arange(l))
        w[:] = KINDS[kind](m, p)
    return w


def hann(m, p):
    return np.sin(np.pi * m / p) ** 2


def hamming(m, p):
    return 0.08 + 0.92 * hann(m, p)


def blackman(m, p):
    return hann(m, p) * (0.36 + 0.64 * hann(m, p))


def bartlett(m, p):
    return 2 * m / p


KINDS = {"hann": hann, "hamming": hamming, "blackman": blackman, "bartlett": bartlett}
