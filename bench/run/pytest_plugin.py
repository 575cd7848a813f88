"""What `pytest suites/` asks of the machine: options, the cells they select, the run, the report."""

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from bench import pages
from bench.backends import SHIPPED, backend
from bench.cache import folder as cache
from bench.cache import trim
from bench.cells.cell import Cell
from bench.cells.selection import Selection, cells, timed
from bench.digits import count
from bench.machine.isa import narrowed
from bench.machine.variables import threads as usual_threads
from bench.speed.rounds import LONG, MOST
from bench.store.results import FAILURES
from bench.store.rows import check
from bench.verdict.known import naming, of_refusals
from bench.verdict.row import declared

MANY = 100  # cells, beside which a minute of compiling probes is little
_LIST = {"action": "append", "metavar": "NAME"}
OPTIONS: dict[str, tuple[dict[str, Any], str]] = {
    "backend": (_LIST, "numpy, torch, tensorflow, jax, a plug-in, or path/to/file.py:Name; repeatable"),
    "device": (_LIST, "cpu or gpu; repeatable (default: cpu, and gpu where the machine has one)"),
    "dtype": (_LIST, "float64, float32, bfloat16 or float16; repeatable (default: the first two)"),
    "mode": (_LIST, "eager, or a way of compiling: compile, function, xla, jit; repeatable"),
    "size": (_LIST, "a named size; repeatable (default: the first of each case)"),
    "seed": ({"type": int, "action": "append", "metavar": "N"}, "seed of the inputs; repeatable (default 0)"),
    "threads": ({"type": int, "metavar": "N"}, "of each framework (default: OMP_NUM_THREADS, else all)"),
    "isa": ({"metavar": "NAME"}, "widest instruction set: sse4, avx2 or avx512 (default: the CPU's own)"),
    "as-shipped": ({"action": "store_true"}, "leave threads and precision as each framework ships"),
    "energy": ({"action": "store_true"}, "joules of each timed call on an NVIDIA GPU; seconds more a call"),
    "smoke": ({"action": "store_true"}, "every case once: typical option, float64, one mode, no speed"),
    "full": ({"action": "store_true"}, "options, sizes, modes and dtypes, every two of them together"),
    "limited": ({"action": "store_true"}, "only cells of known departures and refusals, to see these anew"),
    "results": ({"metavar": "PATH"}, "folder of the run; one that exists is continued"),
}  # fmt: skip


@dataclass
class Door:
    """One run of pytest: the selection, its cells, and its session once a test asks for one."""

    selection: Selection
    cells: list[Cell]
    results: str | None
    smoke: bool
    every: bool = False
    threads: int | None = field(default_factory=usual_threads)
    isa: str = ""
    rounds: int = MOST
    joules: bool = False
    options: Sequence[str] = ()  # of the command line, for every cell alike
    chosen: list[Cell] = field(default_factory=list)
    speeds: list[Cell] = field(default_factory=list)
    run: Any = None

    @classmethod
    def open(cls, option: Any) -> "Door":
        """Check every option; raises ValueError with the list of right values."""
        specs = tuple(option.backend or SHIPPED)
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
        if option.smoke and option.full:
            raise ValueError("--smoke and --full: got both, should be one of them")
        selection = Selection(
            backends=specs,
            devices=tuple(option.device or _devices()),
            dtypes=option.dtype,
            modes=option.mode,
            sizes=option.size,
            seeds=tuple(option.seed or (0,)),
            smoke=option.smoke,
            full=option.full,
            as_shipped=option.as_shipped,
        )
        listed = list(cells(list(found.values()), selection))
        if option.limited:
            listed = [cell for cell in listed if naming(cell, classes[cell.backend]) or of_refusals(cell)]
        every = bool(getattr(option, "benchmark_only", False))  # who asks for speeds alone is shown all
        if option.threads is not None and option.as_shipped:
            raise ValueError("--threads and --as-shipped: got both, should be one of them")
        if option.threads is not None and not 1 <= option.threads <= (os.cpu_count() or 1):
            raise ValueError(f"--threads: got {option.threads}, should be 1 to {os.cpu_count() or 1}")
        if option.isa:
            narrowed({}, option.isa)
        threads = None if option.as_shipped else option.threads or usual_threads()
        told = option.threads or threads not in (None, os.cpu_count())
        options = [f"--threads {threads}"] if told else ["--as-shipped"] if option.as_shipped else []
        settings = ", ".join(declared(option.as_shipped, option.isa))
        if option.results and (before := _settings(Path(option.results))) not in (None, settings):
            raise ValueError(
                f"--results: {option.results} was made {before or 'as declared'}, got "
                f"{settings or 'as declared'}; give the same options, or name a new folder"
            )
        if option.results:
            check(Path(option.results))
        return cls(
            selection,
            listed,
            option.results,
            option.smoke,
            every,
            threads=threads,
            isa=option.isa or "",
            rounds=LONG if every else MOST,
            joules=option.energy,
            options=[*options, *([f"--isa {option.isa}"] if option.isa else [])],
        )

    @property
    def timed(self) -> list[Cell]:
        """The cells that get a speed."""
        return [cell for cell in self.cells if timed(cell, pages.case(cell.case), self.selection)]

    def choose(self, wanted: Sequence[Cell], speeds: Sequence[Cell]) -> None:
        """The cells that -k and node ids have left."""
        self.chosen, self.speeds = list(dict.fromkeys(wanted)), list(speeds)

    @contextmanager
    def session(self) -> Iterator[Any]:
        """The running session, its rows kept as they are finished."""
        from bench.machine.load_average import moment
        from bench.machine.records import environment, machine
        from bench.run.session import Session
        from bench.store.results import resume, start
        from bench.store.row import Row
        from bench.store.rows import fingerprints

        folder = Path(self.results or "results/local")
        running_on = (folder / "rows.jsonl").exists()
        self.run = resume(folder) if running_on else start(folder, machine(), environment())
        self.run.moment(moment())
        done = {str(cell_of(row)): Row(**row) for row in self.run.rows()}
        running = Session(
            self.chosen,
            self.speeds,
            lambda unit: not self.smoke and _draws(unit, self.selection.seeds[0]),
            threads=self.threads,
            level=self.isa,
            done={name: row for name, row in done.items() if row.status != "error"},
            finished=self.run.append,
            drawn=self.run.curve,
            failures=str((self.run.folder / FAILURES).resolve()),
            probed=self._probes(fingerprints(folder)),
            fingerprinted=self.run.fingerprint,
            sampled=self.run.sampled,
            roofed=self.run.roof,
            rounds=self.rounds,
            joules=self.joules,
            peaks=self.every or self.selection.full,  # which takes seconds
            options=self.options,
            recorded=self.run.worker,
        )
        try:
            yield running
        finally:
            running.close()
            self.run.moment(moment())
            trim()

    def _probes(self, known: Sequence[Mapping[str, Any]]) -> Callable[[Cell], bool]:
        """Whose fingerprint is taken: what is not known yet, and of what compiles long only in a long run."""
        from bench.verdict.fingerprint import PLACE

        taken = {tuple(each.get(name) for name in PLACE) for each in known}
        many = len(self.chosen) > MANY

        def probes(unit: Cell) -> bool:
            found = backend(unit.backend)
            new = (found.name, unit.mode, unit.device, unit.dtype) not in taken
            return new and not self.smoke and (many or unit.mode not in found.heavy)

        return probes

    def report(self, *, interrupted: bool) -> None:
        """Print the report, and write it beside the rows; an interrupted run says how to go on."""
        if self.run is None or not self.run.rows():
            return
        from bench.report import write as report
        from bench.report.table import legible

        legible(sys.stdout)
        if interrupted:
            print(f"\ninterrupted: the rows so far are kept; to go on, add --results {self.run.folder}")
        else:
            self._blame()
            print(report.kept(self.run.folder))
        report.show([self.run.folder], every=self.every, plugins=self.selection.backends)
        if kept := len(list((self.run.folder / FAILURES).glob("*/cell.json"))):
            where = self.run.folder / FAILURES
            print(f"\n{count(kept, 'cell')} failed: inputs, values and a repro.py are in {where}")

    def _blame(self) -> None:
        """Add to the rows that disagree whether they are alone with it."""
        from bench.failure.blame import blame
        from bench.store.row import Row

        rows = [Row(**row) for row in self.run.rows()]
        found = {str(cell): (cell, row) for row in rows for cell in [cell_of(row.as_dict())]}
        for _, row in blame(found.values(), self.run.folder / FAILURES):
            self.run.append(row)


DOOR: pytest.StashKey[Door] = pytest.StashKey()


def cell_of(row: dict[str, Any]) -> Cell:
    """The coordinates of a row."""
    from dataclasses import fields

    return Cell(**{each.name: row[each.name] for each in fields(Cell)})


def _settings(folder: Path) -> str | None:
    """Those that the rows of a run were made with; None where it has none yet."""
    from bench.store.rows import ROWS, lines

    rows = lines(folder / ROWS) if (folder / ROWS).exists() else ()
    return next((str(row.get("settings") or "") for row in rows if row.get("version")), None)


def _draws(unit: Cell, seed: int) -> bool:
    """Free runs are drawn once a contender: float32, in its first mode, of the first seed."""
    found = backend(unit.backend)
    return unit.dtype == "float32" and unit.mode == found.modes[0] and unit.seed == seed


def _devices() -> tuple[str, ...]:
    """cpu, and gpu where NVIDIA's library finds one; no framework is imported for it."""
    from bench.machine.records import gpus

    return ("cpu", "gpu") if gpus() else ("cpu",)


def arguments(given: Sequence[str]) -> list[str]:
    """Arguments for pytest: the installed suites with their configuration, then what was given.

    A node id or path that begins with ``suites/`` means the installed folder, so that the command in
    a row works in any folder.
    """
    folder = pages.folder()
    named = [word == "suites" or word.startswith("suites/") for word in given]
    words = [
        f"{folder}{word.removeprefix('suites').rstrip('/')}" if inside else word
        for word, inside in zip(given, named, strict=True)
    ]
    return [
        "-c",
        str(folder / "pytest.ini"),
        f"--rootdir={folder}",
        "-o",
        f"cache_dir={cache('pytest')}",
        *([] if any(named) else [str(folder)]),
        *words,
    ]
