"""The calls that a worker times, each under a name: made ready, sampled, measured, dropped.

A worker runs these functions by their names, so that they take and give built-in types.
"""

from collections.abc import Callable
from typing import Any

from bench.backends import backend
from bench.cells.cell import Cell
from bench.contender.prepare import instance, lost
from bench.speed import clock, peaks
from bench.speed.kept import kept
from bench.store.row import sentence

_CALLS: dict[str, tuple[Cell, clock.Call]] = {}


def ready(cell: dict[str, Any], name: str) -> dict[str, Any]:
    """Prepare one timed call under that name; what went wrong, or its first call and block size."""
    wanted = Cell(**cell)
    backend(wanted.backend).compile_anew(True)

    def prepare() -> dict[str, Any]:
        call = clock.ready(kept(wanted), wanted.unit, wanted.direction)
        _CALLS[name] = wanted, call
        return {"first_call_s": call.first_call_s, "compile_s": call.compile_s, "calls": call.calls}

    found = answer(prepare)
    return _ended(found, wanted)


def _ended(found: dict[str, Any], cell: Cell) -> dict[str, Any]:
    """The answer, which says so where its worker can compute no more."""
    return found | ({"lost": True} if "error" in found and lost(cell) else {})


def sample(name: str, calls: int = 0) -> list[Any]:
    """One block, of `calls` from now on where they are given: see `bench.speed.clock.Sample`."""
    wanted, call = _CALLS[name]
    if calls and calls != call.calls:
        call.blocks(calls)
    return list(clock.sample(call, wanted.direction))


def settle(name: str, joules: bool = False) -> dict[str, Any]:
    """What is measured of a timed call after its samples; where that fails, it is dropped."""
    wanted, call = _CALLS[name]
    found = answer(lambda: clock.settle(call, wanted.unit, wanted.direction, joules))
    if "error" in found:
        drop(name)
    return _ended(found, wanted)


def drop(name: str) -> None:
    """Forget a timed call, and free its memory."""
    _CALLS.pop(name, None)


def taken(name: str) -> tuple[Cell, clock.Call]:
    """A timed call with its cell, and nobody else's from now on."""
    return _CALLS.pop(name)


def roof(unit: dict[str, Any]) -> dict[str, Any]:
    """What a unit's backend reaches at best on its device in its dtype."""
    cell = Cell(**unit)
    found = peaks.measure(instance(backend(cell.backend), cell.device, cell.dtype), mode=cell.mode)
    return _ended(found, cell)


def answer(what: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What that gives, or its error in a sentence."""
    try:
        return what()
    except Exception as error:
        return {"error": sentence(error)}
