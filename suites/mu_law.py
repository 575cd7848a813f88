"""Mu-law companding: samples to codes and codes to samples, μ = 255 and 15.

No framework has it: its users write log1p, expm1 and round, which takes the upper code at silence, because
that is even. Codes go in and come out as whole numbers of the cell's dtype. torchaudio has it, but imports
beside a torch of the same build only, so it is no contender. The sound is synthesised: chirps and noise.
suites/wavenet.py has the same.
"""

import math

import numpy as np

from gaugeblock import Case, Contender
from reference.mu_law import companded

RATE = 16000  # samples per second


def sound(rng, *, batch, time):
    """Three chirps and noise, as loud as 0.9 : (n, t)."""
    seconds = np.arange(time) / RATE
    start, end = rng.uniform(80, 1600, size=(2, batch, 3, 1))  # hertz
    phase, loud = rng.uniform(0, 2 * np.pi, size=(batch, 3, 1)), rng.uniform(0.2, 1, size=(batch, 3, 1))
    turns = start * seconds + (end - start) * seconds**2 / 2  # from start to end in a second
    x = (loud * np.sin(2 * np.pi * turns + phase)).sum(axis=1) + 0.05 * rng.normal(size=(batch, time))
    return 0.9 * x / np.abs(x).max(axis=1, keepdims=True, initial=1e-9)


def inputs(rng, *, batch, time, mu, regime="typical"):
    x = sound(rng, batch=batch, time=time)
    if regime == "quiet":
        x = x / 1024
    if regime == "clipped":
        x = np.clip(np.rint(4 * x) / 2, -1, 1)
    near = mu // 2 if regime == "quiet" else 0  # both sides of silence
    codes = rng.integers(near, mu - near + 1, size=(batch, time))
    return {}, {"x": x, "codes": codes.astype(float)}


def in_torch(weights, *, mu):
    import torch

    def run(params, x, codes):
        F = torch.sign(x) * torch.log1p(mu * torch.abs(x)) / math.log1p(mu)
        y = (2 * codes - mu) / mu
        back = torch.sign(y) * torch.expm1(torch.abs(y) * math.log1p(mu)) / mu
        return {"k": torch.round((F + 1) * (mu / 2)), "x": back}

    return {}, run


def in_tensorflow(weights, *, mu):
    import tensorflow as tf

    def run(params, x, codes):
        F = tf.sign(x) * tf.math.log1p(mu * tf.abs(x)) / math.log1p(mu)
        y = (2 * codes - mu) / mu
        back = tf.sign(y) * tf.math.expm1(tf.abs(y) * math.log1p(mu)) / mu
        return {"k": tf.round((F + 1) * (mu / 2)), "x": back}

    return {}, run


def in_jax(weights, *, mu):
    import jax.numpy as jnp

    def run(params, x, codes):
        F = jnp.sign(x) * jnp.log1p(mu * jnp.abs(x)) / math.log1p(mu)
        y = (2 * codes - mu) / mu
        back = jnp.sign(y) * jnp.expm1(jnp.abs(y) * math.log1p(mu)) / mu
        return {"k": jnp.round((F + 1) * (mu / 2)), "x": back}

    return {}, run


case = Case(
    name="mu-law",
    title="Mu-law companding of sound",
    reference=companded,
    inputs=inputs,
    sizes={
        "small": {"batch": 3, "time": 41},
        "one": {"batch": 1, "time": 1},
        "blocks": {"batch": 2, "time": 1031},
    },
    options={"plain": {"mu": 255}, "four-bits": {"mu": 15}},
    regimes={
        "typical": "sound that fills the range",
        "quiet": "sound near silence, where exp(z) - 1 and 2k/μ - 1 cancel",
        "clipped": "silence and samples of ±1, which lie exactly between and on codes",
    },
    fixed=("codes",),
    minor=True,
    contenders=(
        Contender("torch", "torch.log1p", in_torch),
        Contender("tensorflow", "tensorflow.math.log1p", in_tensorflow),
        Contender("jax", "jax.numpy.log1p", in_jax),
    ),
    items=lambda *, batch, time, **_: batch * time,
    unit="samples",
    flops=lambda *, batch, time, **_: 14 * batch * time,
)
