"""How long many rows take to load and to report: a run, repeated as runs of further days and machines."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil

from bench.digits import scaled, seconds
from bench.machine.records import key
from bench.report.table import Table
from bench.store.lines import lines
from bench.store.rows import ROWS, files, record

MACHINES = 8  # that the repeats are of, in turn
POLL = 0.1  # seconds between two looks at the memory
FIRST = (
    "index.html",
    "style.css",
    "app.js",
    "data/index.js",
)  # what the first page loads, with one run's verdicts
LOAD = "import sys, gaugeblock; gaugeblock.load(sys.argv[1])"


@dataclass(frozen=True)
class Measured:
    """What so many rows take: seconds and the most bytes of memory, and the bytes of the pages.

    memory: of all processes together. first: what the first page loads.
    """

    rows: int
    load: float
    report: float
    pages: float
    memory: int
    folder: int
    first: int


def study(run: Path, counts: Sequence[int], said: Callable[[str], None]) -> Iterator[Measured]:
    """Repeat the rows of a run until there are so many, for each count, and measure.

    Raises FileNotFoundError or ValueError as `bench.store.rows.files` does, and ValueError for a run without
    rows.
    """
    (source, *_) = files(run)
    found = list(lines(source))
    if not found:
        raise ValueError(f"scale {run}: got no rows, should be a run with some")
    for count in counts:
        with TemporaryDirectory(prefix="gaugeblock-scale-") as folder:
            runs, to = Path(folder, "runs"), Path(folder, "pages")
            repeat(source, found, count, runs)
            said(f"{count:,} rows: load")
            load, least = measured([sys.executable, "-c", LOAD, str(runs)])
            command = [sys.executable, "-m", "gaugeblock", "report", str(runs)]
            said(f"{count:,} rows: report")
            report, more = measured(command)
            said(f"{count:,} rows: report --to")
            pages, most = measured([*command, "--to", str(to)])
            sizes = {file.relative_to(to).as_posix(): file.stat().st_size for file in to.rglob("*.*")}
            verdicts = max(size for name, size in sizes.items() if name.startswith("data/verdicts-"))
            first = sum(sizes[name] for name in FIRST) + verdicts
            yield Measured(count, load, report, pages, max(least, more, most), sum(sizes.values()), first)


def repeat(source: Path, found: Sequence[dict[str, Any]], count: int, to: Path) -> None:
    """Write `count` rows to folders of runs: those of the source, again and again."""
    machine, environment = record(source, "machine"), record(source, "environment")
    for number, start in enumerate(range(0, count, len(found))):
        mine = machine | {"product": f"copy {number % MACHINES}"}
        name = f"{date(2020, 1, 1) + timedelta(days=number // MACHINES):%Y%m%d}T000000Z-{key(mine)}"
        folder = to / name
        folder.mkdir(parents=True)
        for kind, told in (("machine", mine), ("environment", environment)):
            (folder / f"{kind}.json").write_text(json.dumps(told), encoding="utf-8")
        with (folder / ROWS).open("w", encoding="utf-8") as file:
            for row in found[: count - start]:
                file.write(json.dumps(row | {"run_id": name, "machine": key(mine)}) + "\n")


def measured(command: Sequence[str]) -> tuple[float, int]:
    """Seconds of a command, and the most bytes that it and its children held together.

    Raises subprocess.CalledProcessError if it fails.
    """
    start, most = time.perf_counter(), 0
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while process.poll() is None:
            most = max(most, _held(process.pid))
            time.sleep(POLL)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, list(command))
    return time.perf_counter() - start, most


def _held(pid: int) -> int:
    """Bytes that a process and its children hold."""
    try:
        parent = psutil.Process(pid)
        return sum(each.memory_info().rss for each in (parent, *parent.children(recursive=True)))
    except psutil.Error:  # it has ended
        return 0


def table(found: Sequence[Measured]) -> Table:
    columns = ("rows", "load", "report", "report --to", "memory", "pages", "first page")
    rows = [
        (
            f"{each.rows:,}",
            *(seconds(value) for value in (each.load, each.report, each.pages)),
            *(f"{scaled(value)}B" for value in (each.memory, each.folder, each.first)),
        )
        for each in found
    ]
    return Table("Reports of many rows", columns, rows, right=columns, note=NOTE)


NOTE = (
    "load: gaugeblock.load, report: as the terminal has it, report --to: as pages; each in a process of its "
    "own. memory: the most that all of its processes hold together. first page: what a browser loads first."
)
