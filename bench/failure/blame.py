"""Finds whether one framework disagrees alone, or all agree with each other against the reference."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from itertools import combinations, groupby
from pathlib import Path
from typing import Any

import numpy as np

from bench.backends import SHIPPED, lineage
from bench.cells.cell import Cell
from bench.failure.freeze import folder_name
from bench.store.row import Row
from bench.tolerance.expected import expectation
from bench.tolerance.limit import margins
from bench.tree import numpy_dtype

ALONE, SUSPECT = "; only ", "; the reference is suspect: "


def blame(found: Iterable[tuple[Cell, Row]], failures: Path) -> Iterator[tuple[Cell, Row]]:
    """The disagreeing rows of complete runs whose `why` changes because of what other frameworks gave."""

    def workload(pair: tuple[Cell, Row]) -> tuple[Any, ...]:
        return (*pair[0].workload, pair[0].seed)

    judged = [
        pair for pair in found if pair[0].backend != "numpy" and pair[1].status in ("agrees", "disagrees")
    ]
    for _, group in groupby(sorted(judged, key=workload), workload):
        pairs = list(group)
        wrong = [(cell, row) for cell, row in pairs if row.status == "disagrees"]
        right = sorted({family(cell) for cell, row in pairs if row.status == "agrees"})
        said = _said(wrong, right, failures)
        for cell, row in wrong:
            why = row.why.split(ALONE)[0].split(SUSPECT)[0] + said
            if why != row.why:
                yield cell, replace(row, why=why)


def family(cell: Cell) -> str:
    """The framework of a cell's backend; a plug-in that inherits a shipped backend counts as that one."""
    shipped = lineage(cell.backend) & SHIPPED.keys() - {"numpy"}
    return min(shipped, default=cell.backend.rpartition(":")[2])


def _said(wrong: list[tuple[Cell, Row]], right: list[str], failures: Path) -> str:
    families = sorted({family(cell) for cell, _ in wrong})
    if right:
        others = [each for each in right if each not in families]
        return f"{ALONE}{families[0]} disagrees, {_and(others)}" if len(families) == 1 and others else ""
    if len(families) < 2:
        return ""
    if len({row.input_set for _, row in wrong}) > 1:
        return ""
    should = _expected(*wrong[0])
    gave = [_got(failures / folder_name(cell), cell.dtype) for cell, _ in wrong]
    if not all(_comparable(one, should) for one in gave):
        return ""
    alike = all(_alike(one, other, should, times=2) for one, other in combinations(gave, 2))
    # without bits, it is not the values that are wrong in the row: only their shape, or a later call
    unlike = [one for (_, row), one in zip(wrong, gave, strict=True) if row.bits is None]
    if alike and not any(_right(one, should) for one in unlike):
        return f"{SUSPECT}{_and(families)} with each other"
    return ""


def _and(names: list[str]) -> str:
    return f"{names[0]} agrees" if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]} agree"


Margins = Mapping[str, tuple[Any, Any]]  # the value and limit of each element, by tensor


def _expected(cell: Cell, row: Row) -> Margins:
    every = expectation(cell, number=row.input_set or 0)
    return margins(
        {path: one for path, one in every.items() if path.startswith(f"{cell.direction}.")}, cell.dtype
    )


def _got(folder: Path, dtype: str) -> dict[str, Any]:
    """The outputs of a failed cell; empty if its folder does not have them."""
    with suppress(Exception), np.load(folder / "got.npz", allow_pickle=False) as arrays:
        # NumPy keeps the numbers of bfloat16, and not their type
        return {name: y.view(numpy_dtype(dtype)) if y.dtype.kind == "V" else y for name, y in arrays.items()}
    return {}


def _comparable(got: Mapping[str, Any], should: Margins) -> bool:
    """Whether these are outputs of the reference's names and sizes, so that their values can be compared."""
    return got.keys() == should.keys() and all(y.size == should[name][0].size for name, y in got.items())


def _right(got: Mapping[str, Any], should: Margins) -> bool:
    """Whether outputs have the reference's values, in any shape and dtype."""
    values = {name: value for name, (value, _) in should.items()}
    shaped = {name: np.reshape(y, values[name].shape) for name, y in got.items()}
    return _alike(shaped, values, should, times=1)


def _alike(one: Mapping[str, Any], other: Mapping[str, Any], should: Margins, *, times: int) -> bool:
    """Whether two agree within `times` the limit of each element: twice is the limit of two contenders."""
    for name, (value, limit) in should.items():
        if np.shape(one[name]) != np.shape(other[name]):
            return False
        x, y = (np.asarray(each[name], np.float64).reshape(value.shape) for each in (one, other))
        with np.errstate(invalid="ignore"):
            alike = (x == y) | (np.abs(x - y) <= times * limit) | (np.isnan(x) & np.isnan(y))
        if not alike.all():
            return False
    return True
