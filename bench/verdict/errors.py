"""The error of each element over its limit, and the statistics of a tensor."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.noise import multiple, precision
from bench.tolerance.limit import Array, Expectation, fixed_by_formula, limit_of, nearest
from bench.tolerance.spread import Expected

GATE = 2.0  # the largest rms error allowed, in units of the rms of the widest draw
FEW = 30  # with this many effective elements or fewer, a tensor scatters too much for the gate


@dataclass(frozen=True)
class Tensor:
    """The errors of one tensor over its limits."""

    name: str
    got: Array
    value: Array
    z: Array  # error over limit
    count: float  # effective number of elements in the ratio
    ratio: float  # rms error over the rms of the widest draw
    limit: float  # rms of the limit
    size: float  # rms of the value
    squares: float  # sum of squares of error over spread per unit roundoff
    counted: int  # elements that have such a spread
    far: Array  # of each element outside its limit, the error in the unit of `unit`

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
        explained = np.float64(rms(spread))
        weights = np.divide(spread, explained, out=spread)
        count = spread.size / np.float64(rms(np.square(weights, out=weights))) ** 2
        ratio = rms(error) / explained if error.any() else 0.0
        counted = (one.sigma1 > 0) & (one.jump == 0) & (whole or np.isfinite(one.value))
        bits = np.divide(error, one.sigma1, out=np.zeros_like(error), where=counted)
        size = rms(one.value if whole else np.where(np.isfinite(one.value), one.value, 0))
        outside = np.flatnonzero(z > 1)
        far, sigma1, value = (np.ravel(each)[outside] for each in (error, one.sigma1, one.value))
        far = far / unit(far, sigma1, value, size)
    return Tensor(
        name,
        got,
        one.value,
        z,
        float(count),
        float(ratio),
        limit=rms(limit),
        size=size,
        squares=_squares(bits),
        counted=int(np.count_nonzero(counted)),
        far=far,
    )


def unit(error: Array, sigma1: Array, value: Array, size: float) -> Array:
    """The unit of an element's error that gives its bits: -log2(error / unit).

    It is the spread per unit roundoff, which is about |value| for one rounding. So where rounding moves
    nothing it is |value|, for a value of zero the rms of its tensor, `size`, and in a tensor of zeros the
    error itself, which leaves no bits.
    """
    return np.where(sigma1 > 0, sigma1, np.where(value != 0, np.abs(value), size or error))


def finite(x: Array) -> bool:
    """Whether all elements are finite, without a temporary array."""
    return bool(np.isfinite(x.min(initial=0)) and np.isfinite(x.max(initial=0)))


def _error(got: Array, one: Expected, fixed: NDArray[np.bool_], dtype: object) -> Array:
    """|got - value|; zero for equal infinities, for two NaNs, and if either flushed a subnormal to zero."""
    value = nearest(one, fixed, dtype)
    with np.errstate(invalid="ignore"):
        error = np.asarray(got - value)
    np.abs(error, out=error)
    if not finite(error):
        error[(got == value) | (np.isnan(got) & np.isnan(value))] = 0
    error[((got == 0) | (value == 0)) & (error < precision(dtype).tiny)] = 0
    return error


def rms(x: Array) -> float:
    """The rms, scaled by the largest element if squares could overflow or underflow."""
    largest = float(np.maximum(np.abs(x.max(initial=0)), np.abs(x.min(initial=0))))
    if largest == 0 or not np.isfinite(largest):
        return largest
    if not 2.0**-400 < largest < 2.0**400:
        return largest * rms(x / largest)
    return float(np.sqrt(_squares(x) / x.size))


def _squares(x: Array) -> float:
    """The sum of squares, without a temporary array."""
    flat = np.ravel(x, order="K")
    return float(np.einsum("i,i->", flat, flat))
