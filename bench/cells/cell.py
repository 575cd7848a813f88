"""A Cell: one set of coordinates in the suite."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from bench import pages
from bench.backends import SHIPPED
from bench.cells.catalogue import listed
from bench.size import corpus, headline, is_spelled

LOW = ("bfloat16", "float16")


@dataclass(frozen=True)
class Cell:
    """The coordinates of a cell. ``run(cell)`` needs nothing else; ``str(cell)`` is its pytest id."""

    case: str
    option: str
    regime: str
    size: str
    contender: str
    backend: str
    mode: str
    device: str
    dtype: str
    direction: str
    seed: int = 0

    def __str__(self) -> str:
        shipped = self.backend in SHIPPED
        who = self.contender if shipped else f"{self.backend.rpartition(':')[2]}:{self.contender}"
        where = (self.case, self.option, self.regime, self.size, who, self.mode, self.device)
        seed = (f"seed-{self.seed}",) if self.seed else ()
        return "/".join((*where, self.dtype, self.direction, *seed))

    @property
    def unit(self) -> "Cell":
        """The cell without its direction: one call gives its outputs and gradients."""
        return replace(self, direction="")

    @property
    def place(self) -> str:
        """The part of its id that selects its inputs: case/option/regime/size."""
        return "/".join((self.case, self.option, self.regime, self.size))

    @property
    def workload(self) -> tuple[Any, ...]:
        """The coordinates that contenders must share to be compared by speed."""
        return (self.case, self.option, self.regime, self.size, self.device, self.dtype, self.direction)

    def command(self, *options: str) -> str:
        """The command that runs this cell again, with the options that its run had for every cell."""
        choices = {name: getattr(self, name) for name in ("backend", "device", "dtype", "mode", "size")}
        if is_spelled(self.size):
            del choices["size"]  # the run below has it
        flags = " ".join(f"--{name} {shlex.quote(value)}" for name, value in choices.items())
        node = shlex.quote(f"suites/test_suites.py::test_agree[{self}]")
        return " ".join((f"pytest {node} {self._run} {flags} --seed {self.seed}", *options))

    @property
    def _run(self) -> str:
        """The option of the runs that have this cell."""
        case = pages.cases().get(self.case)
        if case is None:  # of a row that others made
            return "--full"
        if is_spelled(self.size) and headline(case, self.size):
            return "--growth"
        kept = (self.option, self.regime, self.size) in corpus(case)
        return (
            "--full-inputs" if (is_spelled(self.size) and not kept) or listed(case, self.regime) else "--full"
        )


def cell_of(row: Mapping[str, Any]) -> Cell:
    """The coordinates of a row."""
    return Cell(**{each.name: row[each.name] for each in fields(Cell)})
