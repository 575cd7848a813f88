"""Contenders that were judged in this process and are timed later: small ones are kept, others rebuilt."""

from typing import Any

from bench import pages
from bench.cells.cell import Cell
from bench.contender.prepare import prepared
from bench.inputs import inputs, shared
from bench.size import headline
from bench.speed.work import traffic

MOST = 2**21  # bytes of inputs
_KEPT: dict[str, Any] = {}
_BUILT: dict[str, dict[str, Any]] = {}


def keep(unit: Cell, ready: Any) -> None:
    """Keep a judged contender until it is timed, if its inputs are small, or it takes seconds to build."""
    given = inputs(unit)
    large = headline(pages.case(unit.case), unit.size) is not None
    if large or traffic(given.weights, given.data) <= MOST:
        _KEPT[str(unit)] = ready


def kept(cell: Cell) -> Any:
    """The judged contender; rebuilt if it was large or if the worker that judged it has ended.

    A rebuilt contender is kept for the other direction, until the inputs change.
    """
    name, given = str(cell.unit), str(shared(cell))
    if name in _KEPT:
        return _KEPT[name]
    for other in [each for each in _BUILT if each != given]:
        del _BUILT[other]
    built = _BUILT.setdefault(given, {})
    if name not in built:
        built[name] = prepared(cell.unit)
    return built[name]
