"""Features of speech: log-mel spectrum and mel cepstrum (MFCC), as users of each framework take them.

The bands are triangles in mel (HTK). TensorFlow makes them itself; torch and JAX have none, so their users
bring the matrix, as users of torchaudio and librosa do, and it goes in as an array. torch has no cosine
transform: its users multiply by the matrix too. torchaudio imports beside a torch of the same build only, so
it is no contender.
"""

import numpy as np

from gaugeblock import LOW, Case, Contender, Refusal
from reference.mel import cepstrum, cepstrum_vjp, log_mel, log_mel_vjp, mel_bands
from reference.spectrogram import circle, spectrogram
from reference.window import window
from suites.mu_law import RATE, sound

# a cosine transform takes a complex one, which exists for float32 and float64
TENSORFLOW = [Refusal(f"*/eager/*/{dtype}/*", "must be consistent") for dtype in LOW]
TENSORFLOW += [
    Refusal(f"*/{mode}/*/{dtype}/*", "in user code") for mode in ("function", "xla") for dtype in LOW
]
EDGES = {"low": 20.0, "high": 7600.0}  # hertz


def power_of(rng, batch, frames, frequencies):
    """The power of synthesised sound in frames of 2 (k - 1) samples, which overlap by half : (n, f, k)."""
    l = 2 * (frequencies - 1)
    x = sound(rng, batch=batch, time=l + (frames - 1) * (l // 2))
    return (
        spectrogram(x, window(x[0, :l]), shift=0.5)["power"] if frames else np.zeros((batch, 0, frequencies))
    )


def inputs(rng, *, batch, frames, frequencies, bands, regime="typical", **option):
    power = power_of(rng, batch, frames, frequencies)
    if regime == "silence":
        power = power * 2.0**-20
    return {}, {"power": power, "bands": mel_bands(frequencies, bands, rate=RATE, **EDGES)}


def log_inputs(rng, *, batch, frames, bands, keep=None, regime="typical"):
    power = power_of(rng, batch, frames, 257)
    return {}, {"y": log_mel(power, mel_bands(257, bands, rate=RATE, **EDGES))}


def in_torch(weights, *, eps=1e-6):
    import torch

    return {}, lambda params, power, bands: {"y": torch.log(torch.matmul(power, bands) + eps)}


def in_tensorflow(weights, *, eps=1e-6):
    import tensorflow as tf

    def run(params, power, bands):
        edges = EDGES["low"], EDGES["high"]
        k, b = bands.shape
        M = tf.signal.linear_to_mel_weight_matrix(b, k, RATE, *edges, dtype=power.dtype)
        return {"y": tf.math.log(tf.tensordot(power, M, 1) + eps)}

    return {}, run


def in_jax(weights, *, eps=1e-6):
    import jax.numpy as jnp

    return {}, lambda params, power, bands: {"y": jnp.log(jnp.matmul(power, bands) + eps)}


def cosines(bands, keep=None):
    """The matrix of the cosine transform, for a framework that has none."""
    angle = (2 * np.arange(bands)[:, None] + 1) * np.arange(bands)[:keep]
    return (2 / bands) ** 0.5 * circle(angle, 4 * bands)[0]


def dct_in_torch(weights, *, keep=None):
    import torch

    def run(params, y):
        C = cosines(y.shape[-1], keep)
        return {"y": torch.matmul(y, torch.asarray(C, dtype=y.dtype, device=y.device))}

    return {}, run


def mfcc_in_tensorflow(weights, *, keep=None):
    import tensorflow as tf

    return {}, lambda params, y: {"y": tf.signal.mfccs_from_log_mel_spectrograms(y)[..., :keep]}


def dct_in_tensorflow(weights, *, keep=None):
    import tensorflow as tf

    return {}, lambda params, y: {"y": tf.signal.dct(y, norm=None)[..., :keep] / (2 * y.shape[-1]) ** 0.5}


def dct_in_jax(weights, *, keep=None):
    from jax.scipy.fft import dct

    return {}, lambda params, y: {"y": dct(y)[..., :keep] / (2 * y.shape[-1]) ** 0.5}


cases = (
    Case(
        name="log-mel",
        title="Log-mel spectrum of sound",
        reference=log_mel,
        gradient=log_mel_vjp,
        inputs=inputs,
        sizes={
            "small": {"batch": 2, "frames": 3, "frequencies": 33, "bands": 6},
            "one": {"batch": 1, "frames": 1, "frequencies": 33, "bands": 1},
            "odd": {"batch": 1, "frames": 5, "frequencies": 130, "bands": 23},
            "speech": {"batch": 4, "frames": 98, "frequencies": 257, "bands": 40},
        },
        options={"plain": {}, "small-eps": {"eps": 2.0**-40}},
        regimes={
            "typical": "sound that fills the range",
            "silence": "power near ε, where the logarithm is steep",
        },
        fixed=("bands",),
        minor=True,
        contenders=(
            Contender("torch", "torch.matmul", in_torch),
            Contender("tensorflow", "tensorflow.signal.linear_to_mel_weight_matrix", in_tensorflow),
            Contender("jax", "jax.numpy.matmul", in_jax),
        ),
        items=lambda *, batch, frames, **_: batch * frames,
        unit="frames",
        flops=lambda *, batch, frames, frequencies, bands, **_: (
            batch * frames * bands * (2 * frequencies + 2)
        ),
    ),
    Case(
        name="mel-cepstrum",
        title="Mel cepstrum (MFCC) of log-mel spectra",
        reference=cepstrum,
        gradient=cepstrum_vjp,
        inputs=log_inputs,
        sizes={
            "small": {"batch": 2, "frames": 3, "bands": 14},
            "one": {"batch": 1, "frames": 1, "bands": 1},
            "odd": {"batch": 1, "frames": 5, "bands": 23},
            "speech": {"batch": 4, "frames": 98, "bands": 40},
        },
        options={"thirteen": {"keep": 13}, "all": {"keep": None}},
        regimes={"typical": "logarithms of the power of sound, most of them negative"},
        minor=True,
        contenders=(
            Contender("torch", "torch.matmul", dct_in_torch),
            Contender(
                "tensorflow",
                "tensorflow.signal.mfccs_from_log_mel_spectrograms",
                mfcc_in_tensorflow,
                refuses=TENSORFLOW,
            ),
            Contender("tensorflow", "tensorflow.signal.dct", dct_in_tensorflow, refuses=TENSORFLOW),
            Contender("jax", "jax.scipy.fft.dct", dct_in_jax),
        ),
        items=lambda *, batch, frames, **_: batch * frames,
        unit="frames",
        flops=lambda *, batch, frames, bands, keep=13, **_: (
            2 * batch * frames * bands * min(bands, keep or bands)
        ),
    ),
)
