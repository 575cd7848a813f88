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
from bench.tolerance.expected import Expectation, expectation
from bench.tolerance.limit import margins

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
    expected = _expected(wrong[0][0])
    gave = [_got(failures / folder_name(cell)) for cell, _ in wrong]
    dtype = wrong[0][0].dtype
    if all(gave) and all(_alike(one, other, expected, dtype) for one, other in combinations(gave, 2)):
        return f"{SUSPECT}{_and(families)} with each other"
    return ""


def _and(names: list[str]) -> str:
    return f"{names[0]} agrees" if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]} agree"


def _expected(cell: Cell) -> Expectation:
    return {path: one for path, one in expectation(cell).items() if path.startswith(f"{cell.direction}.")}


def _got(folder: Path) -> dict[str, Any]:
    """The outputs of a failed cell; empty if its folder does not have them."""
    with suppress(Exception), np.load(folder / "got.npz", allow_pickle=False) as arrays:
        return dict(arrays)
    return {}


def _alike(one: Mapping[str, Any], other: Mapping[str, Any], expected: Expectation, dtype: str) -> bool:
    """Whether two contenders agree within twice the limit of each element, which is the limit of both."""
    for name, (should, limit) in margins(expected, dtype).items():
        x, y = (np.asarray(each.get(name, np.empty(0)), np.float64) for each in (one, other))
        if x.shape != y.shape:
            return False
        if x.shape != should.shape:  # both differ from the reference in the same way
            continue
        with np.errstate(invalid="ignore"):
            alike = (x == y) | (np.abs(x - y) <= 2 * limit) | (np.isnan(x) & np.isnan(y))
        if not alike.all():
            return False
    return one.keys() == other.keys()
