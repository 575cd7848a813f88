"""Contenders that were judged in this process and are timed later: small ones are kept, others rebuilt."""

from typing import Any

from bench import pages
from bench.cells.cell import Cell
from bench.contender.prepare import prepared
from bench.inputs import inputs, shared
from bench.size import headline
from bench.speed.work import traffic

MOST = 2**21  # bytes of inputs
ROOM = 2**29  # bytes of the inputs of all that are kept: what a framework makes of them is several times that
_KEPT: dict[str, tuple[Any, int]] = {}  # with the bytes of their inputs
_BUILT: dict[str, dict[str, Any]] = {}


def keep(unit: Cell, ready: Any) -> None:
    """Keep a judged contender until it is timed, if its inputs are small, or it takes seconds to build."""
    given = inputs(unit)
    size = traffic(given.weights, given.data)
    room = size + sum(each for _, each in _KEPT.values()) <= ROOM
    if size <= MOST or (room and headline(pages.case(unit.case), unit.size) is not None):
        _KEPT[str(unit)] = ready, size


def kept(cell: Cell) -> Any:
    """The judged contender; rebuilt if it was large or if the worker that judged it has ended.

    A rebuilt contender is kept for the other direction, until the inputs change.
    """
    name, given = str(cell.unit), str(shared(cell))
    if name in _KEPT:
        return _KEPT[name][0]
    for other in [each for each in _BUILT if each != given]:
        del _BUILT[other]
    built = _BUILT.setdefault(given, {})
    if name not in built:
        built[name] = prepared(cell.unit)
    return built[name]
