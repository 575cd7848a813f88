"""Short-time Fourier transform: the spectrum of each frame of a signal, and its power.

Formula
    u[n, f, m] = w[m] x[n, f·hop + m],  m < l
    X[n, f, k] = s Σ_m u[n, f, m] exp(-2πi k m / N),  k = 0 … ⌊N/2⌋
    P = |X|²
    Gradient: the transform is linear, so dx is its transpose; dX[k] + 2 X[k] dP[k] is what comes from above,
    and frames are added where they overlap.
Shapes
    x : (n, t)    signals
    window : (l,)    the window; not differentiated
    real : (n, f, k)    the real part of X
    imag : (n, f, k)    the imaginary part
    power : (n, f, k)    P
Source
    Allen and Rabiner 1977, A unified approach to short-time Fourier analysis and synthesis.
    Bailey 1990, FFTs in external or hierarchical memory (the transform in two steps).
Choices
    `hop` is `shift` windows, to the nearest sample. Frames that do not fit are left out; with `ends`, each
    sample that is a multiple of the hop starts a frame, and there are zeros behind the last sample.
    `padded`: N is the next power of two, and the zeros are "after" the frame (TensorFlow), or "around" the
    window (torch, Keras), whose frames then begin earlier. Otherwise N = l.
    `centered`: the signal is reflected at both ends, N/2 samples of it (the default of torch and Keras).
    `sides` is 2 for all N frequencies. `scale` s is 1, "orthonormal" 1/√N or "window" 1/Σw (SciPy).
    A transform of N = A B samples takes B of A, then A of B: its errors are as small as those of an FFT.
"""

import math

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view


def spectrogram(x, window, *, shift=0.4, padded="", centered=False, ends=False, sides=1, scale=1):
    """{"real", "imag", "power"} of each frame and frequency."""
    w, N, hop = _frame(window, shift, padded)
    frames = sliding_window_view(_ends(x, N, hop, centered, ends, len(w)), len(w), axis=1)[:, ::hop]
    u = np.pad(frames * w, ((0, 0), (0, 0), (0, N - len(w))))  # (n, f, N)
    real, imag = (_scale(window, N, scale) * part for part in fourier(u, N if sides == 2 else N // 2 + 1))
    return {"real": real, "imag": imag, "power": real * real + imag * imag}


def spectrogram_vjp(dy, x, window, *, shift=0.4, padded="", centered=False, ends=False, sides=1, scale=1):
    w, N, hop = _frame(window, shift, padded)
    X = spectrogram(
        x, window, shift=shift, padded=padded, centered=centered, ends=ends, sides=sides, scale=scale
    )
    re, im = (_scale(window, N, scale) * (dy[part] + 2 * X[part] * dy["power"]) for part in ("real", "imag"))
    du = fourier_vjp(re, im, N)[..., : len(w)] * w  # (n, f, l)
    d = np.zeros_like(_ends(x, N, hop, centered, ends, len(w)))
    for f in range(du.shape[1]):
        d[:, f * hop : f * hop + len(w)] += du[:, f]
    t, c = x.shape[1], N // 2
    if not centered:
        return {"x": d[:, :t]}
    dx = d[:, c : c + t]
    dx[:, 1 : c + 1] += d[:, :c][:, ::-1]
    dx[:, t - 1 - c : t - 1] += d[:, c + t :][:, ::-1]
    return {"x": dx}


def fourier(u, bins):
    """The first frequencies of real u : (..., N), as real and imaginary part : (..., bins)."""
    A, B, first, turn, second = _tables(u, u.shape[-1])
    u = u.reshape(*u.shape[:-1], A, B)
    re, im = first[0] @ u, first[1] @ u  # (..., A, B): A frequencies of each B-th sample
    re, im = turn[0] * re - turn[1] * im, turn[0] * im + turn[1] * re
    re, im = re @ second[0] - im @ second[1], im @ second[0] + re @ second[1]
    return tuple(np.swapaxes(each, -1, -2).reshape(*u.shape[:-2], A * B)[..., :bins] for each in (re, im))


def fourier_vjp(dre, dim, N):
    """The gradient of u : (..., N): the same steps with the other sign, last to first."""
    A, B, first, turn, second = _tables(dre, N)
    zeros = ((0, 0),) * (dre.ndim - 1) + ((0, N - dre.shape[-1]),)
    re, im = (np.swapaxes(np.pad(d, zeros).reshape(*d.shape[:-1], B, A), -1, -2) for d in (dre, dim))
    re, im = re @ second[0] + im @ second[1], im @ second[0] - re @ second[1]
    re, im = turn[0] * re + turn[1] * im, turn[0] * im - turn[1] * re
    return (first[0] @ re + first[1] @ im).reshape(*dre.shape[:-1], N)


def _tables(x, N):
    """A and B with A B = N, and exp(-2πi j / ·) of the two steps and between them, as pairs of arrays."""
    A = max(a for a in range(1, math.isqrt(N) + 1) if N % a == 0)
    B = N // A

    def table(rows, columns, n):
        j = np.arange(rows)[:, None] * np.arange(columns) % n
        pair = np.empty_like(x, shape=(2, rows, columns))
        pair[0], pair[1] = circle(-j, n)
        return pair

    return A, B, table(A, A, A), table(A, B, N), table(B, B, B)


def circle(j, n):
    """The cosine and the sine of 2π j / n for whole j, in float64: exact zeros and ones at quarters."""
    quarter, r = np.divmod(4 * j, n)
    c, s = np.cos(np.pi / 2 * r / n), np.sin(np.pi / 2 * r / n)
    return np.choose(quarter % 4, (c, -s, -c, s)), np.choose(quarter % 4, (s, c, -s, -c))


def _frame(window, shift, padded):
    """The window as it lies on the signal, N, and the hop."""
    l = len(window)
    N = 2 ** (l - 1).bit_length() if padded else l
    before = (N - l) // 2
    w = np.pad(window, (before, N - l - before)) if padded == "around" else window
    return w, N, max(1, int(shift * l + 0.5))


def _ends(x, N, hop, centered, ends, l):
    """The signals with what is before and behind them."""
    if centered:
        x = np.concatenate([x[:, N // 2 : 0 : -1], x, x[:, -2 : -2 - N // 2 : -1]], axis=1)
    behind = max(0, (math.ceil(x.shape[1] / hop) - 1) * hop + l - x.shape[1]) if ends else 0
    return np.pad(x, ((0, 0), (0, behind)))


def _scale(window, N, scale):
    return {"orthonormal": 1 / math.sqrt(N), "window": 1 / np.sum(window)}.get(scale, scale)
