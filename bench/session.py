"""A run of many cells: limits derived and cells judged two at a time, speeds taken one at a time.

Each backend has a worker process of its own. Groups of cells share their inputs: the limits of a
group are derived first, then its cells are judged, page by page, while the next limits are derived.
"""

import random
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from bench.backends import Absent, backend
from bench.cell import Cell
from bench.row import TIMED, Row
from bench.run import judge
from bench.timing import BUDGET, FEWEST, ROUNDS, Timing
from bench.worker import Died, Worker, as_request

SLOTS = 2


@dataclass
class Unit:
    """Cells that one call judges."""

    cell: Cell
    directions: list[str]
    keep: bool  # it will be timed
    curve: bool
    state: str = "waiting"


@dataclass
class Group:
    """Units that share inputs and limits."""

    units: list[Unit] = field(default_factory=list)
    state: str = "waiting"


class Session:
    """Owns the workers and the rows of one run. `row` and `speed` wait for what they return."""

    def __init__(
        self,
        wanted: Sequence[Cell],
        timed: Iterable[Cell],
        curves: Callable[[Cell], bool],
        *,
        threads: int,
        done: Mapping[str, Row],
        finished: Callable[[Row], None],
        drawn: Callable[[dict[str, Any]], None],
    ) -> None:
        self.rows: dict[str, Row] = dict(done)
        self.timings: dict[str, Timing] = {}
        self.threads = threads
        self._timed = {str(cell): cell for cell in timed}
        self._finished, self._drawn = finished, drawn
        self._groups = self._plan(wanted, curves)
        self._workers: dict[tuple[Any, ...], Worker] = {}
        self._busy: set[tuple[Any, ...]] = set()
        self._change = threading.Condition()
        self._stopped = False
        self._fault: BaseException | None = None
        self._slots = [
            threading.Thread(target=self._serve, args=(slot,), daemon=True) for slot in range(SLOTS)
        ]
        for slot in self._slots:
            slot.start()

    def row(self, cell: Cell) -> Row:
        """The cell's verdict, once it is there."""
        with self._change:
            self._change.wait_for(lambda: str(cell) in self.rows or self._stopped)
            return self._settled(cell)

    def speed(self, cell: Cell) -> tuple[Row, Timing | None]:
        """The cell's row with its speed. The first cell of a workload samples all its contenders."""
        with self._change:
            self._change.wait_for(lambda: self._idle() or self._stopped)
            row = self._settled(cell)
        if row.median_s is None and row.status in TIMED and str(cell) not in self.timings:
            self._sample([each for each in self._timed.values() if each.workload == cell.workload])
        return self.rows[str(cell)], self.timings.get(str(cell))

    def close(self) -> None:
        """Stop after the requests under way, and end the workers."""
        with self._change:
            self._stopped = True
            self._change.notify_all()
        for worker in list(self._workers.values()):
            worker.close()

    def _settled(self, cell: Cell) -> Row:
        if str(cell) not in self.rows:
            raise RuntimeError(f"the run stopped before {cell}") from self._fault
        return self.rows[str(cell)]

    def _plan(self, wanted: Sequence[Cell], curves: Callable[[Cell], bool]) -> list[Group]:
        units: dict[Cell, Unit] = {}
        for cell in wanted:
            unit = units.setdefault(cell.unit, Unit(cell.unit, [], False, curves(cell)))
            unit.directions.append(cell.direction)
            unit.keep |= str(cell) in self._timed
        groups: dict[Any, Group] = {}
        for unit in units.values():
            if not all(self._complete(replace(unit.cell, direction=each)) for each in unit.directions):
                cell = unit.cell
                inputs = (cell.case, cell.option, cell.regime, cell.size, cell.dtype, cell.seed)
                groups.setdefault(inputs, Group()).units.append(unit)
        return list(groups.values())

    def _complete(self, cell: Cell) -> bool:
        row = self.rows.get(str(cell))
        timed = str(cell) in self._timed
        return row is not None and (not timed or row.median_s is not None or row.status not in TIMED)

    def _idle(self) -> bool:
        return all(unit.state == "done" for group in self._groups for unit in group.units)

    def _serve(self, slot: int) -> None:
        try:
            self._work(slot)
        except BaseException as fault:  # a fault of ours must end the run, not leave it waiting
            with self._change:
                self._fault, self._stopped = fault, True
                self._change.notify_all()

    def _work(self, slot: int) -> None:
        while True:
            with self._change:
                self._change.wait_for(lambda: self._stopped or self._idle() or self._next(slot) is not None)
                if self._stopped or self._idle():
                    return
                found = self._next(slot)
                assert found is not None
                job, key = found
                job.state = "running"
                self._busy.add(key)
            if isinstance(job, Group):
                self._derive(job, key)
            else:
                self._judge(job, key)
            with self._change:
                job.state = "done"
                self._busy.discard(key)
                self._change.notify_all()

    def _next(self, slot: int) -> tuple[Group | Unit, tuple[Any, ...]] | None:
        for group in self._groups:
            if group.state == "waiting":
                return group, ("limits", slot)
            for unit in group.units if group.state == "done" else ():
                key = self._key(unit.cell)
                if unit.state == "waiting" and key not in self._busy:
                    return unit, key
        return None

    def _key(self, cell: Cell) -> tuple[Any, ...]:
        """Cells of one key share a worker: their environments are the same."""
        variables = backend(cell.backend).environment(
            threads=self.threads, dtype=cell.dtype, device=cell.device
        )
        return (cell.backend, tuple(sorted(variables.items())))

    def _worker(self, key: tuple[Any, ...]) -> Worker:
        if key not in self._workers:
            limits = key[0] == "limits"
            numpy = backend("numpy").environment(threads=1, dtype="", device="cpu")
            self._workers[key] = Worker(numpy if limits else dict(key[1]))
        return self._workers[key]

    def _derive(self, group: Group, key: tuple[Any, ...]) -> None:
        try:
            self._worker(key).request("derive", as_request(group.units[0].cell))
        except Died:
            self._bury(key)  # what went wrong is said by the cells that need these limits

    def _judge(self, unit: Unit, key: tuple[Any, ...]) -> None:
        cell, answer = unit.cell, None
        try:
            backend(cell.backend).installed()
            request = (as_request(cell), unit.directions, unit.keep, unit.curve)
            answer = self._worker(key).request("judge", *request)
            rows = {direction: Row(**row) for direction, row in answer["rows"].items()}
        except Absent:
            rows = dict(judge(cell, unit.directions).rows)
        except Died as error:
            self._bury(key)
            if self._stopped:
                return  # ended by us: no finding about the cell
            rows = {each: failed(replace(cell, direction=each), str(error)) for each in unit.directions}
        with self._change:
            for direction, row in rows.items():
                self._keep(replace(cell, direction=direction), row)
            if answer and answer["curve"]:
                names = ("case", "option", "size", "contender", "backend", "mode", "dtype")
                self._drawn({name: getattr(cell, name) for name in names} | {"loss": answer["curve"]})
            self._change.notify_all()

    def _keep(self, cell: Cell, row: Row) -> None:
        self.rows[str(cell)] = row
        self._finished(row)

    def _bury(self, key: tuple[Any, ...]) -> None:
        if worker := self._workers.pop(key, None):
            worker.close()

    def _sample(self, cells: Sequence[Cell]) -> None:
        """Rounds over all contenders of a workload, in random order inside each round."""
        prepared: dict[str, Any] = {}
        for cell in cells:
            if self.rows[str(cell)].status not in TIMED:
                continue
            answer = self._ask(cell, "ready", as_request(cell))
            if "error" in answer:
                self._keep(cell, replace(self.rows[str(cell)], status="error", why=answer["error"]))
            else:
                prepared[str(cell)] = (cell, answer, [])
        rng = random.Random(0)
        for number in range(ROUNDS):
            for name in rng.sample(list(prepared), len(prepared)):
                cell, answer, samples = prepared[name]
                spent = sum(seconds for seconds, _ in samples) * answer["calls"]
                if number < FEWEST or spent < BUDGET:
                    samples.append(self._ask(cell, "sample", name))
        for name, (cell, answer, samples) in prepared.items():
            self._ask(cell, "forget", name)
            seconds, residues = zip(*samples, strict=True)
            row = self.rows[name]
            first = answer["first_call_s"] if cell.direction == "forward" else row.first_call_s
            timing = Timing(seconds, residues, answer["calls"], first or 0.0)
            self.timings[name] = timing
            self._keep(cell, with_speed(row, cell, timing))

    def _ask(self, cell: Cell, verb: str, *arguments: Any) -> Any:
        return self._worker(self._key(cell)).request(verb, *arguments)


def with_speed(row: Row, cell: Cell, timing: Timing) -> Row:
    """The row with what was timed; an error where reading the result shows that nobody waited."""
    from bench import pages

    if not timing.waited:
        why = f"not waited for: reading one result took {timing.residue_s:.2g} s after the claimed end"
        return replace(row, status="error", why=why)
    case = pages.case(cell.case)
    dims = {**case.sizes[cell.size], **case.options[cell.option]}
    passes = 3 if cell.direction == "gradient" else 1  # a forward pass, and two products for each of its
    flops = passes * float(case.flops(**dims))
    low, high = timing.interval_s
    return replace(
        row,
        first_call_s=timing.first_call_s,
        median_s=timing.median_s,
        low_s=low,
        high_s=high,
        samples=len(timing.samples),
        calls=timing.calls,
        residue_s=timing.residue_s,
        throughput=float(case.items(**dims)) / timing.median_s,
        unit=case.unit,
        flops=flops,
        gflops=flops / timing.median_s / 1e9,
    )


def failed(cell: Cell, why: str) -> Row:
    """The row of a cell whose worker is gone."""
    from dataclasses import asdict

    return Row(**asdict(cell), status="error", why=why, command=cell.command)
