"""Measures the errors of a framework's elementary functions on a device, in half units in the last place.

The rounding model assumes errors of at most a few half units; where functions are less accurate, its verdicts
are too strict. float32 is compared with float64, and float64 with NumPy's long double.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from bench.backends import Backend, backend
from bench.contender.prepare import instance

Record = dict[str, Any]
Array = Any

BITS = {"float32": 24, "float64": 53}  # of a significand
NUMBERS = 1_000_000
POSITIVE = ("log", "log1p", "sqrt", "rsqrt", "reciprocal", "divide")


def measure(name: str, device: str, dtype: str, numbers: int = NUMBERS) -> list[Record]:
    """One record per function: its rms error, its largest error, and the share of exact results.

    Runs in the backend's worker; raises Absent if the backend is not available. A function that the framework
    does not have is left out.
    """
    engine = instance(backend(name), device, dtype)
    wide = np.longdouble if dtype == "float64" else np.float64
    rng = np.random.default_rng(0)
    usual = rng.standard_normal(numbers).astype(dtype)
    positive, other = (np.exp(scale * rng.standard_normal(numbers)).astype(dtype) for scale in (2, 1))
    found = []
    for operation, call in functions(engine).items():
        given = [positive] if operation in POSITIVE else [usual]
        given += [other] if operation == "divide" else []
        exact = _exact(dtype).get(operation)
        if exact is None:
            continue
        arguments = engine.put({str(n): array for n, array in enumerate(given)})
        got = np.asarray(engine.get({"y": call(*arguments.values())})["y"])
        place = {"backend": name, "device": device, "dtype": dtype, "function": operation}
        found.append(
            {**place, "version": engine.version, **_errors(got, exact(*(x.astype(wide) for x in given)))}
        )
    return found


def functions(engine: Backend) -> Mapping[str, Callable[..., Any]]:
    """The elementary functions of an engine, compiled if its users usually compile."""
    for lineage, made in (("torch", _torch), ("jax", _jax), ("tensorflow", _tensorflow)):
        if lineage in engine.lineage():
            return made()
    return {}


def _torch() -> Mapping[str, Callable[..., Any]]:
    import torch as F

    names = ("exp", "expm1", "tanh", "sigmoid", "erf", "log", "log1p", "sqrt", "rsqrt", "reciprocal")
    return {name: getattr(F, name) for name in names} | {"divide": F.div}


def _jax() -> Mapping[str, Callable[..., Any]]:
    import jax
    import jax.numpy as jnp

    found = {name: getattr(jnp, name) for name in ("exp", "expm1", "tanh", "log", "log1p", "sqrt")}
    found |= {"sigmoid": jax.nn.sigmoid, "erf": jax.scipy.special.erf, "rsqrt": jax.lax.rsqrt}
    found |= {"reciprocal": lambda x: 1 / x, "divide": lambda x, y: x / y}
    return {name: jax.jit(call) for name, call in found.items()}


def _tensorflow() -> Mapping[str, Callable[..., Any]]:
    import tensorflow as tf

    names = (
        "exp",
        "expm1",
        "tanh",
        "sigmoid",
        "erf",
        "log",
        "log1p",
        "sqrt",
        "rsqrt",
        "reciprocal",
        "divide",
    )
    return {name: getattr(tf.math, name) for name in names}


def _exact(dtype: str) -> Mapping[str, Callable[..., Any]]:
    """The same functions in a wider type; erf exists only up to float64."""
    from scipy.special import erf

    found: dict[str, Callable[..., Any]] = {
        "exp": np.exp,
        "expm1": np.expm1,
        "tanh": np.tanh,
        "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
        "log": np.log,
        "log1p": np.log1p,
        "sqrt": np.sqrt,
        "rsqrt": lambda x: 1 / np.sqrt(x),
        "reciprocal": lambda x: 1 / x,
        "divide": lambda x, y: x / y,
    }
    return found | ({"erf": erf} if dtype == "float32" else {})


def _errors(got: Array, exact: Array) -> Record:
    bits = BITS[str(got.dtype)]
    unit = np.ldexp(exact.dtype.type(1), np.frexp(exact)[1] - 1 - bits)  # half a unit in the last place
    errors = np.abs(got.astype(exact.dtype) - exact) / unit
    rms, worst = np.sqrt(np.mean(errors**2)), errors.max()
    return {"rms": float(rms), "worst": float(worst), "exact": float(np.mean(errors == 0))}
