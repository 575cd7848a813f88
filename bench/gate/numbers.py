"""Judges what both sides gave in the timed calls, here, with one expectation for both.

A worker of this environment runs these functions by name, so they take and return built-in types.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from bench.backends import Backend, backend
from bench.cells.cell import Cell
from bench.contender.prepare import instance
from bench.run.work import plain
from bench.speed.timed import answer
from bench.store.row import TIMED, Row
from bench.tree import numpy_dtype
from bench.verdict.row import elsewhere, verdict


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
    got: dict[int, dict[str, Any]] = {}
    with np.load(file, allow_pickle=False) as found:
        for name in found.files:
            number, _, path = name.partition(".")
            array, dtype = found[name], facts["dtypes"][name]
            same = str(array.dtype) == dtype
            got.setdefault(int(number), {})[path] = array if same else array.view(numpy_dtype(dtype))
    row = verdict(cell.unit, cell.direction, got[0], engine)
    for number in sorted(got)[1:]:
        wrong = elsewhere(cell.unit, cell.direction, got[number], engine, number)
        if wrong and row.status in TIMED:
            row = replace(row, **wrong)
    return replace(
        row, package=facts["package"], package_version=facts["package_version"], judged=str(len(got))
    )
