"""Log-mel spectrum and mel cepstrum (MFCC): the power in bands as wide as the ear hears them.

Formula
    mel(f) = 1127 log(1 + f / 700)
    M[k, b] = max(0, min((mel(f_k) - e[b]) / (e[b+1] - e[b]), (e[b+2] - mel(f_k)) / (e[b+2] - e[b+1])))
        with e from mel(low) to mel(high) in equal steps, and f_k = k r / (2 (K - 1))    mel_bands
    y = log(P M + ε)                                                                   log_mel
    c[j] = √(2/B) Σ_b y[b] cos(π j (b + 1/2) / B)                                       cepstrum
    Gradient: dP = (dy / (P M + ε)) Mᵀ, and dy = the transposed sum of cosines.
Shapes
    power : (n, f, k)    the power of K frequencies of each frame, from 0 to half the sampling rate
    bands : (k, b)    the share of each frequency in each band; not differentiated
    y : (n, f, b)    logarithms of the power in B bands
    c : (n, f, j)    the first J coefficients
Source
    Davis and Mermelstein 1980, Comparison of parametric representations for monosyllabic word recognition.
    Young et al., The HTK book, sections 5.4 to 5.6 (the scale, the bands, and the factor √(2/B)).
Choices
    Bands are triangles in mel (HTK, tf.signal); librosa's and torchaudio's are triangles in hertz.
    All coefficients have the factor √(2/B): the first is √2 times that of an orthonormal transform.
    ε is added (TensorFlow's examples); others take the larger of the two. No gradient reaches the bands.
    The first frequency is in no band. There is no lifter and no energy.
"""

import math

import numpy as np

from reference.spectrogram import circle


def mel_bands(frequencies, bands, *, rate, low, high):
    """M : (k, b) in float64, for `frequencies` from 0 to `rate` / 2 hertz."""
    f = rate / 2 / (frequencies - 1) * np.arange(frequencies)[:, None]
    e = np.linspace(mel(low), mel(high), bands + 2)
    rise = (mel(f) - e[:-2]) / (e[1:-1] - e[:-2])
    fall = (e[2:] - mel(f)) / (e[2:] - e[1:-1])
    M = np.maximum(0, np.minimum(rise, fall))
    M[0] = 0
    return M


def mel(hertz):
    return 1127 * np.log1p(np.asarray(hertz) / 700)


def log_mel(power, bands, *, eps=1e-6):
    return np.log(power @ bands + eps)  # (n, f, b)


def log_mel_vjp(dy, power, bands, *, eps=1e-6):
    return {"power": (dy / (power @ bands + eps)) @ bands.T}


def cepstrum(y, *, keep=None):
    return y @ _cosines(y)[:, :keep]  # (n, f, j)


def cepstrum_vjp(dc, y, *, keep=None):
    return {"y": dc @ _cosines(y)[:, :keep].T}


def _cosines(y):
    """√(2/B) cos(π j (b + 1/2) / B) : (b, j)."""
    B = y.shape[-1]
    C = np.empty_like(y, shape=(B, B))
    C[...] = math.sqrt(2 / B) * circle((2 * np.arange(B)[:, None] + 1) * np.arange(B), 4 * B)[0]
    return C
