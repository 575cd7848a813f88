"""Rules for elementwise functions."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from bench.noise.array import Noisy, Rule, exact, noisy, pack, rows, rule, rules, spread_out
from bench.noise.bits import is_power_of_two
from bench.noise.rounding import current

# The rms error in half ulps (a correctly rounded value has 0.58) of the least accurate of NumPy 2.4, torch
# 2.13, TensorFlow 2.21 (eager, XLA) and JAX 0.10.2 in float32 and float64, over normal and log-normal draws;
# more if single errors are large. A function that was not measured has the largest value.
_WORST_LIBM = 2.4
_LIBM: dict[np.ufunc, float] = {
    **{np.exp: 1.2, np.exp2: 1.2, np.expm1: 1.4, np.log: 0.8, np.log2: 0.8, np.log10: 0.8, np.log1p: 1.5},
    **{np.sin: 0.8, np.cos: 0.8, np.arctan: 1.3, np.sinh: 2.2, np.cosh: 2.2, np.tanh: 2.0},
    **{np.logaddexp: 1.9, np.logaddexp2: 1.9, special.expit: 2.3, special.erfc: 2.4},
    **dict.fromkeys((np.tan, np.arcsin, np.arccos, np.arctan2, np.hypot, np.cbrt), _WORST_LIBM),
    **dict.fromkeys((np.arcsinh, np.arccosh, np.arctanh, special.log_expit, special.ndtr), _WORST_LIBM),
    **dict.fromkeys((special.xlogy, special.xlog1py), _WORST_LIBM),
}
ULPS: dict[np.ufunc, float] = {
    **dict.fromkeys((np.sqrt, np.square, np.reciprocal), 1.0),
    **{ufunc: np.sqrt(3) * rms for ufunc, rms in _LIBM.items()},
}
ULPS_OF_POWER = 0.9 * np.sqrt(3)
# The erf in torch's GELU is a short rational formula with an absolute error of this many unit roundoffs.
_ERF = 2.8


@rules(np.negative, np.positive, np.absolute, np.fabs, np.maximum, np.minimum, np.fmax, np.fmin)
def selected(ufunc: np.ufunc) -> Rule:
    """The rule of a function that returns one of its operands or its negative: nothing is rounded."""

    def on_records(*inputs: Any) -> Noisy:
        return pack(ufunc(*map(numbers, inputs), order="C"))

    return on_records


def rounded(ufunc: np.ufunc, ulps: float) -> Rule:
    """The rule of a function whose result is rounded once, with an error of up to `ulps` half ulps."""

    def on_records(*inputs: Any) -> Noisy:
        return finish(ufunc(*map(numbers, inputs), order="C"), ulps)

    return on_records


for _ufunc, _ulps in ULPS.items():
    rule(_ufunc)(rounded(_ufunc, _ulps))


@rules(np.add, np.subtract)
def add(ufunc: np.ufunc) -> Rule:
    """The rule of a sum or difference: adding zero is exact."""

    def on_records(a: Any, b: Any) -> Noisy:
        zero = (exact(a) == 0) | (exact(b) == 0)
        return finish(ufunc(numbers(a), numbers(b), order="C"), 1.0, zero)

    return on_records


@rule(np.multiply)
def multiply(a: Any, b: Any) -> Noisy:
    """A product. It is exact if a factor is a power of two or a choice."""
    return finish(np.multiply(numbers(a), numbers(b), order="C"), 1.0, _scales(a) | _scales(b))


@rule(np.divide)
def divide(a: Any, b: Any) -> Noisy:
    """A quotient. For a constant, it may be computed as a product with the rounded inverse."""
    return finish(np.divide(numbers(a), numbers(b, inverted=not noisy(b)), order="C"), 1.0, _scales(b))


@rule(special.erf)
def erf(x: Any) -> Noisy:
    return finish(special.erf(numbers(x)), 1.0, None, np.sqrt(3) * _ERF)


@rule(np.power, np.float_power)
def power(a: Any, b: Any) -> Noisy:
    if noisy(b) or np.ndim(b):
        return rounded(np.power, ULPS_OF_POWER)(a, b)
    if b == 0:
        return pack(np.ones_like(numbers(a)[..., -1:]))  # one number in all rows, and so an exact factor
    y = np.power(numbers(a), b)
    return finish(y, {1: 0.0, 2: 1.0, 0.5: 1.0, -1: 1.0}.get(float(b), ULPS_OF_POWER))


@rule(np.clip)
def clip(a: Any, a_min: Any = None, a_max: Any = None, out: Any = None, **kwargs: Any) -> Any:
    low, high = kwargs.get("min", a_min), kwargs.get("max", a_max)
    a = a if low is None else np.maximum(a, low)
    a = a if high is None else np.minimum(a, high)
    if out is not None:
        out[...] = a
    return a


@rules(np.bitwise_and, np.bitwise_or, np.bitwise_xor, np.invert)
@rules(np.logical_and, np.logical_or, np.logical_xor, np.logical_not)
def logic(ufunc: np.ufunc) -> Rule:
    """The rule of a logical function of choices: nothing is rounded."""

    def on_records(*inputs: Any) -> Noisy:
        operands = [rows(x) for x in inputs]
        if any(x.dtype.kind == "f" for x in operands):
            raise NotImplementedError(
                f"{ufunc.__name__} of rounded values has no rounding rule; compare them first"
            )
        return pack(ufunc(*operands))

    return on_records


@rules(np.isnan, np.isinf, np.isfinite)
def seen(ufunc: np.ufunc) -> Rule:
    """The rule of isnan, isinf and isfinite: the answer of the exact row."""
    return lambda x: ufunc(exact(x))


def numbers(x: Any, *, inverted: bool = False) -> NDArray[Any]:
    values = rows(x, inverted=inverted)
    return values.astype(np.float64) if values.dtype.kind == "b" else values


def finish(y: NDArray[Any], ulps: float, unrounded: Any = None, floor: float = 0.0) -> Noisy:
    """Extend y to all rows and round it, except elements in `unrounded`, which are exact."""
    if y.dtype.kind != "f":
        return pack(y)
    if ulps == 0 or (unrounded is not None and np.all(unrounded)):
        return pack(y)
    if y.shape[-1] != current().layout.rows:
        y = spread_out(y)
    if unrounded is not None and not np.any(unrounded):
        unrounded = None
    current().round(y, ulps, unrounded, floor)
    return pack(y)


def _scales(x: Any) -> Any:
    """A mask of the elements of x whose product with anything is exact."""
    values = rows(x) if noisy(x) else np.asarray(x)[..., None]
    if values.dtype.kind == "b":
        return np.True_
    return is_power_of_two(values[..., 0]) if values.shape[-1] == 1 else np.False_
