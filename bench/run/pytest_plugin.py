"""The pytest plug-in behind `pytest suites/`: its options, the cells they select, the run, the report."""

import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import pytest

from bench import pages
from bench.backends import SHIPPED, Backend, backend
from bench.backends.plugin import register
from bench.cache import folder as cache
from bench.cache import trim
from bench.cells.cell import Cell, cell_of
from bench.cells.selection import Selection, cells, timed, unbuilt
from bench.digits import count
from bench.machine.isa import narrowed
from bench.machine.variables import threads as usual_threads
from bench.run import ending
from bench.run.ending import Ended, failing
from bench.run.options import off
from bench.run.progress import telling
from bench.run.workers import LONGER, TIMEOUT
from bench.speed.rounds import BRIEF, THOROUGH, Effort
from bench.store.results import FAILURES
from bench.store.rows import check
from bench.verdict.again import CALLS, CALLS_FULL
from bench.verdict.known import leave_out, naming, of_refusals
from bench.verdict.row import declared

UNSETTLED = ("error", "absent", "missing")  # judged again in a continued run
WAIT = "GAUGEBLOCK_TIMEOUT"  # the environment variable that sets --timeout
MANY = 100  # cells; in a larger run, a minute of compiling probes matters little
_LIST = {"action": "append", "metavar": "NAME"}
OPTIONS: dict[str, tuple[dict[str, Any], str]] = {
    "backend": (_LIST, "numpy, torch, tensorflow, jax, a plug-in, or path/to/file.py:Name; repeatable"),
    "device": (_LIST, "cpu or gpu; repeatable (default: cpu, and gpu if the machine has one)"),
    "dtype": (_LIST, "float64, float32, bfloat16 or float16; repeatable (default: the first two)"),
    "mode": (_LIST, "eager, or how to compile: compile, function, xla or jit; repeatable"),
    "size": (_LIST, "a named size; repeatable (default: the first size of each formula)"),
    "seed": ({"type": int, "action": "append", "metavar": "N"}, "seed of inputs; repeatable (default: 0)"),
    "threads": ({"type": int, "metavar": "N"}, "threads per framework (default: OMP_NUM_THREADS, else all)"),
    "isa": ({"metavar": "NAME"}, "widest instruction set to use: sse4, avx2 or avx512 (default: all)"),
    "as-shipped": ({"action": "store_true"}, "keep each framework's own default threads and precision"),
    "energy": ({"action": "store_true"}, "measure joules per call on an NVIDIA GPU; adds seconds per call"),
    "timeout": (
        {"metavar": "SECONDS"},
        f"limit for one request to a worker; {LONGER} times longer for large sizes and slow compilers "
        f"(default: {WAIT}, else {TIMEOUT:g})",
    ),
    "smoke": ({"action": "store_true"}, "every formula once: typical option, float64, one mode, no speeds"),
    "full": ({"action": "store_true"}, "all options, sizes, modes and dtypes, combined pairwise; hours"),
    "full-inputs": (
        {"action": "store_true"},
        "inputs and sizes at the edges, with every option, and nothing else; hours",
    ),
    "growth": ({"action": "store_true"}, "time over size: the headlines at several sizes, and nothing else"),
    "limited": ({"action": "store_true"}, "only cells with a known departure or refusal"),
    "fail-imprecise": ({"action": "store_true"}, "cells that are imprecise fail too"),
    "results": ({"action": "append", "metavar": "PATH"}, "folder of the run: a new one, or one to continue"),
}  # fmt: skip


@dataclass
class SuiteRun:
    """One run of `pytest suites/`.

    selection, cells: what the options select.
    results: the folder from --results, or None for a new one.
    smoke, threads, isa, timeout, fail_imprecise: the options of these names.
    effort, joules, options: see `Session`.
    chosen, speeds: the cells to judge and to time that pytest has collected.
    run: the open run, after `begin`.
    done: the rows of a run that is continued.
    reported: whether the report has been written.
    faults: errors of the whole run, one sentence each.
    waiting: called while a test waits; see `Session`.
    told: says how far the session is; nothing before it begins.
    """

    selection: Selection
    cells: list[Cell]
    results: Path | None
    smoke: bool
    threads: int | None = field(default_factory=usual_threads)
    isa: str = ""
    timeout: float = TIMEOUT
    effort: Effort = BRIEF
    joules: bool = False
    fail_imprecise: bool = False
    options: Sequence[str] = ()
    chosen: list[Cell] = field(default_factory=list)
    speeds: list[Cell] = field(default_factory=list)
    run: Any = None
    done: dict[str, Any] = field(default_factory=dict)
    reported: bool = False
    faults: list[str] = field(default_factory=list)
    waiting: Callable[[], None] = lambda: None
    told: Callable[[], str] = lambda: ""

    @classmethod
    def open(cls, option: Any) -> "SuiteRun":
        """Select the cells from the options. Raises ValueError with the valid values of an option."""
        timeout = seconds(option.timeout)
        threads = None if option.as_shipped else option.threads or usual_threads()
        specs = tuple(dict.fromkeys(option.backend or SHIPPED))
        modes, dtypes = (tuple(getattr(option, each) or ()) for each in ("mode", "dtype"))
        register(
            option.backend or (),
            threads=threads,
            timeout=timeout,
            modes=modes or ("eager",),
            dtypes=dtypes or Backend.dtypes,
        )
        leave_out([spec for spec in specs if spec not in SHIPPED])
        classes = {spec: backend(spec) for spec in specs}
        found = pages.cases()
        right = {
            "device": {"cpu", "gpu"},
            "dtype": {dtype for each in classes.values() for dtype in each.dtypes},
            "mode": {mode for each in classes.values() for mode in each.modes},
            "size": {size for case in found.values() for size in case.sizes},
        }
        for name, values in right.items():
            for value in getattr(option, name) or ():
                if value not in values:
                    known = ", ".join(sorted(values))
                    raise ValueError(f"--{name}: got {value!r}, should be one of {known}")
        for seed in option.seed or ():
            if not 0 <= seed < 2**63:
                raise ValueError(f"--seed: got {seed}, should be 0 to 2^63 - 1, because a row holds 64 bits")
        many = [name for name in ("smoke", "full", "full_inputs", "growth") if getattr(option, name)]
        if len(many) > 1:
            flags = " and ".join(f"--{name.replace('_', '-')}" for name in many)
            raise ValueError(f"{flags}: got {len(many)} of them, should be one")
        selection = Selection(
            backends=specs,
            devices=tuple(option.device or _devices()),
            dtypes=option.dtype,
            modes=option.mode,
            sizes=option.size,
            seeds=tuple(option.seed or (0,)),
            smoke=option.smoke,
            full=option.full,
            full_inputs=option.full_inputs,
            as_shipped=option.as_shipped,
            speeds=bool(getattr(option, "benchmark_only", False)),
            growth=option.growth,
        )
        listed = list(cells(list(found.values()), selection))
        if option.limited:
            listed = [cell for cell in listed if naming(cell, classes[cell.backend]) or of_refusals(cell)]
        else:  # page by page
            order = {name: number for number, name in enumerate(found)}
            listed += unbuilt(list(found.values()), selection)
            listed.sort(key=lambda cell: order[cell.case])
        if option.threads is not None and option.as_shipped:
            raise ValueError("--threads and --as-shipped: got both, should be one of them")
        if option.threads is not None and not 1 <= option.threads <= (os.cpu_count() or 1):
            raise ValueError(f"--threads: got {option.threads}, should be 1 to {os.cpu_count() or 1}")
        if option.isa:
            narrowed({}, option.isa)
        told = option.threads or threads not in (None, os.cpu_count())
        options = [f"--threads {threads}"] if told else ["--as-shipped"] if option.as_shipped else []
        settings = ", ".join(declared(option.as_shipped, option.isa))
        results = _folder(option.results)
        if results and (before := _settings(results)) not in (None, settings):
            raise ValueError(
                f"--results: got {settings or 'default settings'} for the run in {results}, should be "
                f"{before or 'default settings'}; give the same options, or name a new folder"
            )
        if results:
            check(results)
        return cls(
            selection,
            listed,
            results,
            option.smoke,
            threads=threads,
            isa=option.isa or "",
            timeout=timeout,
            effort=THOROUGH if selection.speeds and not selection.growth else BRIEF,
            joules=option.energy,
            fail_imprecise=option.fail_imprecise,
            options=[
                *options,
                *([f"--isa {option.isa}"] if option.isa else []),
                *(["--fail-imprecise"] if option.fail_imprecise else []),
            ],
        )

    @property
    def timed(self) -> list[Cell]:
        """The cells that get a speed."""
        return [cell for cell in self.cells if timed(cell, pages.case(cell.case), self.selection)]

    def choose(self, verdicts: Sequence[Cell], speeds: Sequence[Cell], option: Any) -> None:
        """Set the cells to run: those that pytest selected and pytest-benchmark's options do not skip."""
        judged = [] if option.benchmark_only else verdicts
        timed = speeds if option.benchmark_only or not option.benchmark_skip else []
        self.chosen = list(dict.fromkeys([*judged, *timed]))
        self.speeds = [] if off(option) else list(timed)

    def begin(self) -> None:
        """Start or continue the run, and lock its folder until `end`. Raises ValueError if it cannot."""
        from bench.machine.records import environment, machine
        from bench.store.results import REPORT, begin, start

        here = machine(), environment()
        self.run = begin(self.results, *here) if self.results else start(Path("results/local"), *here)
        # rows may come from anybody: never print a command from a file, which users paste into a shell
        self.done = {
            name: replace(row, command=cell_of(row.as_dict()).command(*self.options))
            for name, row in self.rows().items()
        }
        try:
            (self.run.folder / REPORT).unlink(missing_ok=True)  # an unfinished run has no report
        except OSError as error:
            raise ValueError(
                f"--results: got {self.run.folder}, whose {REPORT} cannot be deleted ({error.strerror}), "
                "should be a file; remove it, or name a new folder"
            ) from None

    def kept(self) -> str:
        """What a continued run takes over, in a sentence; empty if it takes over nothing."""
        if not (finished := self._kept()):
            return ""
        cells = f"{count(finished, 'cell')} of {len(self.chosen):,}"
        return f"{cells} in {self.run.folder} finished before: not run again, even if code has changed"

    def announced(self) -> str:
        """What a run of speeds is going to do and how long it takes; empty for other runs."""
        from bench.run.announcement import announcement

        return announcement(self._ahead())

    def _ahead(self) -> list[Cell]:
        """What a run of speeds has to time; nothing for other runs."""
        alone = self.selection.speeds or self.selection.growth
        return [cell for cell in self.speeds if alone and not self._finished(str(cell))]

    def _kept(self) -> int:
        return sum(map(self._finished, map(str, self.chosen)))

    def _finished(self, name: str) -> bool:
        return name in self.done and self.done[name].status not in UNSETTLED

    def end(self) -> None:
        """Unlock the folder, so that another run can use it."""
        if self.run is not None:
            self.run.release()

    @contextmanager
    def session(self) -> Iterator[Any]:
        """The running session. Each row is stored when it is finished."""
        from bench.machine.load_average import moment
        from bench.run.announcement import seconds
        from bench.run.session import Session
        from bench.store.rows import fingerprints

        if self.run is None:
            self.begin()
        self.run.moment(moment())
        running = Session(
            self.chosen,
            self.speeds,
            lambda unit: not self.smoke and _draws(unit, self.selection.seeds[0]),
            threads=self.threads,
            level=self.isa,
            timeout=self.timeout,
            done={name: row for name, row in self.done.items() if self._finished(name)},
            finished=self.run.append,
            drawn=self.run.curve,
            failures=str((self.run.folder / FAILURES).resolve()),
            probed=self._probes(fingerprints(self.run.folder)),
            fingerprinted=self.run.fingerprint,
            sampled=self.run.sampled,
            roofed=self.run.roof,
            effort=self.effort,
            announced={str(cell): seconds(cell) for cell in self._ahead()},
            joules=self.joules,
            calls=CALLS_FULL if self.selection.full else CALLS,
            peaks=self.selection.speeds
            or self.selection.growth
            or self.selection.full,  # measuring them takes seconds
            options=self.options,
            recorded=self.run.worker,
            waiting=self.waiting,
        )
        long = {cell: seconds(cell) for cell in self.speeds}
        self.told = telling(self.chosen, long, self._kept(), running)
        running.timings.update(self._timings())
        try:
            yield running
        finally:
            running.close()
            self.run.moment(moment())
            trim()

    def _probes(self, known: Sequence[Mapping[str, Any]]) -> Callable[[Cell], bool]:
        """Which units get a fingerprint: new ones, and in short runs only if they compile quickly."""
        from bench.verdict.fingerprint import PLACE

        taken = {tuple(each.get(name) for name in PLACE) for each in known}
        many = len(self.chosen) > MANY

        def probes(unit: Cell) -> bool:
            found = backend(unit.backend)
            new = (found.name, unit.mode, unit.device, unit.dtype) not in taken
            return new and not self.smoke and (many or unit.mode not in found.heavy)

        return probes

    def rows(self) -> dict[str, Any]:
        """The run's rows by cell; if a cell has several, the last."""
        from bench.store.row import Row

        return {str(cell_of(row)): Row(**row) for row in self.run.rows()}

    def _timings(self) -> dict[str, Any]:
        """The samples of speeds that a continued run already has, for pytest-benchmark to show."""
        from bench.speed.timing import Timing
        from bench.store.lines import lines
        from bench.store.rows import SAMPLES

        wanted = {name for name in map(str, self.speeds) if name in self.done and self.done[name].median_s}
        file = self.run.folder / SAMPLES
        found = {}
        for each in lines(file) if wanted and file.exists() else ():
            with suppress(KeyError, TypeError):  # the file may come from anybody
                found[str(cell_of(each))] = each
        return {
            name: Timing(
                **{each.name: _tuple(record[each.name]) for each in fields(Timing) if each.name in record}
            )
            for name, record in found.items()
            if name in wanted
        }

    def report(self, *, interrupted: bool, shown: bool = True) -> None:
        """Write and print the report, at the first call only; see `bench.run.ending.report`."""
        if self.run is not None and not self.reported:
            self.reported = True
            self.faults = ending.report(
                Ended(
                    self.run, self.chosen, self.speeds, interrupted, self.rows, self.faults,
                    failing=failing(self.fail_imprecise),
                ),
                shown=shown, every=self.selection.speeds, plugins=self.selection.backends,
            )  # fmt: skip


SUITE_RUN: pytest.StashKey[SuiteRun] = pytest.StashKey()


def _folder(given: Sequence[str] | None) -> Path | None:
    """The folder from --results, or None. Raises ValueError if it cannot hold a run."""
    from bench.store.results import check

    if not given:
        return None
    if len(given) > 1:
        raise ValueError(f"--results: got {' and '.join(given)}, should be one folder; give --results once")
    if not given[0].strip():
        raise ValueError("--results: got no name, should be a folder; name one, or leave --results out")
    folder = Path(given[0])
    check(folder)
    return folder


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def seconds(named: str | None) -> float:
    """The timeout from the option, else from the environment. Raises ValueError if it is not above 0."""
    who, told = ("--timeout", named) if named is not None else (WAIT, os.environ.get(WAIT) or str(TIMEOUT))
    try:
        found = float(told)
    except ValueError:
        found = 0.0
    if not 0 < found < math.inf:
        raise ValueError(f"{who}: got {told!r}, should be a number of seconds above 0")
    return found


def _settings(folder: Path) -> str | None:
    """The settings that the rows of a run were made with; None if it has no rows."""
    from bench.store.lines import lines
    from bench.store.rows import ROWS

    rows = lines(folder / ROWS) if (folder / ROWS).exists() else ()
    return next((str(row.get("settings") or "") for row in rows if row.get("version")), None)


def _draws(unit: Cell, seed: int) -> bool:
    """Whether a unit draws its training curve: float32, the first mode and the first seed only."""
    found = backend(unit.backend)
    return unit.dtype == "float32" and unit.mode == found.modes[0] and unit.seed == seed


def _devices() -> tuple[str, ...]:
    """cpu, and gpu if NVIDIA's library finds one. Imports no framework."""
    from bench.machine.records import gpus

    return ("cpu", "gpu") if gpus() else ("cpu",)


def arguments(given: Sequence[str]) -> list[str]:
    """The arguments for pytest: the installed suites with their configuration, then the given arguments.

    A node id or path that begins with ``suites/`` means the installed folder, so the command of a row works
    in any folder.
    """
    folder = pages.folder()
    named = [word == "suites" or word.startswith("suites/") for word in given]
    words = [
        f"{folder}{word.removeprefix('suites').rstrip('/')}" if inside else word
        for word, inside in zip(given, named, strict=True)
    ]
    without = any("no:cacheprovider" in word for word in given)  # pytest has no option cache_dir then
    return [
        "-c",
        str(folder / "pytest.ini"),
        f"--rootdir={folder}",
        *([] if without else ["-o", f"cache_dir={cache('pytest')}"]),
        *([] if any(named) else [str(folder)]),
        *words,
    ]
