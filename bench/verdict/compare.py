"""Compares outputs with an expectation: does rounding explain every difference, and how many bits agree?"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.noise import precision
from bench.tolerance.limit import Array, Expectation
from bench.verdict.errors import GATE, Tensor, errors_of, finite, measured, rms

_ZERO = 2.0**-40  # a zero by formula is smaller than this, relative to the other tensors, in float64

FEW = 12  # names in a sentence


@dataclass(frozen=True)
class Agreement:
    """The result of `compare`; its fields are columns of a Row."""

    status: str
    why: str = ""
    bits: float | None = None
    z_rms: float | None = None
    z_worst: float | None = None
    worst: str = ""
    got: float | None = None
    expected: float | None = None
    allowed: float | None = None
    undecided: int = 0


def compare(
    got: Mapping[str, NDArray[Any]],
    expected: Expectation,
    *,
    dtype: object,
    worst: Callable[[], Expectation] | None = None,
) -> Agreement:
    """Compare names, shapes, dtypes, NaN and infinities exactly, then each element against its limit.

    `worst` returns the expectation for the worst order of every sum; it is called only if a limit fails.
    """
    undecided = max((one.undecided for one in expected.values()), default=0)
    if fault := next(_faults(got, expected), None):
        return Agreement("disagrees", fault, undecided=undecided)
    # there is no distance: a Limit records infinity
    if fault := next(_misshapen(got, expected), None) or next(_promoted(got, expected, dtype), None):
        return Agreement("disagrees", fault, z_rms=math.inf, undecided=undecided)
    if lost := _lost(expected):
        return Agreement("mistrusted", lost, undecided=undecided)
    wide = {name: np.asarray(got[name]) for name in expected}
    if str(dtype) in ("bfloat16", "float16"):  # which NumPy computes in slowly, or not at all
        wide = {name: array.astype(np.float64) for name, array in wide.items()}
    if fault := next(_specials(wide, expected), None):  # no distance either
        return Agreement("disagrees", fault, z_rms=math.inf, undecided=undecided)
    tensors = measured(wide, expected, dtype)
    low = max(tensors, key=lambda tensor: (tensor.worst, tensor.ratio), default=None)
    if low is None:
        return Agreement("mistrusted", "there is nothing to compare: the reference gives no tensor")
    index = np.unravel_index(low.at, low.value.shape) if low.value.size else ()
    failing = [tensor for tensor in tensors if tensor.fails]
    bits = _lost_bits(failing, dtype) if failing else _bits(tensors, dtype)
    figures: dict[str, Any] = {
        "bits": bits,
        "z_rms": max(tensor.ratio for tensor in tensors),
        "z_worst": low.worst,
        "worst": _at(low.name, index),
        **_there(low, index),
        "undecided": undecided,
    }
    if failing:
        why = _why(low, index, bits, tensors)
        if worst is not None and not any(tensor.fails for tensor in measured(wide, worst(), dtype)):
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


def _there(low: Tensor, index: Any) -> dict[str, float]:
    """What the worst element is, should be, and how far off it may be; without what is not finite."""
    if not low.value.size:
        return {}
    got, value = float(low.got[index]), float(low.value[index])
    found = {"got": got, "expected": value}
    if low.worst:
        found["allowed"] = abs(got - value) / low.worst
    return {name: each for name, each in found.items() if math.isfinite(each)}


def _listed(tensors: Mapping[str, Any]) -> str:
    """The names of the first few tensors, for a sentence."""
    names, more = list(tensors)[:FEW], len(tensors) - FEW
    return ", ".join([*names, *([f"{more} more"] if more > 0 else [])]) or "nothing"


def _faults(got: Mapping[str, NDArray[Any]], expected: Expectation) -> Iterator[str]:
    """Differences in names, which have no tolerance."""
    for name in expected:
        if name not in got:
            yield f"{name} is missing, got {_listed(got)}"
    for name in got:
        if name not in expected:
            yield f"{name} is not among the outputs, should be {_listed(expected)}"


def _misshapen(got: Mapping[str, NDArray[Any]], expected: Expectation) -> Iterator[str]:
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
        if not (finite(got[name]) and finite(one.value)):
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
    """The first element whose spread is not finite, as a sentence: such a spread would accept anything."""
    for name, one in expected.items():
        if np.isfinite(one.sigma.max(initial=0) + one.jump.max(initial=0)):
            continue
        lost = ~np.isfinite(one.sigma + one.jump) & ~np.isnan(one.value)
        if lost.any():
            at = _at(name, np.unravel_index(np.argmax(lost), lost.shape))
            return f"{at} has no limit: rounding alone drives the reference out of range there"
    return ""


def _bits(tensors: list[Tensor], dtype: object) -> float:
    """-log2 of the rms of error over spread per unit roundoff, at most the bits of the dtype."""
    most = float(precision(dtype).bits)
    squares, counted = sum(tensor.squares for tensor in tensors), sum(tensor.counted for tensor in tensors)
    return most if squares == 0 else min(most, -0.5 * float(np.log2(squares / counted)))


def _lost_bits(failing: list[Tensor], dtype: object) -> float:
    """The bits of what fails: -log2 of the rms of error over unit of the elements outside their limits.

    If there are none, it is of all elements of the tensors that drift. It is at most one bit less than the
    dtype has: many right elements, or some without a spread, must not make up for wrong ones.
    """
    far = np.concatenate([tensor.far for tensor in failing])
    most = float(precision(dtype).bits - 1)
    return min(most, -float(np.log2(rms(far)))) if far.size else min(most, _bits(failing, dtype))


def _blind(tensors: list[Tensor], expected: Expectation, dtype: object) -> Tensor | None:
    """A tensor for which zeros would pass, unless it is zero by formula.

    A zero by formula (the gradient of a bias that a softmax cancels) has a limit or a value no larger than
    rounding error relative to the cell's other tensors.
    """
    largest = max(tensor.size for tensor in tensors)
    elements = sum(tensor.value.size for tensor in tensors)
    for tensor in tensors:
        by_formula = tensor.limit <= np.sqrt(precision(dtype).u) * largest or tensor.size <= _ZERO * largest
        if tensor.limit >= tensor.size and not by_formula and np.isfinite(tensor.value).all():
            zeros = np.broadcast_to(np.float64(0), tensor.value.shape)
            if not errors_of(tensor.name, zeros, expected[tensor.name], elements, dtype).fails:
                return tensor
    return None


def _why(low: Tensor, index: Any, bits: float, tensors: list[Tensor]) -> str:
    outside = sum(tensor.outside for tensor in tensors)
    every = sum(tensor.value.size for tensor in tensors)
    if not outside:
        drift = max((tensor for tensor in tensors if tensor.drifts), key=lambda tensor: tensor.ratio)
        return (
            f"{drift.name} is {drift.ratio:.3g} times as far off as rounding explains, should be at most "
            f"{GATE:.0f} (rms over {drift.value.size} elements), {bits:.1f} bits, "
            f"though no element of {every} is outside its limit"
        )
    times = "where rounding moves nothing" if low.worst == np.inf else f"{low.worst:.3g} times its limit"
    return (
        f"{_at(low.name, index)} is {low.got[index]:.9g}, should be {low.value[index]:.9g}: {times}, "
        f"{bits:.1f} bits, {outside} of {every} elements outside"
    )


def _at(name: str, index: Any) -> str:
    name = name or "the output"
    return f"{name}[{', '.join(str(int(i)) for i in index)}]" if len(index) else name
