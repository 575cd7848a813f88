"""Times cells on both sides in fresh processes, in blocks that alternate in random order.

The old side has two processes: the difference between them is what the machine makes of equal ones.
"""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.backends import backend
from bench.cells.cell import Cell
from bench.gate.side import Side
from bench.inputs import lent, shared
from bench.speed.idle import still
from bench.speed.rounds import SAMPLE
from bench.speed.sets import judged
from bench.speed.timing import Sample, Timing
from bench.worker import Died, Worker

READY, OUTPUTS, RECORD = (f"bench.gate.far:{name}" for name in ("ready", "outputs", "record"))
OLD, AGAIN, NEW = range(3)  # the processes of a replicate: two of the old side
ROUNDS, FEWEST, SECONDS = 18, 5, 1.0  # rounds; of slow calls as many as take that long, but `FEWEST`
TIMEOUT = 1800.0

Key = tuple[str, tuple[tuple[str, str], ...]]  # cells with the same share a process


@dataclass(frozen=True)
class Blocks:
    """What one replicate measured of a cell.

    wall, cpu: seconds per call, of shape (3, rounds): of the old side, the old side again, and the new one.
    turn: the place of each block within its round, of the same shape.
    fault: why a process has no valid samples; then the arrays are empty.
    side: the process at fault, OLD or NEW.
    lost: whether it cannot compute at all, and has no outputs either.
    """

    wall: NDArray[np.float64]
    cpu: NDArray[np.float64]
    turn: NDArray[np.int64]
    fault: str = ""
    side: int = OLD
    lost: bool = False


@dataclass(frozen=True)
class Outputs:
    """What a side's timed calls gave: the file, and what `bench.gate.far.outputs` returned; or an error."""

    file: Path
    facts: Mapping[str, Any]

    @property
    def fault(self) -> str:
        return str(self.facts.get("error", ""))

    @property
    def sent(self) -> tuple[str, dict[str, Any]]:
        """As a worker gets them."""
        return str(self.file), dict(self.facts)


@dataclass
class Replicate:
    """One set of fresh processes: the blocks of each cell, and the outputs that were asked for."""

    blocks: dict[Cell, Blocks] = field(default_factory=dict)
    outputs: dict[Cell, dict[int, Outputs]] = field(default_factory=dict)
    records: dict[str, dict[int, Mapping[str, Any]]] = field(default_factory=dict)  # by backend
    seconds: float = 0.0


def key(cell: Cell, threads: int | None) -> Key:
    """What selects the process of a cell: its backend and the environment of its worker."""
    found = backend(cell.backend).environment(threads=threads, dtype=cell.dtype, device=cell.device)
    return cell.backend, tuple(sorted(found.items()))


def replicate(
    cells: Sequence[Cell],
    sides: tuple[Side, Side],
    *,
    threads: int | None,
    seed: int,
    folder: Path | None = None,
    told: Callable[[Cell], None] = lambda cell: None,
) -> Replicate:
    """Time each cell in fresh processes of the old and of the new side.

    `folder` is where outputs are written; None asks for none. ``told(cell)`` is called before each cell.
    """
    start, found, rng = perf_counter(), Replicate(), random.Random(seed)
    groups: dict[Key, list[Cell]] = {}
    for cell in cells:
        groups.setdefault(key(cell, threads), []).append(cell)
    for (name, variables), mine in groups.items():
        with _processes(sides, dict(variables), threads) as workers:
            if isinstance(workers, Blocks):
                found.blocks |= dict.fromkeys(mine, workers)
                continue
            found.records[name] = _records(sides, workers, mine[0])
            for cell in mine:
                told(cell)
                names = [str(cell) + suffix for suffix in ("", " again", "")]
                found.blocks[cell] = _timed(cell, sides, workers, names, rng)
                if folder is not None and not found.blocks[cell].lost:
                    found.outputs[cell] = _outputs(cell, workers, names, folder)
    found.seconds = perf_counter() - start
    return found


def given(cells: Sequence[Cell], side: Side, *, threads: int | None, folder: Path) -> dict[Cell, Outputs]:
    """What blocks of timed calls give on one side; their times are not kept."""
    found = {}
    groups: dict[Key, list[Cell]] = {}
    for cell in cells:
        groups.setdefault(key(cell, threads), []).append(cell)
    for (_, variables), mine in groups.items():
        with ExitStack() as stack:
            worker = side.worker(dict(variables), threads)
            stack.callback(worker.close)
            worker.timeout = TIMEOUT
            for cell in mine:
                answer = _ready(cell, side, worker, str(cell))
                for _ in range(judged(cell) if "error" not in answer else 0):
                    answer = _asked(worker, SAMPLE, str(cell))
                    if isinstance(answer, dict):
                        break
                file = folder / f"{len(list(folder.iterdir()))}.npz"
                failed = isinstance(answer, dict) and "error" in answer
                facts = answer if failed else _asked(worker, OUTPUTS, str(cell), str(file))
                found[cell] = Outputs(file, facts)
    return found


def _ready(cell: Cell, side: Side, worker: Worker, name: str) -> Any:
    there = side.cell(cell)
    keys = {str(shared(there)): each for each in lent(cell, judged(cell)).values()}
    return _asked(worker, READY, asdict(there), name, keys)


def _records(sides: tuple[Side, Side], workers: Sequence[Worker], cell: Cell) -> dict[int, Any]:
    """The environment record of each process; all import the framework at once, which takes seconds."""

    def record(process: int) -> Any:
        return _asked(workers[process], RECORD, asdict(_side(sides, process).cell(cell)))

    with ThreadPoolExecutor(len(workers)) as pool:
        return dict(enumerate(pool.map(record, range(len(workers)))))


def _side(sides: tuple[Side, Side], process: int) -> Side:
    return sides[process == NEW]


@contextmanager
def _processes(
    sides: tuple[Side, Side], environment: Mapping[str, str], threads: int | None
) -> Iterator[list[Worker] | Blocks]:
    """The three processes, which are ended afterwards; or what to say of all their cells."""
    with ExitStack() as stack:
        workers = []
        for process in (OLD, AGAIN, NEW):
            try:
                worker = _side(sides, process).worker(environment, threads)
            except OSError as error:
                yield _none(f"no worker could be started: {error}", process)
                return
            stack.callback(worker.close)
            worker.timeout = TIMEOUT
            workers.append(worker)
        yield workers


def _none(fault: str, process: int, lost: bool = True) -> Blocks:
    nothing = np.empty((3, 0))
    return Blocks(nothing, nothing, nothing.astype(int), fault, NEW if process == NEW else OLD, lost)


def _asked(worker: Worker, function: str, *arguments: Any) -> Any:
    try:
        return worker.request(function, *arguments)
    except Died as error:
        return {"error": str(error)}


def _timed(
    cell: Cell, sides: tuple[Side, Side], workers: Sequence[Worker], names: Sequence[str], rng: random.Random
) -> Blocks:
    """Prepare the cell in each process, then time blocks in rounds, in random order within each round."""
    calls = 1
    for process in rng.sample(range(3), 3):
        answer = _ready(cell, _side(sides, process), workers[process], names[process])
        if "error" in answer:
            return _none(str(answer["error"]), process)
        calls = max(calls, int(answer["calls"]))
    samples: list[dict[int, Sample]] = []
    turns: list[dict[int, int]] = []
    spent, last = 0.0, None
    while len(samples) < FEWEST or (len(samples) < ROUNDS and spent < SECONDS):
        taken, order = dict[int, Sample](), rng.sample(range(3), 3)
        for process in order:
            worker = workers[process]
            if last is not None and last is not worker and last.pid:
                still([last.pid])
            last = worker
            try:
                taken[process] = Sample(*worker.request(SAMPLE, names[process], calls))
            except (Died, TypeError) as error:
                return _none(str(error), process)
        samples.append(taken)
        turns.append({process: place for place, process in enumerate(order)})
        spent += max(each.seconds for each in taken.values()) * calls
    return _blocks(samples, turns, calls)


def _blocks(
    samples: Sequence[Mapping[int, Sample]], turns: Sequence[Mapping[int, int]], calls: int
) -> Blocks:
    for process in range(3):
        mine = [each[process] for each in samples]
        timing = Timing(
            samples=tuple(each.seconds for each in mine),
            residues=tuple(each.residue for each in mine),
            idles=tuple(each.idle for each in mine),
            cpu=tuple(each.cpu for each in mine),
            calls=calls,
            first_call_s=0.0,
            compiled=sum(each.compiled for each in mine),
        )
        if timing.fault:
            return _none(timing.fault, process, lost=False)
    wall, cpu = (
        np.array([[getattr(each[process], name) for each in samples] for process in range(3)])
        for name in ("seconds", "cpu")
    )
    return Blocks(wall, cpu, np.array([[each[process] for each in turns] for process in range(3)]))


def _outputs(cell: Cell, workers: Sequence[Worker], names: Sequence[str], folder: Path) -> dict[int, Outputs]:
    """What the timed calls of both sides gave; they are not timed any more."""
    found = {}
    for process in (OLD, NEW):
        file = folder / f"{len(list(folder.iterdir()))}.npz"
        found[process] = Outputs(file, _asked(workers[process], OUTPUTS, names[process], str(file)))
    return found
