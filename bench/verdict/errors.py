"""The error of each element over its limit, and the statistics of a tensor."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.noise import FULL, precision
from bench.tolerance.limit import Array, Expectation, fixed_by_formula, limit_of, nearest
from bench.tolerance.spread import Expected

GATE = 2.0  # the largest rms error allowed, in units of the rms of the widest draw
PART = 2**15  # elements whose statistics are taken at once
FEW = 30  # with this many effective elements or fewer, a tensor scatters too much for the gate


@dataclass(frozen=True)
class Tensor:
    """The errors of one tensor over its limits."""

    name: str
    got: Array
    value: Array
    worst: float  # the largest error over its limit
    at: int  # the element that has it, counted as in a flat array
    outside: int  # elements outside their limits
    count: float  # effective number of elements in the ratio
    ratio: float  # rms error over the rms of the widest draw
    limit: float  # rms of the limit
    size: float  # rms of the value
    squares: float  # sum of squares of error over spread per unit roundoff
    counted: int  # elements that have such a spread
    far: Array  # of each element outside its limit, the error in the unit of `unit`

    @property
    def drifts(self) -> bool:
        return self.count > FEW and self.ratio > GATE

    @property
    def fails(self) -> bool:
        return bool(self.outside) or self.drifts


def measured(got: Mapping[str, Array], expected: Expectation, dtype: object) -> list[Tensor]:
    count = sum(one.value.size for one in expected.values())
    return [errors_of(name, got[name], one, count, dtype) for name, one in expected.items()]


def errors_of(name: str, got: Array, one: Expected, elements: int, dtype: object) -> Tensor:
    """The errors of a tensor of a cell that has that many `elements` in all, from parts of it.

    The statistics of a part stay in the CPU's cache.
    """
    if not finite(one.value):  # what has no value has no spread either
        lost = np.isnan(one.value)
        spreads: dict[str, Any] = {
            name: np.where(lost, 0, getattr(one, name)) for name in ("sigma", "sigma1", "jump")
        }
        one = replace(one, **spreads)
    flat = [_flat(each) for each in (got, one.value, one.sigma, one.sigma1, one.jump)]
    widest = one.scatter * float(one.sigma.max(initial=0)) + float(one.jump.max(initial=0))
    parts = []
    for start in range(0, max(one.value.size, 1), PART):
        mine, value, sigma, sigma1, jump = (
            np.asarray(each[start : start + PART], dtype=np.float64) for each in flat
        )
        some = Expected(value, sigma, sigma1, jump, one.scatter, draws=one.draws)
        parts.append(_part(mine, some, elements, dtype, widest or 1.0))
    size = _together(parts, [part.size for part in parts])
    spread = _together(parts, [part.spread for part in parts])
    fourth = _together(parts, [part.fourth for part in parts])
    error = _together(parts, [part.error for part in parts])
    low = max(range(len(parts)), key=lambda number: parts[number].worst)
    far, sigma1, value = (
        np.concatenate([each[place] for each in (part.far for part in parts)]) for place in range(3)
    )
    with np.errstate(all="ignore"):
        alike = (np.float64(fourth) / np.float64(spread) ** 2) ** 2  # 1 if all spreads are the same
        count = one.value.size / alike / (1 + unexplained(one.draws))
        ratio = float(np.float64(error) / (spread * (widest or 1.0))) if error else 0.0
    return Tensor(
        name,
        got,
        one.value,
        parts[low].worst,
        low * PART + parts[low].at,
        far.size,
        float(count),
        ratio,
        limit=_together(parts, [part.limit for part in parts]),
        size=size,
        squares=sum(part.squares for part in parts),
        counted=sum(part.counted for part in parts),
        far=far / unit(far, sigma1, value, size),
    )


def unexplained(draws: int) -> float:
    """The variance of true variances relative to those of a model that is worth so many draws.

    It is the inverse of `bench.tolerance.shared.equal`. Where elements share a spread, a few whose own is
    larger may outweigh the others, and the model does not show which; so fewer elements count.
    """
    if draws >= FULL:
        return 0.0
    inverse = math.sqrt(1.8**2 + 2 * max(draws - 3, 0)) - 1.8  # 1/s, where 0.5/s² + 1.8/s + 3 is `draws`
    return math.expm1(4 / inverse**2) if inverse > 0.1 else math.inf


@dataclass(frozen=True)
class _Part:
    """The statistics of some elements of a tensor: the rms of error, spread, limit and value, and so on."""

    elements: int
    worst: float
    at: int
    error: float
    spread: float  # over the widest
    fourth: float  # the rms of its square
    limit: float
    size: float
    squares: float
    counted: int
    far: tuple[Array, Array, Array]  # error, spread per unit roundoff and value of elements outside


def _part(got: Array, one: Expected, elements: int, dtype: object, widest: float) -> _Part:
    fixed, whole = fixed_by_formula(one), finite(one.value)
    error = _error(got, one, fixed, dtype)
    limit = limit_of(one, fixed, elements, dtype)
    with np.errstate(all="ignore"):
        z = _over(error, limit)
        spread = np.asarray(one.scatter * one.sigma)
        if one.jump.any():
            np.hypot(spread, one.jump, out=spread)
        spread /= widest
        counted = (one.sigma1 > 0) & (one.jump == 0) & (whole or np.isfinite(one.value))
        bits = np.divide(error, one.sigma1, out=np.zeros_like(error), where=counted)
        outside = np.flatnonzero(z > 1)
        far, sigma1, value = (each[outside] for each in (error, one.sigma1, one.value))
    return _Part(
        error.size,
        float(z.max(initial=0)),
        int(np.argmax(z)) if z.size else 0,
        rms(error),
        rms(spread),
        rms(np.square(spread)),
        rms(limit),
        rms(one.value if whole else np.where(np.isfinite(one.value), one.value, 0)),
        _squares(bits),
        int(np.count_nonzero(counted)),
        (far, sigma1, value),
    )


def over_limits(got: Array, one: Expected, elements: int, dtype: object) -> Array:
    """The error of each element over its limit; infinite where there is no distance, or no limit."""
    fixed = fixed_by_formula(one)
    with np.errstate(all="ignore"):
        z = _over(_error(got, one, fixed, dtype), limit_of(one, fixed, elements, dtype))
    return np.where(np.isnan(z), np.inf, z)


def _over(error: Array, limit: Array) -> Array:
    return np.divide(error, limit, out=np.zeros_like(error), where=error != 0)


def _flat(x: Array) -> Array:
    """The elements in a row; a broadcast number stays one."""
    if x.size and not any(x.strides):
        return np.broadcast_to(x.ravel()[:1] if x.size == 1 else x[(0,) * x.ndim], (x.size,))
    return np.ravel(x)


def _together(parts: Sequence[_Part], found: Sequence[float]) -> float:
    """The rms of all parts from the rms of each."""
    shares = np.array([part.elements for part in parts]) / max(sum(part.elements for part in parts), 1)
    return rms(np.array(found) * np.sqrt(shares * len(parts)))


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
