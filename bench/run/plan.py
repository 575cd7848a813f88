"""The order of a run. One call judges the cells of a unit; the units of a group share inputs and limits."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from bench import pages
from bench.backends import backend
from bench.cells.cell import Cell


@dataclass
class Unit:
    """Cells that one call judges: the directions of one cell."""

    cell: Cell
    directions: list[str]
    keep: bool  # it is timed later
    curve: bool  # it also runs a free training
    state: str = "waiting"

    @property
    def alone(self) -> bool:
        """Whether no other such unit may run beside it: long ones with spinning threads slow down tenfold."""
        return (self.curve or self.large) and backend(self.cell.backend).spins

    @property
    def large(self) -> bool:
        """Whether its size is not the first one of its case."""
        return self.cell.size != next(iter(pages.case(self.cell.case).sizes))


@dataclass
class Group:
    """Units that share inputs and limits."""

    units: list[Unit] = field(default_factory=list)
    state: str = "waiting"

    @property
    def alone(self) -> bool:
        """Whether its limits are large: they take gigabytes, so few are derived at the same time."""
        return self.units[0].large


def plan(
    wanted: Sequence[Cell],
    timed: Collection[str],
    curves: Callable[[Cell], bool],
    complete: Callable[[Cell], bool],
) -> list[Group]:
    """The groups to run, in the order of their cells, without units whose cells are all complete."""
    units: dict[Cell, Unit] = {}
    for cell in wanted:
        unit = units.setdefault(cell.unit, Unit(cell.unit, [], False, curves(cell)))
        unit.directions.append(cell.direction)
        unit.keep |= str(cell) in timed
    groups: dict[Any, Group] = {}
    for unit in units.values():
        cell = unit.cell
        if not all(complete(replace(cell, direction=each)) for each in unit.directions):
            inputs = (cell.case, cell.option, cell.regime, cell.size, cell.dtype, cell.seed)
            groups.setdefault(inputs, Group()).units.append(unit)
    return list(groups.values())
