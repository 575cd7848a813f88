"""Judges what both sides gave in the timed calls, here, with one expectation for both.

A known departure has a range, in which the error of another element may hide. So each element of one side is
held against the same element of the other one too.

A worker of this environment runs these functions by name, so they take and return built-in types.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from bench.backends import Backend, backend
from bench.cells.cell import Cell
from bench.contender.prepare import instance
from bench.digits import count
from bench.run.work import plain
from bench.speed.timed import answer
from bench.store.row import TIMED, Row
from bench.tolerance.expected import expectation
from bench.tree import numpy_dtype
from bench.verdict.errors import over_limits
from bench.verdict.row import NEAR, elsewhere, verdict

Outputs = dict[int, dict[str, Any]]  # by set of inputs, then by the path of the tensor
CHANCE = 4.0  # standard deviations of the number of elements whose errors grow by chance


@dataclass(frozen=True)
class Seen:
    """A backend of this process as another environment has it: what that one read back, and its version."""

    engine: Backend
    facts: dict[str, Any]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.engine, name)

    @property
    def version(self) -> str:
        return str(self.facts["version"])

    def release(self, package: str) -> str:
        return str(self.facts["releases"].get(package, ""))

    def threads(self) -> Any:
        return self.facts["threads"]

    def precision_in(self, mode: str) -> Any:
        return self.facts["precision"]

    def isa(self) -> Any:
        return self.facts["isa"]


def judged(cell: dict[str, Any], file: str, facts: dict[str, Any]) -> dict[str, Any]:
    """The row of the outputs in that file, or an error; `facts`: what `bench.gate.far.outputs` returned."""
    return answer(lambda: plain(_judged(Cell(**cell), file, facts).as_dict()))


def _judged(cell: Cell, file: str, facts: dict[str, Any]) -> Row:
    engine: Any = Seen(instance(backend(cell.backend), cell.device, cell.dtype), facts)
    got = _read(file, facts)
    row = verdict(cell.unit, cell.direction, got[0], engine)
    for number in sorted(got)[1:]:
        wrong = elsewhere(cell.unit, cell.direction, got[number], engine, number)
        if wrong and row.status in TIMED:
            row = replace(row, **wrong)
    return replace(
        row, package=facts["package"], package_version=facts["package_version"], judged=str(len(got))
    )


def _read(file: str, facts: Mapping[str, Any]) -> Outputs:
    got: Outputs = {}
    with np.load(file, allow_pickle=False) as found:
        for name in found.files:
            number, _, path = name.partition(".")
            array, dtype = found[name], facts["dtypes"][name]
            same = str(array.dtype) == dtype
            got.setdefault(int(number), {})[path] = array if same else array.view(numpy_dtype(dtype))
    return got


def departed(
    cell: dict[str, Any], accumulator: str, old: tuple[str, dict[str, Any]], new: tuple[str, dict[str, Any]]
) -> dict[str, Any]:
    """Under ``why`` a sentence if elements are further off than they were on the old side; else it is empty.

    `old` and `new`: the file and the facts of each side. An element is further off if its error grew by more
    than `NEAR` limits. Where a departure is as random as rounding, other errors shrink as much in turn: what
    counts is that more grow than chance explains.
    """
    return answer(lambda: {"why": _departed(Cell(**cell), accumulator, _read(*old), _read(*new))})


def _departed(cell: Cell, accumulator: str, old: Outputs, new: Outputs) -> str:
    grew = shrank = 0
    first = ""
    for number in sorted(old.keys() & new.keys()):
        every = expectation(cell, accumulator=accumulator, number=number)
        expected = {path: one for path, one in every.items() if path.startswith(f"{cell.direction}.")}
        elements = sum(one.value.size for one in expected.values())
        for path, one in expected.items():
            if path not in old[number] or path not in new[number]:
                continue  # the verdict says so
            before, after = (np.asarray(each[number][path], dtype=np.float64) for each in (old, new))
            if not before.shape == after.shape == one.value.shape or np.array_equal(before, after):
                continue
            was, now = (over_limits(each, one, elements, cell.dtype) for each in (before, after))
            with np.errstate(invalid="ignore"):  # infinity on both sides is no growth
                growth = now - was
            further = growth > NEAR
            grew += int(np.count_nonzero(further))
            shrank += int(np.count_nonzero(growth < -NEAR))
            if further.any() and not first:
                at = np.unravel_index(np.argmax(further), further.shape)
                place = f"{path}[{', '.join(map(str, map(int, at)))}]" if at else path
                first = (
                    f"{place} was {before[at]:.9g}, is {after[at]:.9g}, should be {one.value[at]:.9g} "
                    f"(set {number})"
                )
    if grew <= shrank + CHANCE * math.sqrt(shrank):
        return ""
    return f"{count(grew, 'element')} further off, {shrank} less: {first}"
