"""The order of a run: cells that one call judges are a unit, units that share inputs and limits a group."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from bench import pages
from bench.backends import backend
from bench.cell import Cell


@dataclass
class Unit:
    """Cells that one call judges."""

    cell: Cell
    directions: list[str]
    keep: bool  # it will be timed
    curve: bool
    alone: bool  # two that compute long in threads that spin take ten times as long as one after the other
    state: str = "waiting"


@dataclass
class Group:
    """Units that share inputs and limits."""

    units: list[Unit] = field(default_factory=list)
    state: str = "waiting"


def plan(
    wanted: Sequence[Cell],
    timed: Collection[str],
    curves: Callable[[Cell], bool],
    complete: Callable[[Cell], bool],
) -> list[Group]:
    """The groups to run, in the order of their cells; units whose cells are all complete are left out."""
    units: dict[Cell, Unit] = {}
    for cell in wanted:
        unit = units.setdefault(cell.unit, Unit(cell.unit, [], False, curves(cell), False))
        unit.directions.append(cell.direction)
        unit.keep |= str(cell) in timed
    groups: dict[Any, Group] = {}
    for unit in units.values():
        cell = unit.cell
        large = unit.curve or cell.size != next(iter(pages.case(cell.case).sizes))
        unit.alone = large and backend(cell.backend).spins
        if not all(complete(replace(cell, direction=each)) for each in unit.directions):
            inputs = (cell.case, cell.option, cell.regime, cell.size, cell.dtype, cell.seed)
            groups.setdefault(inputs, Group()).units.append(unit)
    return list(groups.values())
