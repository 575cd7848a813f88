"""The timed calls of a worker, by name: prepare, sample, measure and drop them.

A worker runs these functions by name, so they take and return built-in types.
"""

from collections.abc import Callable
from time import perf_counter
from typing import Any

from bench.backends import backend
from bench.cells.cell import Cell
from bench.contender.prepare import instance, lost
from bench.speed import clock, peaks
from bench.speed.kept import kept
from bench.store.row import sentence

_CALLS: dict[str, tuple[Cell, clock.Call]] = {}


def ready(cell: dict[str, Any], name: str, anew: bool = True) -> dict[str, Any]:
    """Prepare a timed call under that name; returns its first call and block size, or an error.

    `anew`: without the cache of compiled programs, so that the first call has all that compiling takes.
    """
    wanted = Cell(**cell)
    backend(wanted.backend).compile_anew(anew)

    def prepare() -> dict[str, Any]:
        call = clock.ready(kept(wanted), wanted.unit, wanted.direction)
        _CALLS[name] = wanted, call
        return {"first_call_s": call.first_call_s, "compile_s": call.compile_s, "calls": call.calls}

    found = answer(prepare)
    return _ended(found, wanted)


def _ended(found: dict[str, Any], cell: Cell) -> dict[str, Any]:
    """The answer, marked ``lost`` if the worker can no longer compute."""
    return found | ({"lost": True} if "error" in found and lost(cell) else {})


def sample(name: str, calls: int = 0) -> list[Any]:
    """Time one block, as a `bench.speed.timing.Sample`; `calls` sets the block size from now on."""
    start = perf_counter()
    wanted, call = _CALLS[name]
    if calls and calls != call.calls:
        call.blocks(calls)
    found = clock.sample(call, wanted.direction)
    return list(found._replace(whole=perf_counter() - start))


def settle(name: str, joules: bool = False) -> dict[str, Any]:
    """Time a call on fresh inputs, after its samples; drop it if that fails."""
    wanted, call = _CALLS[name]
    return _kept(name, answer(lambda: clock.settle(call, wanted.unit, wanted.direction, joules)))


def finish(name: str) -> dict[str, Any]:
    """Measure what a timed call needs, while nothing is timed any more; drop it if that fails."""
    wanted, call = _CALLS[name]
    return _kept(name, answer(lambda: clock.finish(call, wanted.unit, wanted.direction)))


def _kept(name: str, found: dict[str, Any]) -> dict[str, Any]:
    wanted, _ = _CALLS[name]
    if "error" in found:
        drop(name)
    return _ended(found, wanted)


def drop(name: str) -> None:
    """Forget a timed call, and free its memory."""
    _CALLS.pop(name, None)


def taken(name: str) -> tuple[Cell, clock.Call]:
    """Remove a timed call and return it with its cell."""
    return _CALLS.pop(name)


def roof(unit: dict[str, Any]) -> dict[str, Any]:
    """The peak rates of a unit's backend on its device in its dtype."""
    cell = Cell(**unit)
    found = peaks.measure(instance(backend(cell.backend), cell.device, cell.dtype), mode=cell.mode)
    return _ended(found, cell)


def answer(what: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """The result of the function, or its exception as a sentence."""
    try:
        return what()
    except Exception as error:
        return {"error": sentence(error)}
