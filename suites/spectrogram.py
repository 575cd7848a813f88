"""Spectrogram: reference/spectrogram.py against each framework's short-time Fourier transform.

The sound is that of suites/mu_law.py, the window a periodic Hann window, which goes in as an array. "speech"
is a second at 16 kHz in frames of 25 ms, 10 ms apart. Zeros up to the next power of two lie after the frame
(tf.signal, and rfft) or around the window (torch, Keras); each contender has what its API says. Frames of
JAX are its users' indices. The power is the square of |X|, as users write it.
"""

import numpy as np

from gaugeblock import LOW, Case, Contender, Option, Refusal
from reference.spectrogram import spectrogram, spectrogram_vjp
from reference.window import window
from suites.mu_law import RATE, sound


def inputs(rng, *, batch, time, frame, regime="typical", **option):
    x = sound(rng, batch=batch, time=time)
    if regime == "tone":
        turns = rng.integers(1, max(2, frame // 2), size=(batch, 1)) / frame
        x = np.cos(2 * np.pi * turns * np.arange(time))
    if regime == "far-from-zero":
        x = x + 100
    return {}, {"x": x, "window": window(x[0, :frame])}


def sizes(frame, shift=0.4, padded="", **option):
    """The number of samples of a transform, and from one frame to the next."""
    return 2 ** (frame - 1).bit_length() if padded else frame, max(1, int(shift * frame + 0.5))


def in_torch(weights, *, centered=False, sides=1, scale=1, **option):
    import torch

    how = {"center": centered, "onesided": sides == 1, "normalized": scale == "orthonormal"}

    def run(params, x, window):
        N, hop = sizes(len(window), **option)
        X = torch.stft(x, N, hop, len(window), window, return_complex=True, **how).mT
        return {"real": X.real, "imag": X.imag, "power": X.abs() ** 2}

    return {}, run


def in_tensorflow(weights, *, ends=False, **option):
    import tensorflow as tf

    def run(params, x, window):
        N, hop = sizes(len(window), **option)
        X = tf.signal.stft(x, len(window), hop, N, window_fn=lambda n, dtype: window, pad_end=ends)
        return {"real": tf.math.real(X), "imag": tf.math.imag(X), "power": tf.abs(X) ** 2}

    return {}, run


def in_keras(weights, *, centered=False, **option):
    import keras

    def run(params, x, window):
        N, hop = sizes(len(window), **option)
        real, imag = keras.ops.stft(x, len(window), hop, N, window=window, center=centered)
        return {"real": real, "imag": imag, "power": real**2 + imag**2}

    return {}, run


def in_jax(weights, *, centered=False, ends=False, sides=1, scale=1, **option):
    import jax.numpy as jnp

    def run(params, x, window):
        l = len(window)
        N, hop = sizes(l, **option)
        if centered:
            x = jnp.pad(x, ((0, 0), (N // 2, N // 2)), mode="reflect")
        starts = jnp.arange(0, x.shape[1] if ends else x.shape[1] - l + 1, hop)
        x = jnp.pad(x, ((0, 0), (0, l if ends else 0)))
        u = x[:, starts[:, None] + jnp.arange(l)] * window
        transform = jnp.fft.fft if sides == 2 else jnp.fft.rfft
        X = transform(u, N, norm="ortho" if scale == "orthonormal" else None)
        return {"real": X.real, "imag": X.imag, "power": jnp.abs(X) ** 2}

    return {}, run


def in_jax_scipy(weights, *, sides=1, scale="window", **option):
    import jax.numpy as jnp
    from jax.scipy.signal import stft

    def run(params, x, window):
        l = len(window)
        N, hop = sizes(l, **option)
        how = {"return_onesided": sides == 1, "boundary": None, "padded": False}
        _, _, X = stft(x, window=window, nperseg=l, noverlap=l - hop, nfft=N, **how)
        X = jnp.swapaxes(X, 1, 2)
        return {"real": X.real, "imag": X.imag, "power": jnp.abs(X) ** 2}

    return {}, run


OPTIONS: dict[str, Option] = {
    "plain": {},
    "zeros-after": {"padded": "after"},
    "zeros-around": {"padded": "around"},
    "centered": {"centered": True},
    "centered-around": {"centered": True, "padded": "around", "shift": 0.25},
    "apart": {"shift": 1.5},
    "ends": {"ends": True},
    "ends-after": {"ends": True, "padded": "after", "shift": 0.9},
    "two-sided": {"sides": 2},
    "orthonormal": {"scale": "orthonormal"},
    "by-window": {"scale": "window"},
    "by-window-after": {"scale": "window", "padded": "after"},
    "by-window-two-sided": {"scale": "window", "sides": 2},
}
CENTERED = dict.fromkeys(("centered", "centered-around"), "does not reflect the ends of the signal")
ENDS = dict.fromkeys(("ends", "ends-after"), "leaves out frames that do not fit")
AROUND = dict.fromkeys(("zeros-around", "centered-around"), "puts its zeros after the frame")
AFTER = dict.fromkeys(("zeros-after", "ends-after", "by-window-after"), "puts its zeros around the window")
SIDES = dict.fromkeys(("two-sided", "by-window-two-sided"), "gives half of the frequencies")
SCALED = dict.fromkeys((name for name in OPTIONS if name.startswith("by-window")), "does not divide by Σw")
ORTHONORMAL = {"orthonormal": "has no scale"}
UNSCALED = dict.fromkeys((name for name in OPTIONS if not name.startswith("by-window")), "divides by Σw")


def refuses(words, *options):
    """Below float32 no framework has the transform of real numbers."""
    return [Refusal(f"{option}/*/{dtype}/*", words) for option in options or ("*",) for dtype in LOW]


# the parts of a complex result whose axes are exchanged
VIEWS = [Refusal("*/compile/*", "ViewMeta sequence")]
TRACED = [Refusal(f"*/compile/*/{dtype}/*", "with fake tensor") for dtype in LOW]  # refused as it is traced
TORCH = [*TRACED, *refuses("FFT doesn't support"), *VIEWS]
KERAS = refuses("TypeError")
RFFT = "RFFT input must be"
BY_WINDOW = refuses(RFFT, "by-window", "by-window-after")
HALF = (name for name in OPTIONS if name not in {*AROUND, *SCALED, *SIDES})

case = Case(
    name="spectrogram",
    title="Short-time Fourier transform of sound",
    reference=spectrogram,
    gradient=spectrogram_vjp,
    inputs=inputs,
    sizes={
        "small": {"batch": 2, "time": 67, "frame": 12},
        "one": {"batch": 1, "time": 16, "frame": 12},
        "odd": {"batch": 3, "time": 131, "frame": 45},
        "prime": {"batch": 2, "time": 53, "frame": 13},
        "blocks": {"batch": 2, "time": 1600, "frame": 512},
        "speech": {"batch": 4, "time": RATE, "frame": 400},
    },
    options=OPTIONS,
    regimes={
        "typical": "sound that fills the range",
        "tone": "a tone at one of the frequencies, so that sums cancel at most others",
        "far-from-zero": "sound on a constant a hundred times as large, which leaks into low frequencies",
    },
    fixed=("window",),
    minor=True,
    contenders=(
        Contender("torch", "torch.stft", in_torch, AFTER | ENDS | SCALED, refuses=TORCH),
        Contender(
            "tensorflow",
            "tensorflow.signal.stft",
            in_tensorflow,
            AROUND | CENTERED | SIDES | ORTHONORMAL | SCALED,
            refuses=refuses("ValueError"),
        ),
        Contender(
            "tensorflow",
            "keras.ops.stft",
            in_keras,
            AFTER | ENDS | SIDES | ORTHONORMAL | SCALED,
            refuses=refuses("TypeError"),
        ),
        Contender("jax", "jax.numpy.fft.rfft", in_jax, AROUND | SCALED, refuses=refuses(RFFT, *HALF)),
        Contender("jax", "jax.scipy.signal.stft", in_jax_scipy, UNSCALED, refuses=BY_WINDOW),
    ),
    items=lambda *, batch, time, **_: batch * time,
    unit="samples",
    flops=lambda *, batch, time, frame, **option: flops(batch, time, frame, **option),
)


def flops(batch, time, frame, *, centered=False, ends=False, sides=1, **option):
    """5/2 N log₂ N of a real transform, twice that of a complex one, and the window and the power."""
    N, hop = sizes(frame, **option)
    frames = -(-time // hop) if ends else 1 + (time + 2 * (N // 2) * centered - frame) // hop
    return batch * frames * (2.5 * sides * N * np.log2(N) + frame + 3 * (N // 2 + 1))
