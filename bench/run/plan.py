"""The order of a run: cells that one call judges are a unit, units that share inputs and limits a group."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from bench import pages
from bench.backends import backend
from bench.cells.cell import Cell


@dataclass
class Unit:
    """Cells that one call judges."""

    cell: Cell
    directions: list[str]
    keep: bool  # it will be timed
    curve: bool
    state: str = "waiting"

    @property
    def alone(self) -> bool:
        """Two that compute long in threads that spin take ten times as long as one after the other."""
        return (self.curve or self.large) and backend(self.cell.backend).spins

    @property
    def large(self) -> bool:
        """Any size but the first."""
        return self.cell.size != next(iter(pages.case(self.cell.case).sizes))


@dataclass
class Group:
    """Units that share inputs and limits."""

    units: list[Unit] = field(default_factory=list)
    state: str = "waiting"

    @property
    def alone(self) -> bool:
        """Limits of large arrays take gigabytes: they are derived one after the other."""
        return self.units[0].large


def plan(
    wanted: Sequence[Cell],
    timed: Collection[str],
    curves: Callable[[Cell], bool],
    complete: Callable[[Cell], bool],
) -> list[Group]:
    """The groups to run, in the order of their cells; units whose cells are all complete are left out."""
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
