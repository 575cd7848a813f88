"""A run of many cells: limits are derived and cells judged in parallel; speeds are measured one at a time.

Each backend has its own worker process. The cells of a group share inputs: its limits are derived first, then
its cells are judged, while the limits of the next group are derived. Some slots begin with the limits of
large arrays, because memory allows only a few of them at a time. A speed is measured when its whole workload
is judged and nothing else runs.
"""

import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from time import monotonic
from typing import Any

import psutil

from bench.backends import TF32, Absent
from bench.cells.cell import Cell
from bench.run.plan import Group, Unit, plan
from bench.run.workers import LIMITS, TIMEOUT, Workers
from bench.speed import work
from bench.speed.attach import ABOVE, with_speeds
from bench.speed.roofline import Roof, roof
from bench.speed.rounds import BRIEF, ROOF, Effort, Sampled, rounds
from bench.speed.sets import judged
from bench.speed.timing import Timing
from bench.store.results import Unwritten
from bench.store.row import TIMED, Row, sentence
from bench.verdict.again import CALLS
from bench.verdict.missing import missing
from bench.verdict.row import row_of
from bench.worker import Died

SLOTS = max(2, min(8, (os.cpu_count() or 1) // 2))  # threads that derive or judge in parallel
POLL = 0.5  # seconds between two checks for a signal
SAMPLING, LEAST = 0.3, 0.2  # the part of a run's time in which it samples; the least part of its effort
JUDGES = 2  # slots that judge, at most: each cell uses all threads
# slots that derive large limits, at most: each may take gigabytes
LARGE = max(1, min(SLOTS // 2, psutil.virtual_memory().total // 2**34))
FEW = 4  # small limits for which no further process is started, which takes longer
# the functions that a worker calls, by name
DERIVE, JUDGE, VERDICT, FINGERPRINT = (
    f"bench.run.work:{name}" for name in ("derive", "judge", "verdict", "fingerprint")
)


class Session:
    """The workers and the rows of one run. `row` and `speed` block until the result is there.

    wanted, timed: the cells to judge, and those to time.
    curves: whether a unit also runs a free training.
    threads, level, timeout: see `Workers`.
    done: the rows of a run that is continued, by cell.
    finished, drawn, sampled, roofed, fingerprinted, recorded: called with each row, curve, timing, roofline
        peak, fingerprint and environment record, to store it.
    failures: the folder for cells that fail.
    probed: whether the fingerprint of a unit's arithmetic is taken.
    effort: how long each workload is sampled; less where the run takes longer than `announced`.
    announced: how many seconds each speed takes, by cell, if the run has said so.
    calls: calls of a float32 contender outside the clock, whose results are compared.
    joules: measure energy.
    peaks: measure the roofline of the CPU.
    options: options of the command line that apply to every cell; each row's command repeats them.
    waiting: called twice a second while `row` or `speed` waits, in their thread.

    begun, timing: when the session began, and for how many seconds it has timed.
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
        effort: Effort = BRIEF,
        announced: Mapping[str, float] | None = None,
        calls: int = CALLS,
        joules: bool = False,
        peaks: bool = True,
        options: Sequence[str] = (),
        recorded: Callable[[dict[str, Any]], None] = lambda environment: None,
        waiting: Callable[[], None] = lambda: None,
    ) -> None:
        self.rows: dict[str, Row] = dict(done)
        self.timings: dict[str, Timing] = {}
        self.threads = threads
        self._timed = {str(cell): cell for cell in timed}
        self._finished, self._drawn, self._failures = finished, drawn, failures
        self._probed, self._fingerprinted, self._sampled = probed, fingerprinted, sampled
        self._roofed, self._effort, self._joules, self._peaks = roofed, effort, joules, peaks
        self._options, self._recorded, self._calls = options, recorded, calls
        self.begun, self.timing, self._announced = monotonic(), 0.0, announced or {}
        self._waiting = waiting
        self._roofs: list[dict[str, Any]] = []
        self._measured: set[tuple[str, ...]] = set()
        self._fingers: set[tuple[str, ...]] = set()
        for cell in wanted:
            if str(cell) not in self.rows and (row := missing(cell)):
                self._keep(cell, row)
        self._groups = plan(wanted, self._timed, curves, self.complete)
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
        """The cell's row with its verdict, without a speed. Waits until it is judged."""
        with self._change:
            self._wait(lambda: str(cell) in self.rows or self._stopped or self._idle())
            return self._settled(cell)

    def speed(self, cell: Cell) -> tuple[Row, Timing | None]:
        """The cell's row with its speed. The first cell of a workload samples all its contenders."""
        rivals = [each for each in self._timed.values() if _contest(each) == _contest(cell)]
        with self._change:
            self._wait(
                lambda: all(str(each) in self.rows for each in rivals) or self._stopped or self._idle()
            )
            row = self._settled(cell)
        if row.median_s is None and row.status in TIMED and str(cell) not in self.timings:
            with self._quiet():
                rows = {each: self.rows.get(str(each)) for each in rivals}
                begun = monotonic()
                self._time([each for each, found in rows.items() if found and found.status in TIMED])
                self.timing += monotonic() - begun
        return self.rows[str(cell)], self.timings.get(str(cell))

    def _wait(self, until: Callable[[], bool]) -> None:
        """Wait in short intervals: Python handles a signal only when the main thread runs."""
        while not self._change.wait_for(until, POLL):
            self._waiting()

    @contextmanager
    def _quiet(self) -> Iterator[None]:
        """Within this context nothing is derived or judged."""
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
        found = rounds(ready, self.workers.ask, verdict=VERDICT, effort=self._paced(), joules=self._joules)
        for each, row in self._proved(ready, found).items():
            timing = None if isinstance(sampled := found[each], str) else sampled[0]
            if timing:  # before the row, so that a continued run has samples for every speed
                self._sampled(each, timing)
            self._keep(each, row)
            if timing and row.median_s is not None:
                self.timings[str(each)] = timing

    def _paced(self) -> Effort:
        """The effort, with less sampling where the run is later than it has said."""
        total = sum(self._announced.values())
        left = sum(each for name, each in self._announced.items() if not self.complete(self._timed[name]))
        late = monotonic() - self.begun - (total - left)
        share = 1 - max(late, 0) / (SAMPLING * left) if left else 1
        return replace(self._effort, seconds=self._effort.seconds * max(share, LEAST))

    def _proved(self, ready: Sequence[Cell], found: Mapping[Cell, Sampled]) -> dict[Cell, Row]:
        """The rows with their speeds. The roofline is measured again before a row is said to exceed it."""
        before = {each: self.rows[str(each)] for each in ready}
        for again in (False, True):
            measured = [each for each in ready if self._peaks or each.device != "cpu"]  # a GPU takes seconds
            self._measure(measured, again)
            done = with_speeds(before, found, self._roof, self._smaller, self._effort.precision)
            if not any(row.why.startswith(ABOVE) for row in done.values()):
                break
        return done

    def _roof(self, row: Row) -> Roof | None:
        return roof(self._roofs, row.device, _computed(row), row.threads)

    def _smaller(self, cell: Cell) -> tuple[float, float] | None:
        """Flops and seconds of the same contender at the next smaller size that was timed, or None."""
        mine = work.flops(cell)
        found = [
            (work.flops(other), row.median_s)
            for other in self._timed.values()
            if (row := self.rows.get(str(other)))
            and row.median_s
            and replace(other, option="", size="") == replace(cell, option="", size="")
        ]
        return max(((flops, seconds) for flops, seconds in found if flops < mine), default=None)

    def _measure(self, ready: Sequence[Cell], again: bool) -> None:
        """Measure the peak rates of each backend once, while nothing else runs, like the samples."""
        for place, cell in {(each.backend, each.device, _computed(each)): each for each in ready}.items():
            if place in self._measured and not again:
                continue
            self._measured.add(place)
            with suppress(Died):  # its speeds report it
                found = self.workers.ask(cell, ROOF, asdict(cell))
                self._roofs.append(found)
                self._roofed(found)

    def close(self) -> None:
        """Start no more requests, and end the workers."""
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

    def complete(self, cell: Cell) -> bool:
        """Whether a cell has its row, with its speed if it is timed and may have one."""
        row = self.rows.get(str(cell))
        timed = str(cell) in self._timed
        return row is not None and (not timed or row.median_s is not None or row.status not in TIMED)

    def _idle(self) -> bool:
        return all(unit.state == "done" for group in self._groups for unit in group.units)

    def _serve(self, slot: int) -> None:
        try:
            self._work(slot)
        except BaseException as fault:  # a bug must end the run, not leave it waiting
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
        derives = slot * FEW < sum(FEW if group.alone else 1 for group in self._groups)
        if slot < LARGE and room:  # large limits start first, because only a few fit in memory
            for group in self._groups:
                if group.state == "waiting" and group.alone:
                    return group, (LIMITS, slot)
        for group in self._groups:
            if derives and group.state == "waiting" and (room or not group.alone):
                return group, (LIMITS, slot)
            for unit in group.units if group.state == "done" else ():
                if unit.state != "waiting" or (spinning and unit.alone) or len(judged) >= JUDGES:
                    continue
                key = self.workers.key(unit.cell)
                if key not in self._busy:
                    return unit, key
        return None

    def _derive(self, group: Group, key: tuple[Any, ...]) -> None:
        """Derive the limits of a group. If the worker dies twice, its cells become errors.

        It tries twice, because a worker killed when memory runs out may not be the one that used it. Other
        errors are reported by the cells that need these limits.
        """
        for again in (True, False):
            try:
                cell = group.units[0].cell
                sets = judged(cell) if any(unit.keep for unit in group.units) else 2
                directions = list(dict.fromkeys(each for unit in group.units for each in unit.directions))
                self.workers.ready(key, cell).request(DERIVE, asdict(cell), sets, directions)
                return
            except Died as error:
                self.workers.discard(key)
                if self._stopping():
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

    def _stopping(self) -> bool:
        """Whether a worker died because the run is stopping; the flag may be set shortly after."""
        with self._change:
            return self._change.wait_for(lambda: self._stopped, timeout=0.5)

    def _judge(self, unit: Unit, key: tuple[Any, ...]) -> None:
        cell, answer = unit.cell, None
        try:
            fault = self.workers.fault(cell)
            request = (
                asdict(cell), unit.directions, unit.keep, unit.curve, self._calls, self._failures,
                list(self._options),
            )  # fmt: skip
            answer = None if fault else self.workers.ready(key, cell).request(JUDGE, *request)
            rows = _all(unit, status="error", why=fault) if fault else _rows(unit, answer)
        except Absent as reason:
            rows = _all(unit, status="absent", why=str(reason))
        except Died as error:
            self.workers.discard(key)
            if self._stopping():
                return  # this says nothing about the cell
            answer, rows = None, _all(unit, status="error", why=str(error))
        with self._change:
            if answer and answer["environment"]:
                self._recorded(answer["environment"])
            for direction, row in rows.items():
                self._keep(replace(cell, direction=direction), row)
            if answer and answer["lost"]:
                self.workers.discard(key)
            if answer and answer["curve"]:
                coordinates = {name: value for name, value in asdict(cell).items() if name != "direction"}
                self._drawn(coordinates | {"loss": answer["curve"]})
            self._change.notify_all()
        # do not probe an absent dtype: that ends the worker, which may keep a compiled cell to time
        ran = any(row.status != "absent" for row in rows.values())
        if answer and ran and not answer["lost"] and self._probed(cell):
            self._fingerprint(cell, key)

    def _fingerprint(self, cell: Cell, key: tuple[Any, ...]) -> None:
        """Take the fingerprint once per backend, mode, device and dtype, in the worker that judged."""
        place = (cell.backend, cell.mode, cell.device, cell.dtype)
        if place in self._fingers:
            return
        self._fingers.add(place)
        try:
            self._fingerprinted(self.workers.ready(key, cell).request(FINGERPRINT, asdict(cell)))
        except Died:
            self.workers.discard(key)  # the next cells get a new worker

    def _keep(self, cell: Cell, row: Row) -> None:
        row = replace(row, command=cell.command(*self._options))
        self._finished(row)
        self.rows[str(cell)] = row  # only when it is written


def _contest(cell: Cell) -> tuple[Any, ...]:
    """What cells share that are timed together. Of an API only one option is timed, its own convention."""
    return replace(cell, option="", regime="").workload


def _computed(of: Cell | Row) -> str:
    """The dtype in which products are computed, or TF32 if the mode rounds their factors to it."""
    return TF32 if of.mode == TF32 else of.dtype


def _rows(unit: Unit, answer: Any) -> dict[str, Row]:
    """The rows in a worker's answer. Raises Died if it is malformed, which a plug-in can cause."""
    try:
        rows, *_ = (answer[name] for name in ("rows", "environment", "curve"))
        places = {each: asdict(replace(unit.cell, direction=each)) for each in unit.directions}
        return {each: Row(**rows[each] | place) for each, place in places.items()}
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise Died(f"the worker's answer is not a row: {sentence(error)}") from error


def _all(unit: Unit, **found: str) -> dict[str, Row]:
    """The same outcome for every direction of a unit that could not be judged."""
    return {each: row_of(unit.cell, each, **found) for each in unit.directions}


def failed(cell: Cell, why: str) -> Row:
    """The row of a cell whose worker died."""
    return row_of(cell.unit, cell.direction, status="error", why=why)
