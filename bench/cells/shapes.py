"""Sizes that no page lists: of one element, of none, with equal or different axes, past kernels' blocks."""

from collections.abc import Iterator, Mapping
from math import prod
from typing import Any
from warnings import catch_warnings

import numpy as np

from bench.case import Case, Option, known
from bench.cells.catalogue import drawn, unfit
from bench.size import first, spelled

PRIMES = (3, 5, 7, 2, 11, 13, 17, 19)
EQUAL = 4
ROWS = tuple(
    sorted({2**k + by for k in range(2, 17) for by in (-1, 0, 1)} | {3 * 2**k + 1 for k in range(3, 15, 3)})
)
WIDTHS = (1023, 2049, 4096, 4097, 5001, 8193)
MOST = 2**22  # of the product of all dimensions
PARTS = ("steps", "layers", "stacks", "depth")  # numbers of parts, which are no lengths


def shapes(case: Case, option: str) -> list[str]:
    """The sizes, by their dimensions, that the reference takes and the page does not list."""
    names = _lengths(case)
    found = (
        {name: 1 for name in names},
        {} if case.training else {name: 0 for name in names[:1]},  # a loss is a mean: of none it has no value
        {name: EQUAL for name in names},
        dict(zip(names, PRIMES, strict=False)),
    )
    return _taken(case, option, found)


def sweeps(case: Case, option: str) -> list[str]:
    """Sizes with many lengths of the first dimension, then of each other one."""
    rows, *others = _lengths(case) or [""]
    found = [{rows: length} for length in ROWS] + [{each: width} for each in others for width in WIDTHS]
    return _taken(case, option, found if rows else ())


def _lengths(case: Case) -> list[str]:
    """The dimensions that are lengths, the number of examples first."""
    names = [name for name, value in first(case).items() if type(value) is int and name not in PARTS]
    return sorted(names, key=lambda name: name != "batch")


def _taken(case: Case, option: str, changes: Any) -> list[str]:
    found: dict[str, None] = {}
    for changed in changes:
        size = {**first(case), **changed}
        if (
            _volume(size) <= MOST
            and size not in case.sizes.values()
            and _takes(case, case.options[option], size)
        ):
            found[spelled(size)] = None
    return [each for each in found if not unfit(case.name, option, each)]


def _volume(size: Mapping[str, Any]) -> int:
    return prod(value for value in size.values() if type(value) is int)


def _takes(case: Case, option: Option, size: Mapping[str, Any]) -> bool:
    """Whether the page and the reference, or its first step, take a size, and every result is a number."""
    try:
        with np.errstate(all="ignore"), catch_warnings(action="ignore"):  # the mean of nothing
            weights, data = drawn(case, option, size)
            return all(np.isfinite(y).all() for y in _results(case, option, weights, data))
    except Exception:  # heads that do not divide the width, a kernel larger than its image
        return False


def _results(case: Case, option: Option, weights: Any, data: Mapping[str, Any]) -> Iterator[Any]:
    if case.step is not None and case.start is not None:
        state = case.start(weights, **known(case.start, option))
        batch = {name: x[0] for name, x in data.items()}
        yield case.step(weights, state, **batch, **known(case.step, option))[2]
    if case.reference is None:
        return
    found = case.reference(**data, **weights, **known(case.reference, option))
    yield from found.values() if isinstance(found, Mapping) else (found,)
