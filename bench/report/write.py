"""The report: pure functions from a DataFrame of rows to tables, for the terminal and for Markdown."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

from bench.machine.records import key
from bench.report import findings
from bench.report.arithmetic import arithmetic
from bench.report.curves import draw
from bench.report.findings import limited, scores, unrun
from bench.report.header import Records, header, setups
from bench.report.instruction_sets import instruction_sets
from bench.report.kill_matrix import matrix
from bench.report.kill_matrix import read as fates
from bench.report.limits import LIMITS, brief, gone, page, unneeded
from bench.report.overview import verdict
from bench.report.read_back import read_back
from bench.report.roofs import roofs as roof_table
from bench.report.speeds import detail, speeds, summary
from bench.report.table import Section, markdown
from bench.report.table import show as print_sections
from bench.report.variants import conventions
from bench.store.results import REPORT
from bench.store.results import write as write_whole
from bench.store.rows import curves, files, fingerprints, lines, load, moments, record, records, roofs

if TYPE_CHECKING:
    from pandas import DataFrame
    from rich.console import Console

WIDTH = 100


def sections(
    rows: "DataFrame",
    machines: Records | None = None,
    environments: Records | None = None,
    *,
    every: bool = False,
    figures: Sequence[Section] = (),
    prints: Sequence[Mapping[str, Any]] = (),
    moments: Sequence[Mapping[str, Any]] = (),
    reached: Sequence[Mapping[str, Any]] = (),
) -> list[Section]:
    """The report on these rows. `every` adds each contender of each workload, and each sentence."""
    if rows.empty:
        raise ValueError("report: got no rows, should be at least one; `gaugeblock run` makes them")
    rows = setups(rows)
    timed = speeds(rows)
    return [
        header(rows, machines or {}, environments or {}, moments),
        *verdict(rows),
        *findings.departures(rows, every=every),
        *scores(rows),
        *figures,
        *summary(timed),
        *conventions(rows),
        *instruction_sets(rows),
        *limited(rows),
        *gone(rows, environments),
        *unneeded(rows, environments),
        *unrun(rows, every=every),
        *arithmetic(prints),
        *(read_back(rows, environments or {}) if every else []),
        *(roof_table(reached) if every else []),
        *(detail(timed) if every else []),
    ]


def kills(folder: Path) -> list[Section]:
    """The kill matrix that stands beside a run's rows, or nothing."""
    found = fates(folder)
    return matrix(found) if found else []


def read(paths: Sequence[str | os.PathLike[str]]) -> tuple["DataFrame", Records, Records]:
    """The rows at several paths as one frame, and the records of their machines and environments by key.

    The rows have a column more, `run_environment`: what `header.setups` takes for the environment of a run.
    """
    import pandas as pd

    rows = pd.concat([load(path) for path in paths], ignore_index=True)
    found = [file for path in paths for file in files(path)]
    own = {str(next(lines(file), {}).get("run_id")): record(file, "environment") for file in found}
    keys = {run: key(each) for run, each in own.items() if each}
    pairs = zip(rows["run_id"], rows["environment"], strict=True)
    return rows.assign(run_environment=[keys.get(run, worker) for run, worker in pairs]), *records(found)


def taken(paths: Sequence[str | os.PathLike[str]]) -> list[dict[str, Any]]:
    """The fingerprints beside the rows at several paths."""
    return [each for path in paths for file in files(path) for each in fingerprints(file)]


def looked(paths: Sequence[str | os.PathLike[str]]) -> list[dict[str, Any]]:
    """What the machines were doing at the times that the runs at several paths have looked."""
    return [each for path in paths for file in files(path) for each in moments(file)]


def measured(paths: Sequence[str | os.PathLike[str]]) -> list[dict[str, Any]]:
    """What the backends reached at best, beside the rows at several paths."""
    return [each for path in paths for file in files(path) for each in roofs(file)]


class Beside(TypedDict):
    """What was measured beside the rows, as `sections` takes it."""

    prints: list[dict[str, Any]]
    moments: list[dict[str, Any]]
    reached: list[dict[str, Any]]


def beside(paths: Sequence[str | os.PathLike[str]]) -> Beside:
    """What was measured beside the rows at several paths."""
    return Beside(prints=taken(paths), moments=looked(paths), reached=measured(paths))


def show(
    paths: Sequence[str | os.PathLike[str]], console: "Console | None" = None, *, every: bool = False
) -> None:
    """Print the report on the rows at these paths, at 100 columns."""
    if console is None:
        from rich.console import Console

        console = Console(width=WIDTH, highlight=False)
    found = sections(*read(paths), every=every, **beside(paths))
    print_sections(found, console)


def departures(paths: Sequence[str | os.PathLike[str]]) -> list[Section]:
    """The known departures, and what the rows at these paths say of each."""
    rows, _, environments = read(paths)
    return brief(rows, environments)


def text(paths: Sequence[str | os.PathLike[str]]) -> str:
    """The whole report on the rows at these paths, as Markdown."""
    return _document(sections(*read(paths), every=True, **beside(paths)))


def write(folder: Path) -> Path:
    """Write a run's report.md, its limits.md, and the drawings of its training curves, beside its rows."""
    figures = draw(curves(folder), folder)
    rows, machines, environments = read([folder])
    known = page(rows, environments)
    if known:
        write_whole(folder / LIMITS, "# Known departures\n\n" + markdown(known))
    found = [
        *sections(
            rows,
            machines,
            environments,
            every=True,
            figures=figures,
            **beside([folder]),
        ),
        *kills(folder),
    ]
    link = f"[Known departures]({LIMITS}): what departs, in which release, why, and how far.\n\n"
    return write_whole(folder / REPORT, _document(found, link if known else ""))


def _document(found: Sequence[Section], links: str = "") -> str:
    return f"# Gaugeblock report\n\n{links}{markdown(found)}"
