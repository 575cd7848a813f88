"""Derive limits before a run, in parallel processes: the run finds them in the cache."""

import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass
from pathlib import Path

from bench import pages
from bench.backends import TF32, backend
from bench.cache import folder, told
from bench.cells.cell import LOW, Cell
from bench.inputs import inputs
from bench.machine.malloc import held
from bench.noise import ACCUMULATORS, accumulators
from bench.speed.sets import judged
from bench.store.row import sentence
from bench.tolerance import carried
from bench.tolerance.expected import (
    SHARED,
    common,
    derive_shared,
    expectation,
    key,
    place,
    shares,
    spread_key,
)
from bench.verdict import saboteur
from bench.worker import pool


@dataclass(frozen=True)
class Derived:
    """The limits of a cell that are derived: the seconds it took, and the error (empty if none)."""

    cell: Cell
    accumulator: str
    seconds: float
    fault: str = ""


def wanted(cells: Iterable[Cell]) -> list[tuple[Cell, str]]:
    """All limits that these cells may need, each once: a cell and the dtype of its accumulator."""
    found = (
        (common(cell), accumulator)
        for cell in cells
        for accumulator in accumulators(cell.dtype, tf32=cell.mode == TF32)
    )
    return list(dict.fromkeys(found))


def sets(cell: Cell) -> int:
    """The number of sets of inputs that have limits; where cells are timed, all are judged on them."""
    if pages.case(cell.case).training:
        return 1
    return judged(cell) if shares(cell) else 2


def _files(cell: Cell, accumulator: str) -> list[Path]:
    """Where the cache may have the limits of a cell: its own, or shared ones."""
    name = key(common(cell), False, accumulator)
    return [folder() / f"{kind}{name}.npz" for kind in ("", SHARED)]


def stale(cells: Iterable[Cell]) -> list[tuple[Cell, str]]:
    """The headlines among these cells whose spreads the pages do not carry, or carry from other code."""
    found = dict.fromkeys(common(cell) for cell in cells if shares(cell))
    return [(cell, ACCUMULATORS[cell.dtype]) for cell in found if not _carried(cell, 0)]


def _carried(cell: Cell, number: int) -> bool:
    return bool(carried.load(place(cell, number), spread_key(cell)))


def carry(given: dict[str, str], accumulator: str) -> tuple[float, str]:
    """Derive the spreads of a headline into the files beside the pages, like `one`."""
    cell, start, fault = Cell(**given), time.perf_counter(), ""  # type: ignore[arg-type]
    try:
        with held():
            for number in range(sets(cell)):
                if not number or inputs(cell, number).order is None:
                    found = derive_shared(cell, number)
                    carried.save(place(cell, number), spread_key(cell), found)
    except Exception as error:
        fault = sentence(error)
    return time.perf_counter() - start, fault


def derive(
    limits: Sequence[tuple[Cell, str]],
    processes: int,
    function: Callable[[dict[str, str], str], tuple[float, str]] | None = None,
) -> Iterator[Derived]:
    """Derive these limits into the cache, and yield each one when it is finished."""
    alone = backend("numpy").environment(threads=1, dtype="", device="cpu")
    workers = pool(processes, alone)
    try:
        asked = {workers.submit(function or one, asdict(cell), sums): (cell, sums) for cell, sums in limits}
        for each in as_completed(asked):
            try:
                found = each.result()
            except BrokenProcessPool:
                found = 0.0, "its process was killed, probably because memory ran out; use fewer --processes"
            yield Derived(*asked[each], *found)
    except BaseException:  # a limit takes minutes: an interrupt must not wait for it
        for process in list((workers._processes or {}).values()):
            process.kill()
        raise
    finally:
        workers.shutdown(wait=False, cancel_futures=True)


def one(given: dict[str, str], accumulator: str) -> tuple[float, str]:
    """Derive one cell's limits, in a process of the pool; return the seconds it took and the error."""
    cell, start = Cell(**given), time.perf_counter()  # type: ignore[arg-type]  # the seed is a number
    fault = ""
    if hasattr(os, "nice"):
        os.nice(19)  # processes that judge and time cells have priority
    try:
        with held():
            for number in range(sets(cell)):
                expectation(cell, accumulator=accumulator, number=number)
            if accumulator == accumulators(cell.dtype)[0] and cell.dtype not in LOW:
                for direction in [cell.direction] if cell.direction else pages.case(cell.case).directions:
                    saboteur.passing(cell, direction)
    except Exception as error:
        fault = sentence(error)
    if not fault and not any(file.is_file() for file in _files(cell, accumulator)):
        fault = next(reversed(told().values()), "its limits could not be written to the cache")
    return time.perf_counter() - start, fault
