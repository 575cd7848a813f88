"""What was judged in this process and will be timed: kept where it is small, else built again in its time."""

from typing import Any

from bench.cells.cell import Cell
from bench.contender.prepare import prepared
from bench.inputs import inputs, shared
from bench.speed.work import traffic

MOST = 2**21  # bytes of inputs
_KEPT: dict[str, Any] = {}
_BUILT: dict[str, dict[str, Any]] = {}


def keep(unit: Cell, ready: Any) -> None:
    """Keep what was judged of a unit until it is timed, as far as it is small."""
    given = inputs(unit)
    if traffic(given.weights, given.data) <= MOST:
        _KEPT[str(unit)] = ready


def kept(cell: Cell) -> Any:
    """What was judged; built again where it was large, and where the worker that did it is gone.

    What was built again is kept while inputs are the same, for the other direction.
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
