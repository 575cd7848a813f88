"""Each element's error against its limit, and what a tensor of them says."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.noise import multiple, precision
from bench.tolerance.limit import Array, Expectation, fixed_by_formula, limit_of, nearest
from bench.tolerance.spread import Expected

GATE = 2.0  # rms of error over that of the widest of the draws
FEW = 30  # a tensor in which no more elements weigh scatters too much for the gate


@dataclass(frozen=True)
class Tensor:
    """One tensor's errors against its limits."""

    name: str
    got: Array
    value: Array
    z: Array  # error over limit
    count: float  # elements that weigh in the ratio
    ratio: float  # rms error over that of the widest of the draws
    limit: float  # rms
    size: float  # rms of the value
    squares: float  # of error over the spread per unit roundoff, summed
    counted: int  # elements that have such a spread

    @property
    def outside(self) -> int:
        return int(np.count_nonzero(self.z > 1))

    @property
    def drifts(self) -> bool:
        return self.count > FEW and self.ratio > GATE

    @property
    def fails(self) -> bool:
        return bool(self.outside) or self.drifts


def measured(got: Mapping[str, Array], expected: Expectation, dtype: object) -> list[Tensor]:
    t = multiple(sum(one.value.size for one in expected.values()))
    return [errors_of(name, got[name], one, t, dtype) for name, one in expected.items()]


def errors_of(name: str, got: Array, one: Expected, t: float, dtype: object) -> Tensor:
    fixed, whole = fixed_by_formula(one), finite(one.value)
    error, limit = _error(got, one, fixed, dtype), limit_of(one, fixed, t, dtype)
    with np.errstate(all="ignore"):
        z = np.divide(error, limit, out=np.zeros_like(error), where=error != 0)
        spread = np.asarray(one.scatter * one.sigma)
        if one.jump.any():
            np.hypot(spread, one.jump, out=spread)
        explained = np.float64(_rms(spread))
        weights = np.divide(spread, explained, out=spread)
        count = spread.size / np.float64(_rms(np.square(weights, out=weights))) ** 2
        ratio = _rms(error) / explained if error.any() else 0.0
        counted = (one.sigma1 > 0) & (one.jump == 0) & (whole or np.isfinite(one.value))
        bits = np.divide(error, one.sigma1, out=np.zeros_like(error), where=counted)
    return Tensor(
        name,
        got,
        one.value,
        z,
        float(count),
        float(ratio),
        limit=_rms(limit),
        size=_rms(one.value if whole else np.where(np.isfinite(one.value), one.value, 0)),
        squares=_squares(bits),
        counted=int(np.count_nonzero(counted)),
    )


def finite(x: Array) -> bool:
    """Whether every element is finite, without a temporary array of that size."""
    return bool(np.isfinite(x.min(initial=0)) and np.isfinite(x.max(initial=0)))


def _error(got: Array, one: Expected, fixed: NDArray[np.bool_], dtype: object) -> Array:
    """|got - value|; zero where both are the same infinity or NaN, and where a subnormal was flushed."""
    value = nearest(one, fixed, dtype)
    with np.errstate(invalid="ignore"):
        error = np.asarray(got - value)
    np.abs(error, out=error)
    if not finite(error):
        error[(got == value) | (np.isnan(got) & np.isnan(value))] = 0
    error[(got == 0) & (error < precision(dtype).tiny)] = 0
    return error


def _rms(x: Array) -> float:
    """Scaled by its largest element where squares could overflow or vanish."""
    largest = float(np.maximum(np.abs(x.max(initial=0)), np.abs(x.min(initial=0))))
    if largest == 0 or not np.isfinite(largest):
        return largest
    if not 2.0**-400 < largest < 2.0**400:
        return largest * _rms(x / largest)
    return float(np.sqrt(_squares(x) / x.size))


def _squares(x: Array) -> float:
    """The sum of squares, without a temporary array of the size of x."""
    flat = np.ravel(x, order="K")
    return float(np.einsum("i,i->", flat, flat))
