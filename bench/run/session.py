"""A run of many cells: limits derived and cells judged side by side, speeds taken one at a time.

Each backend has a worker process of its own. Groups of cells share their inputs: the limits of a group
are derived first, then its cells are judged, page by page, while the next limits are derived. Some slots
begin with the limits of large arrays, of which few have room beside each other. A speed is taken as soon as
its workload is judged and nothing else runs.
"""

import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from typing import Any

import psutil

from bench.backends import TF32, Absent
from bench.cells.cell import Cell
from bench.run.plan import Group, Unit, plan
from bench.run.workers import LIMITS, TIMEOUT, Workers
from bench.speed.attach import ABOVE, with_speeds
from bench.speed.roofline import Roof, roof
from bench.speed.rounds import MOST, ROOF, Sampled, rounds
from bench.speed.timing import Timing
from bench.store.results import Unwritten
from bench.store.row import TIMED, Row, sentence
from bench.verdict.missing import missing
from bench.verdict.row import row_of
from bench.worker import Died

SLOTS = max(2, min(8, (os.cpu_count() or 1) // 2))  # that derive or judge side by side
LOOK = 0.5  # seconds
JUDGES = 2  # of them at most: what is judged has all threads
# that derive large limits, at most: each may take gigabytes
LARGE = max(1, min(SLOTS // 2, psutil.virtual_memory().total // 2**34))
# what a worker is asked for
DERIVE, JUDGE, VERDICT, FINGERPRINT = (
    f"bench.run.work:{name}" for name in ("derive", "judge", "verdict", "fingerprint")
)


class Session:
    """Owns the workers and the rows of one run. `row` and `speed` wait for what they return.

    `threads` is None where each framework is left as it ships, its precision too; `level` is the widest
    instruction set that they may use, the machine's own where it is empty. `options` are those of the command
    line that made every row, and stand in its command.
    """

    def __init__(
        self,
        wanted: Sequence[Cell],
        timed: Iterable[Cell],
        curves: Callable[[Cell], bool],
        *,
        threads: int | None,
        level: str = "",
        timeout: float = TIMEOUT,
        done: Mapping[str, Row],
        finished: Callable[[Row], None],
        drawn: Callable[[dict[str, Any]], None],
        failures: str = "",
        probed: Callable[[Cell], bool] = lambda unit: False,
        fingerprinted: Callable[[dict[str, Any]], None] = lambda found: None,
        sampled: Callable[[Cell, Timing], None] = lambda cell, timing: None,
        roofed: Callable[[dict[str, Any]], None] = lambda found: None,
        rounds: int = MOST,
        joules: bool = False,
        peaks: bool = True,
        options: Sequence[str] = (),
        recorded: Callable[[dict[str, Any]], None] = lambda environment: None,
    ) -> None:
        self.rows: dict[str, Row] = dict(done)
        self.timings: dict[str, Timing] = {}
        self.threads = threads
        self._timed = {str(cell): cell for cell in timed}
        self._finished, self._drawn, self._failures = finished, drawn, failures
        self._probed, self._fingerprinted, self._sampled = probed, fingerprinted, sampled
        self._roofed, self._rounds, self._joules, self._peaks = roofed, rounds, joules, peaks
        self._options, self._recorded = options, recorded
        self._roofs: list[dict[str, Any]] = []
        self._measured: set[tuple[str, ...]] = set()
        self._fingers: set[tuple[str, ...]] = set()
        for cell in wanted:
            if str(cell) not in self.rows and (row := missing(cell)):
                self._keep(cell, row)
        self._groups = plan(wanted, self._timed, curves, self._complete)
        self.workers = Workers(threads, level, timeout)
        self._busy: set[tuple[Any, ...]] = set()
        self._timing = False
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
            self._wait(lambda: str(cell) in self.rows or self._stopped or self._idle())
            return self._settled(cell)

    def speed(self, cell: Cell) -> tuple[Row, Timing | None]:
        """The cell's row with its speed. The first cell of a workload samples all its contenders."""
        rivals = [each for each in self._timed.values() if each.workload == cell.workload]
        with self._change:
            self._wait(
                lambda: all(str(each) in self.rows for each in rivals) or self._stopped or self._idle()
            )
            row = self._settled(cell)
        if row.median_s is None and row.status in TIMED and str(cell) not in self.timings:
            with self._quiet():
                rows = {each: self.rows.get(str(each)) for each in rivals}
                self._time([each for each, found in rows.items() if found and found.status in TIMED])
        return self.rows[str(cell)], self.timings.get(str(cell))

    def _wait(self, until: Callable[[], bool]) -> None:
        """Wait in pieces: a signal that the system gives to another thread is heard between two of them."""
        while not self._change.wait_for(until, LOOK):
            pass

    @contextmanager
    def _quiet(self) -> Iterator[None]:
        """Nothing is derived or judged meanwhile."""
        with self._change:
            self._timing = True
            self._wait(lambda: not self._busy or self._stopped)
        try:
            yield
        finally:
            with self._change:
                self._timing = False
                self._change.notify_all()

    def _time(self, ready: Sequence[Cell]) -> None:
        found = rounds(ready, self.workers.ask, verdict=VERDICT, most=self._rounds, joules=self._joules)
        for each, row in self._proved(ready, found).items():
            timing = None if isinstance(sampled := found[each], str) else sampled[0]
            if timing:  # first, so that whoever goes on with the run has them beside the speed
                self._sampled(each, timing)
            self._keep(each, row)
            if timing and row.median_s is not None:
                self.timings[str(each)] = timing

    def _proved(self, ready: Sequence[Cell], found: Mapping[Cell, Sampled]) -> dict[Cell, Row]:
        """The rows with their speeds. The roof is measured again before anything is said to be above it."""
        before = {each: self.rows[str(each)] for each in ready}
        for again in (False, True):
            measured = [each for each in ready if self._peaks or each.device != "cpu"]  # a GPU takes seconds
            self._measure(measured, again)
            done = with_speeds(before, found, self._roof)
            if not any(row.why.startswith(ABOVE) for row in done.values()):
                break
        return done

    def _roof(self, row: Row) -> Roof | None:
        return roof(self._roofs, row.device, _computed(row), row.threads)

    def _measure(self, ready: Sequence[Cell], again: bool) -> None:
        """What each backend reaches at best, once; on a quiet machine, as the samples are taken."""
        for place, cell in {(each.backend, each.device, _computed(each)): each for each in ready}.items():
            if place in self._measured and not again:
                continue
            self._measured.add(place)
            with suppress(Died):  # its speeds say so
                found = self.workers.ask(cell, ROOF, asdict(cell))
                self._roofs.append(found)
                self._roofed(found)

    def close(self) -> None:
        """Stop after the requests under way, and end the workers."""
        with self._change:
            self._stopped = True
            self._change.notify_all()
        self.workers.close()

    def _settled(self, cell: Cell) -> Row:
        if str(cell) not in self.rows:
            if isinstance(self._fault, Unwritten):
                raise self._fault
            raise RuntimeError(f"the run stopped before {cell}") from self._fault
        return self.rows[str(cell)]

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
                self._change.wait_for(
                    lambda: (
                        self._stopped or self._idle() or (not self._timing and self._next(slot) is not None)
                    )
                )
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
        judged = [unit for group in self._groups for unit in group.units if unit.state == "running"]
        spinning = any(unit.alone for unit in judged)
        deriving = sum(group.state == "running" and group.alone for group in self._groups)
        room = deriving < LARGE
        if slot < LARGE and room:  # large limits have little room beside their like, so that they begin
            for group in self._groups:
                if group.state == "waiting" and group.alone:
                    return group, (LIMITS, slot)
        for group in self._groups:
            if group.state == "waiting" and (room or not group.alone):
                return group, (LIMITS, slot)
            for unit in group.units if group.state == "done" else ():
                if unit.state != "waiting" or (spinning and unit.alone) or len(judged) >= JUDGES:
                    continue
                key = self.workers.key(unit.cell)
                if key not in self._busy:
                    return unit, key
        return None

    def _derive(self, group: Group, key: tuple[Any, ...]) -> None:
        """Twice, since who is killed for want of memory may not be who took it; then no cell tries again.

        What was raised is said by the cells that need these limits.
        """
        for again in (True, False):
            try:
                cell = group.units[0].cell
                self.workers.ready(key, cell).request(DERIVE, asdict(cell))
                return
            except Died as error:
                self.workers.bury(key)
                if self._ended():
                    return
                if not again:
                    self._without_limits(group, str(error))

    def _without_limits(self, group: Group, why: str) -> None:
        with self._change:
            for unit in group.units:
                unit.state = "done"
                for each in unit.directions:
                    cell = replace(unit.cell, direction=each)
                    self._keep(cell, failed(cell, f"limits: {why}"))

    def _ended(self) -> bool:
        """Whether a worker that died was ended by us; what ends them all may be heard of here later."""
        with self._change:
            return self._change.wait_for(lambda: self._stopped, timeout=0.5)

    def _judge(self, unit: Unit, key: tuple[Any, ...]) -> None:
        cell, answer = unit.cell, None
        try:
            fault = self.workers.fault(cell)
            request = (
                asdict(cell), unit.directions, unit.keep, unit.curve, self._failures, list(self._options),
            )  # fmt: skip
            answer = None if fault else self.workers.ready(key, cell).request(JUDGE, *request)
            rows = _all(unit, status="error", why=fault) if fault else _rows(unit, answer)
        except Absent as reason:
            rows = _all(unit, status="absent", why=str(reason))
        except Died as error:
            self.workers.bury(key)
            if self._ended():
                return  # no finding about the cell
            answer, rows = None, _all(unit, status="error", why=str(error))
        with self._change:
            if answer and answer["environment"]:
                self._recorded(answer["environment"])
            for direction, row in rows.items():
                self._keep(replace(cell, direction=direction), row)
            if answer and answer["lost"]:
                self.workers.bury(key)
            if answer and answer["curve"]:
                coordinates = {name: value for name, value in asdict(cell).items() if name != "direction"}
                self._drawn(coordinates | {"loss": answer["curve"]})
            self._change.notify_all()
        # a dtype that is not there has no arithmetic, and asking for it ends the worker with what it keeps
        ran = any(row.status != "absent" for row in rows.values())
        if answer and ran and not answer["lost"] and self._probed(cell):
            self._fingerprint(cell, key)

    def _fingerprint(self, cell: Cell, key: tuple[Any, ...]) -> None:
        """Once for each backend, mode, device and dtype, in the worker that has just judged in it."""
        place = (cell.backend, cell.mode, cell.device, cell.dtype)
        if place in self._fingers:
            return
        self._fingers.add(place)
        try:
            self._fingerprinted(self.workers.ready(key, cell).request(FINGERPRINT, asdict(cell)))
        except Died:
            self.workers.bury(key)  # the cells that follow are asked of a new worker

    def _keep(self, cell: Cell, row: Row) -> None:
        row = replace(row, command=cell.command(*self._options))
        self._finished(row)
        self.rows[str(cell)] = row  # once it is written


def _computed(of: Cell | Row) -> str:
    """What products are computed in: the mode, where it rounds their factors."""
    return TF32 if of.mode == TF32 else of.dtype


def _rows(unit: Unit, answer: Any) -> dict[str, Row]:
    """Those that a worker answered; raises Died for what else a plug-in may have made of it."""
    try:
        rows, *_ = (answer[name] for name in ("rows", "environment", "curve"))
        places = {each: asdict(replace(unit.cell, direction=each)) for each in unit.directions}
        return {each: Row(**rows[each] | place) for each, place in places.items()}
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise Died(f"the worker answered what is no row: {sentence(error)}") from error


def _all(unit: Unit, **found: str) -> dict[str, Row]:
    """One outcome for every direction of a unit that nobody could judge."""
    return {each: row_of(unit.cell, each, **found) for each in unit.directions}


def failed(cell: Cell, why: str) -> Row:
    """The row of a cell whose worker is gone."""
    return row_of(cell.unit, cell.direction, status="error", why=why)
