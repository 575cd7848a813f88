"""Writes the published report: its pages, and the data that they load from the file system."""

import json
import shutil
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.report.formulas import kept
from bench.report.header import setups
from bench.report.prices import Prices
from bench.report.ratios import compare
from bench.report.sections import NONE
from bench.report.write import Paths, read
from bench.site.data import Report
from bench.site.machines import hardware
from bench.store.results import write
from bench.store.suite import suite

STATIC = ("index.html", "style.css", "app.js")
MARK = "gaugeblock.txt"  # a folder without it is not ours, and is not written over
SAID = "This folder is a report of Gaugeblock. `gaugeblock report --to` writes it anew.\n"


def publish(
    paths: Paths,
    to: Path,
    *,
    lenient: bool = False,
    said: Callable[[str], None] = lambda text: None,
    prices: Prices | None = None,
) -> Path:
    """Write the report on these runs to a folder; returns its page.

    Raises ValueError for a folder that holds something else, and if there are no rows.
    """
    _check(to)
    rows, machines, environments = read(paths, lenient=lenient)
    if rows.empty:
        raise ValueError(NONE)
    beside = hardware(compare(setups(rows), prices), machines)
    report = Report(rows, machines, environments, kept(map(Path, paths)))
    index = report.index() | {"built": datetime.now(UTC).date().isoformat(), "suite": suite()}
    to.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=f".{to.name}-", dir=to.parent, ignore_cleanup_errors=True) as folder:
        whole = Path(folder, to.name)
        _write(report, index, beside, whole, said)
        if to.exists():
            shutil.rmtree(to)
        whole.rename(to)
    return to / STATIC[0]


def _write(
    report: Report, index: Mapping[str, Any], beside: Mapping[str, Any], to: Path, said: Callable[[str], None]
) -> None:
    data = to / "data"
    data.mkdir(parents=True)
    write(to / MARK, SAID)
    for name in STATIC:
        write(to / name, (files("bench.site") / "static" / name).read_text(encoding="utf-8"))
    _part(data, "index", index)
    _part(data, "hardware", beside)
    for place, run in enumerate(report.runs):
        said(f"run {place + 1} of {len(report.runs)}: {run}")
        _part(data, f"verdicts-{place}", report.verdicts(run))
        _part(data, f"speed-{place}", report.speeds(run))
        _part(data, f"cells-{place}", report.cells(run))
        for number, formula in report.formulas_of(run):
            _part(data, f"formula-{number}-{place}", formula)


def _check(to: Path) -> None:
    """Raise ValueError unless the folder is new, empty or a report."""
    if to.is_dir() and any(to.iterdir()) and not (to / MARK).is_file():
        raise ValueError(
            f"--to: got {to}, which holds something else, should be a new folder or a report of before"
        )
    if to.exists() and not to.is_dir():
        raise ValueError(f"--to: got {to}, which is a file, should be a folder")


def _part(folder: Path, name: str, value: Any) -> None:
    """A script that hands the value to the page: from the file system, pages may load scripts alone."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    text = text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    write(folder / f"{name}.js", f"GB.put({json.dumps(name)},{text});\n")
