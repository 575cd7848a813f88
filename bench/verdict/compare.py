"""Got against expected: whether rounding explains every difference, and how many bits are right."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.noise import multiple, precision, to_bits
from bench.tolerance.spread import Expected

Array = NDArray[np.float64]
Expectation = Mapping[str, Expected]

GATE = 2.0  # rms of error over that of the widest of the draws
_ZERO = 2.0**-40  # what the reference, in float64, leaves of a zero by formula, beside other tensors
FEW = 30  # a tensor in which no more elements weigh scatters too much for the gate


@dataclass(frozen=True)
class Agreement:
    """What compare returns; the words and columns are those of bench.store.row."""

    status: str
    why: str = ""
    bits: float | None = None
    z_rms: float | None = None
    z_worst: float | None = None
    worst: str = ""
    undecided: int = 0


@dataclass(frozen=True)
class _Tensor:
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


def compare(
    got: Mapping[str, NDArray[Any]],
    expected: Expectation,
    *,
    dtype: object,
    worst: Callable[[], Expectation] | None = None,
) -> Agreement:
    """Names, shapes, dtypes, NaN and infinities exactly; then each element against its derived limit.

    `worst` gives the limits under the worst order of every sum; called only where the derived ones fail.
    """
    undecided = max((one.undecided for one in expected.values()), default=0)
    if fault := next(_faults(got, expected), None):
        return Agreement("disagrees", fault, undecided=undecided)
    if fault := next(_promoted(got, expected, dtype), None):  # no distance, so that a Limit's is infinite too
        return Agreement("disagrees", fault, z_rms=math.inf, undecided=undecided)
    if lost := _lost(expected):
        return Agreement("mistrusted", lost, undecided=undecided)
    wide = {name: np.asarray(got[name]).astype(np.float64) for name in expected}
    if fault := next(_specials(wide, expected), None):  # nor here
        return Agreement("disagrees", fault, z_rms=math.inf, undecided=undecided)
    tensors = _measured(wide, expected, dtype)
    low = max(tensors, key=lambda tensor: (tensor.z.max(initial=0), tensor.ratio), default=None)
    if low is None:
        return Agreement("mistrusted", "there is nothing to compare: the reference gives no tensor")
    index = np.unravel_index(np.argmax(low.z), low.z.shape) if low.z.size else ()
    bits = _bits(tensors, dtype)
    figures: dict[str, Any] = {
        "bits": bits,
        "z_rms": max(tensor.ratio for tensor in tensors),
        "z_worst": float(low.z.max(initial=0)),
        "worst": _at(low.name, index),
        "undecided": undecided,
    }
    failing = [tensor for tensor in tensors if tensor.fails]
    if failing:
        why = _why(low, index, bits, tensors)
        if worst is not None and not any(tensor.fails for tensor in _measured(wide, worst(), dtype)):
            return Agreement("imprecise", f"{why}; inside the worst case of every sum", **figures)
        return Agreement("disagrees", why, **figures)
    blind = _blind(tensors, expected, dtype)
    if blind is not None:
        why = (
            f"{blind.name}: the limit's rms is {blind.limit:.3g}, should be below the value's, "
            f"{blind.size:.3g}: zeros would pass"
        )
        return Agreement("mistrusted", why, **figures)
    return Agreement("agrees", "", **figures)


def margins(expected: Expectation, dtype: object) -> dict[str, tuple[Array, Array]]:
    """By tensor, what each element should be and how far off it may be."""
    t = multiple(sum(one.value.size for one in expected.values()))
    return {
        name: (_nearest(one, fixed := _fixed(one), dtype), _limit(one, fixed, t, dtype))
        for name, one in expected.items()
    }


def _faults(got: Mapping[str, NDArray[Any]], expected: Expectation) -> Iterator[str]:
    """What needs no tolerance."""
    for name in expected:
        if name not in got:
            yield f"{name} is missing, got {', '.join(got) or 'nothing'}"
    for name in got:
        if name not in expected:
            yield f"{name} is not among the outputs, should be {', '.join(expected) or 'nothing'}"
    for name, one in expected.items():
        array = np.asarray(got[name])
        if array.shape != one.value.shape:
            yield f"{name} has shape {array.shape}, should be {one.value.shape}"


def _promoted(got: Mapping[str, NDArray[Any]], expected: Expectation, dtype: object) -> Iterator[str]:
    for name in expected:
        if (found := np.asarray(got[name]).dtype.name) != str(dtype):
            yield f"{name} has dtype {found}, should be {dtype}"


def _specials(got: Mapping[str, Array], expected: Expectation) -> Iterator[str]:
    for name, one in expected.items():
        if not (_finite(got[name]) and _finite(one.value)):
            yield from _special(name, got[name], one.value)


def _special(name: str, got: Array, value: Array) -> Iterator[str]:
    for what, test in (("NaN", np.isnan), ("infinite", np.isinf)):
        wrong = np.asarray(test(got) != test(value))
        if what == "infinite":
            wrong |= test(got) & test(value) & (got != value)
        if wrong.any():
            at = np.unravel_index(np.argmax(wrong), wrong.shape)
            yield (
                f"{_at(name, at)} is {got[at]:.9g}, should be {value[at]:.9g}; {np.count_nonzero(wrong)} of "
                f"{wrong.size} elements differ in what is {what}"
            )


def _lost(expected: Expectation) -> str:
    """A spread that is itself not finite would explain everything, so it explains nothing."""
    for name, one in expected.items():
        if np.isfinite(one.sigma.max(initial=0) + one.jump.max(initial=0)):
            continue
        lost = ~np.isfinite(one.sigma + one.jump) & np.isfinite(one.value)
        if lost.any():
            at = _at(name, np.unravel_index(np.argmax(lost), lost.shape))
            return f"{at} has no limit: rounding alone drives the reference out of range there"
    return ""


def _measured(got: Mapping[str, Array], expected: Expectation, dtype: object) -> list[_Tensor]:
    t = multiple(sum(one.value.size for one in expected.values()))
    return [_tensor(name, got[name], one, t, dtype) for name, one in expected.items()]


def _tensor(name: str, got: Array, one: Expected, t: float, dtype: object) -> _Tensor:
    fixed, whole = _fixed(one), _finite(one.value)
    error, limit = _error(got, one, fixed, dtype), _limit(one, fixed, t, dtype)
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
    return _Tensor(
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


def _finite(x: Array) -> bool:
    """Whether all of it is; without a temporary of its size."""
    return bool(np.isfinite(x.min(initial=0)) and np.isfinite(x.max(initial=0)))


def _fixed(one: Expected) -> NDArray[np.bool_]:
    """What no rounding moves."""
    return np.asarray(~((one.sigma > 0) | (one.jump > 0)))


def _limit(one: Expected, fixed: NDArray[np.bool_], t: float, dtype: object) -> Array:
    limit = np.asarray(t * one.sigma)
    limit += precision(dtype).u * np.abs(one.value)
    limit += one.jump
    limit[fixed] = 0
    return limit


def _nearest(one: Expected, fixed: NDArray[np.bool_], dtype: object) -> Array:
    """The values; what no rounding moves (a constant of the formula) may have more digits than the dtype."""
    if not fixed.any():
        return one.value
    value = np.array(one.value)
    value[fixed] = to_bits(value[fixed], precision(dtype).bits)
    return value


def _error(got: Array, one: Expected, fixed: NDArray[np.bool_], dtype: object) -> Array:
    """|got - value|; zero where both are the same infinity or NaN, and where a subnormal was flushed."""
    value = _nearest(one, fixed, dtype)
    with np.errstate(invalid="ignore"):
        error = np.asarray(got - value)
    np.abs(error, out=error)
    if not _finite(error):
        error[(got == value) | (np.isnan(got) & np.isnan(value))] = 0
    error[(got == 0) & (error < precision(dtype).tiny)] = 0
    return error


def _bits(tensors: list[_Tensor], dtype: object) -> float:
    """-log2 of the rms of error over spread per unit roundoff, at most what the dtype has."""
    most = float(precision(dtype).bits)
    squares, counted = sum(tensor.squares for tensor in tensors), sum(tensor.counted for tensor in tensors)
    return most if squares == 0 else min(most, -0.5 * float(np.log2(squares / counted)))


def _blind(tensors: list[_Tensor], expected: Expectation, dtype: object) -> _Tensor | None:
    """A tensor that zeros would pass for, unless it is a zero by formula.

    Such a zero (the gradient of a bias that a softmax cancels) is known by its limit, or by its value: one of
    them is of the size of rounding beside the cell's other tensors.
    """
    largest = max(tensor.size for tensor in tensors)
    elements = sum(tensor.value.size for tensor in tensors)
    for tensor in tensors:
        by_formula = tensor.limit <= np.sqrt(precision(dtype).u) * largest or tensor.size <= _ZERO * largest
        if tensor.limit >= tensor.size and not by_formula and np.isfinite(tensor.value).all():
            zeros = np.zeros_like(tensor.value)
            if not _tensor(tensor.name, zeros, expected[tensor.name], multiple(elements), dtype).fails:
                return tensor
    return None


def _why(low: _Tensor, index: Any, bits: float, tensors: list[_Tensor]) -> str:
    outside = sum(tensor.outside for tensor in tensors)
    every = sum(tensor.value.size for tensor in tensors)
    if not outside:
        drift = max((tensor for tensor in tensors if tensor.drifts), key=lambda tensor: tensor.ratio)
        return (
            f"{drift.name} is {drift.ratio:.3g} times as far off as rounding explains, should be at most "
            f"{GATE:.0f} (rms over {drift.value.size} elements), {bits:.1f} bits, "
            f"though no element of {every} is outside its limit"
        )
    times = (
        "where rounding moves nothing" if low.z[index] == np.inf else f"{low.z[index]:.3g} times its limit"
    )
    return (
        f"{_at(low.name, index)} is {low.got[index]:.9g}, should be {low.value[index]:.9g}: {times}, "
        f"{bits:.1f} bits, {outside} of {every} elements outside"
    )


def _at(name: str, index: Any) -> str:
    name = name or "the output"
    return f"{name}[{', '.join(str(int(i)) for i in index)}]" if len(index) else name


def _rms(x: Array) -> float:
    """Scaled by its largest element where squares could overflow or vanish."""
    largest = float(np.maximum(np.abs(x.max(initial=0)), np.abs(x.min(initial=0))))
    if largest == 0 or not np.isfinite(largest):
        return largest
    if not 2.0**-400 < largest < 2.0**400:
        return largest * _rms(x / largest)
    return float(np.sqrt(_squares(x) / x.size))


def _squares(x: Array) -> float:
    """Their sum, without a temporary of the size of x."""
    flat = np.ravel(x, order="K")
    return float(np.einsum("i,i->", flat, flat))
