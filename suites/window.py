"""Frames under a window: reference/window.py against each framework's windows.

A periodic window (torch's and tf.signal's default) is for spectra; a symmetric one is NumPy's, and the only
one that jax.numpy and keras.ops have. All frameworks take differences of cosines, which lose bits at the
ends, where the window is near zero: suites/limits/window.py.
"""

from gaugeblock import LOW, Case, Contender, Refusal
from reference.window import windowed, windowed_vjp


def inputs(rng, *, rows, frame, **option):
    return {}, {"x": rng.standard_normal((rows, frame))}


def in_torch(weights, *, kind, periodic):
    import torch

    make = getattr(torch, f"{kind}_window")

    def run(params, x):
        return {"y": x * make(x.shape[-1], periodic, dtype=x.dtype, device=x.device)}

    return {}, run


def in_torch_windows(weights, *, kind, periodic):
    import torch

    make = getattr(torch.signal.windows, kind)

    def run(params, x):
        return {"y": x * make(x.shape[-1], sym=not periodic, dtype=x.dtype, device=x.device)}

    return {}, run


def in_tensorflow(weights, *, kind, periodic):
    import tensorflow as tf

    make = getattr(tf.signal, f"{kind}_window")
    return {}, lambda params, x: {"y": x * make(x.shape[-1], periodic, dtype=x.dtype)}


def in_keras(weights, *, kind, periodic):
    import keras

    make = getattr(keras.ops, {"hann": "hanning"}.get(kind, kind))
    return {}, lambda params, x: {"y": x * keras.ops.cast(make(x.shape[-1]), x.dtype)}


def in_jax(weights, *, kind, periodic):
    import jax.numpy as jnp

    make = getattr(jnp, {"hann": "hanning"}.get(kind, kind))
    return {}, lambda params, x: {"y": x * make(x.shape[-1]).astype(x.dtype)}


KINDS = ("hann", "hamming", "blackman", "bartlett")
OPTIONS = {kind: {"kind": kind, "periodic": True} for kind in KINDS}
OPTIONS |= {f"{kind}-symmetric": {"kind": kind, "periodic": False} for kind in KINDS}
SYMMETRIC = dict.fromkeys(KINDS, "gives symmetric windows alone")
COSINES = dict.fromkeys(
    (name for name in OPTIONS if name.startswith(("blackman", "bartlett"))), "is not in tf.signal"
)
# keras.ops.bartlett asks `if x == 0` of a tensor
BRANCHES = [
    Refusal(f"bartlett-symmetric/{mode}/*", "OperatorNotAllowedInGraphError") for mode in ("function", "xla")
]
WIDE = [Refusal(f"*/{dtype}/*", "expects float32 or float64 dtypes") for dtype in LOW]

case = Case(
    name="window",
    title="Frames of a signal under a window",
    reference=windowed,
    gradient=windowed_vjp,
    inputs=inputs,
    sizes={
        "small": {"rows": 3, "frame": 16},
        "one": {"rows": 1, "frame": 1},
        "odd": {"rows": 3, "frame": 45},
        "speech": {"rows": 64, "frame": 400},
    },
    options=OPTIONS,
    minor=True,
    contenders=(
        Contender("torch", "torch.hann_window", in_torch),
        Contender("torch", "torch.signal.windows.hann", in_torch_windows, refuses=WIDE),
        Contender("tensorflow", "tensorflow.signal.hann_window", in_tensorflow, COSINES),
        Contender("tensorflow", "keras.ops.hanning", in_keras, SYMMETRIC, refuses=BRANCHES),
        Contender("jax", "jax.numpy.hanning", in_jax, SYMMETRIC),
    ),
    items=lambda *, rows, frame, **_: rows * frame,
    unit="samples",
    flops=lambda *, rows, frame, **_: rows * frame,
)
