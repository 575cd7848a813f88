"""The report: pure functions from a DataFrame of rows to tables, for the terminal and for Markdown."""

import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

from bench.machine.records import key
from bench.report import findings
from bench.report.arithmetic import arithmetic
from bench.report.curves import draw
from bench.report.findings import limited, scores, unrun
from bench.report.formulas import keep as keep_formulas
from bench.report.growth import draw as draw_growth
from bench.report.growth import growth, panels
from bench.report.header import Records, header, setups
from bench.report.instruction_sets import instruction_sets
from bench.report.kill_matrix import matrix
from bench.report.kill_matrix import read as fates
from bench.report.latency import latency
from bench.report.limits import LIMITS, brief, gone, page, unneeded
from bench.report.overview import verdict
from bench.report.read_back import read_back
from bench.report.roofs import roofs as roof_table
from bench.report.speeds import detail, summary, throughput
from bench.report.table import Listing, Section, markdown
from bench.report.table import console as terminal
from bench.report.table import show as print_sections
from bench.report.variants import conventions
from bench.report.workloads import speeds
from bench.store.lines import Told, refuse
from bench.store.results import REPORT
from bench.store.results import write as write_whole
from bench.store.row import sentence
from bench.store.rows import (
    RECORDS,
    WORKERS,
    curves,
    files,
    fingerprints,
    heard,
    load,
    moments,
    record,
    roofs,
    run_id,
)
from bench.store.rows import beside as stored

if TYPE_CHECKING:
    from pandas import DataFrame
    from rich.console import Console

NONE = "report: got no rows, should be at least one; `gaugeblock run` makes them"
LEFT = (
    "The tables are made without these lines and records. Restore the files, or continue the run where it "
    "was interrupted: `pytest suites/ --results RUN`."
)

Paths = Sequence[str | os.PathLike[str]]


def sections(
    rows: "DataFrame",
    machines: Records | None = None,
    environments: Records | None = None,
    *,
    every: bool = False,
    figures: Sequence[Section] = (),
    drawn: Sequence[Section] = (),
    prints: Sequence[Mapping[str, Any]] = (),
    moments: Sequence[Mapping[str, Any]] = (),
    reached: Sequence[Mapping[str, Any]] = (),
    left: Sequence[str] = (),
    plugins: Sequence[str] = (),
) -> list[Section]:
    """The sections of the report. `every` adds every contender of every workload, and every sentence.

    `figures` are loss curves, `drawn` is time over size, `left` lists what could not be read, and `plugins`
    are the backends that the user has named. A bad record costs only its own table.
    """
    if rows.empty:
        raise ValueError(NONE)
    lacking = [*rows.attrs.get("left", ()), *left]
    rows = setups(rows)
    timed = speeds(rows)
    found = [
        *verdict(rows),
        *findings.departures(rows, every=every, plugins=plugins),
        *scores(rows),
        *figures,
        *throughput(timed),
        *summary(timed),
        *latency(timed),
        *drawn,
        *growth(panels(timed)),
        *conventions(rows),
        *instruction_sets(rows),
        *limited(rows),
        *gone(rows, environments),
        *unneeded(rows, environments),
        *unrun(rows, every=every),
        *_own("fingerprints", lambda: arithmetic(prints), lacking),
        *(_own("environments", lambda: read_back(rows, environments or {}), lacking) if every else []),
        *(_own("roofs", lambda: roof_table(reached), lacking) if every else []),
        *(detail(timed) if every else []),
    ]
    shown = [Listing("Left out", [(each, "") for each in lacking], LEFT)] if lacking else []
    return [header(rows, machines or {}, environments or {}, moments), *shown, *found]


def _own(name: str, table: Callable[[], Sequence[Section]], lacking: list[str]) -> Sequence[Section]:
    """The table made from records beside the rows, or a sentence if the records are invalid."""
    try:
        return table()
    except Exception as error:  # any kind, depending on what the file holds
        lacking.append(
            f"{name}: got records of another shape ({sentence(error)}), should be as a run writes them"
        )
        return ()


def kills(folder: Path, told: Told = refuse) -> list[Section]:
    """The kill matrix of a run, or nothing. `told` as in `bench.store.lines`."""
    found = fates(folder, told)
    return matrix(found) if found else []


def read(paths: Paths, *, lenient: bool = False) -> tuple["DataFrame", Records, Records]:
    """The rows at several paths as one frame, and the records of their machines and environments by key.

    The rows have one more column, `run_environment`, which `header.setups` uses. `lenient` skips lines that
    are not rows. Skipped lines and unreadable records are listed in ``attrs["left"]``.
    """
    import pandas as pd

    left: list[str] = []
    rows = pd.concat([load(path, lenient=lenient, told=left.append) for path in paths], ignore_index=True)
    machines: dict[str, Any] = {}
    environments: dict[str, Any] = {}
    keys: dict[str, str] = {}  # environment keys by run
    for file in (file for path in paths for file in files(path)):
        machine, own = (heard(partial(record, file, kind), left.append) for kind in RECORDS)
        workers = heard(partial(stored, file, WORKERS), left.append)
        machines[key(machine)] = machine
        environments |= {key(each): each for each in (own, *workers)}
        keys |= {run_id(file): key(own)} if own else {}
    pairs = zip(rows["run_id"], rows["environment"], strict=True)
    rows = rows.assign(run_environment=[keys.get(run, worker) for run, worker in pairs])
    rows.attrs = {"left": left} if left else {}
    return rows, machines, environments


class Beside(TypedDict):
    """The other records of a run, as `sections` takes them."""

    prints: list[dict[str, Any]]
    moments: list[dict[str, Any]]
    reached: list[dict[str, Any]]
    left: list[str]


def beside(paths: Paths) -> Beside:
    """The other records of the runs at these paths, and what could not be read."""
    found = [file for path in paths for file in files(path)]
    left: list[str] = []
    prints, looked, reached = (
        [each for file in found for each in heard(partial(kind, file), left.append)]
        for kind in (fingerprints, moments, roofs)
    )
    return Beside(prints=prints, moments=looked, reached=reached, left=left)


def show(
    paths: Paths,
    console: "Console | None" = None,
    *,
    every: bool = False,
    lenient: bool = False,
    plugins: Sequence[str] = (),
) -> None:
    """Print the report on the rows at these paths, at 100 columns."""
    found = sections(*read(paths, lenient=lenient), every=every, plugins=plugins, **beside(paths))
    print_sections(found, console or terminal())


def departures(paths: Paths) -> list[Section]:
    """The known departures, and what the rows at these paths show of each."""
    rows, _, environments = read(paths)
    if rows.empty:
        raise ValueError(NONE)
    none = Listing("Known departures", [("none in these rows; suites/limits/ has all of them", "")])
    return brief(rows, environments) or [none]


def text(paths: Paths, *, lenient: bool = False) -> str:
    """The whole report on the rows at these paths, as Markdown."""
    return _document(sections(*read(paths, lenient=lenient), every=True, **beside(paths)))


def write(folder: Path) -> Path:
    """Write a run's report.md, limits.md, formulas.json and drawings beside its rows."""
    found = beside([folder])
    left = found["left"]
    losses = heard(partial(curves, folder), left.append)
    figures = _own("curves", lambda: draw(losses, folder), left)
    mutants = _own("mutants", lambda: heard(partial(kills, folder), left.append), left)
    rows, machines, environments = read([folder])
    drawn = _own("growth", lambda: draw_growth(panels(speeds(setups(rows))), folder), left)
    keep_formulas(folder, rows["case"].drop_duplicates())
    known = page(rows, environments)
    if known:
        write_whole(folder / LIMITS, "# Known departures\n\n" + markdown(known))
    shown = sections(rows, machines, environments, every=True, figures=figures, drawn=drawn, **found)
    shown += mutants
    link = f"[Known departures]({LIMITS}): what departs, in which release, why, and how far.\n\n"
    return write_whole(folder / REPORT, _document(shown, link if known else ""))


def _document(found: Sequence[Section], links: str = "") -> str:
    return f"# Gaugeblock report\n\n{links}{markdown(found)}"
