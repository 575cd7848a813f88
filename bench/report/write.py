"""The report of runs on disk: read, printed to a terminal, and written beside the rows as Markdown."""

import os
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

from bench.machine.records import key
from bench.report.curves import draw
from bench.report.documents import Document
from bench.report.documents import files as documents
from bench.report.formulas import keep as keep_formulas
from bench.report.growth import draw as draw_growth
from bench.report.growth import panels
from bench.report.header import Records, setups
from bench.report.kill_matrix import matrix
from bench.report.kill_matrix import read as fates
from bench.report.limits import LIMITS, brief, page
from bench.report.prices import Prices
from bench.report.sections import NONE, own, report
from bench.report.sections import sections as sections
from bench.report.table import Listing, Section, markdown
from bench.report.table import console as terminal
from bench.report.table import show as print_sections
from bench.report.workloads import speeds
from bench.store.lines import Told, refuse
from bench.store.results import write as write_whole
from bench.store.rows import (
    RECORDS,
    WORKERS,
    all_files,
    curves,
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

Paths = Sequence[str | os.PathLike[str]]


def kills(folder: Path, told: Told = refuse) -> list[Section]:
    """The kill matrix of a run, or nothing. `told` as in `bench.store.lines`."""
    found = fates(folder, told)
    return matrix(found) if found else []


def read(paths: Paths, *, lenient: bool = False, jobs: int = 1) -> tuple["DataFrame", Records, Records]:
    """The rows at several paths as one frame, and the records of their machines and environments by key.

    The rows have one more column, `run_environment`, which `header.setups` uses. `lenient` skips lines that
    are not rows. Skipped lines and unreadable records are listed in ``attrs["left"]``. `jobs` is how many
    processes read large files.
    """
    left: list[str] = []
    rows = load(paths, lenient=lenient, told=left.append, jobs=jobs)
    machines: dict[str, Any] = {}
    environments: dict[str, Any] = {}
    keys: dict[str, str] = {}  # environment keys by run
    for file in all_files(paths):
        machine, own = (heard(partial(record, file, kind), left.append) for kind in RECORDS)
        workers = heard(partial(stored, file, WORKERS), left.append)
        machines[key(machine)] = machine
        environments |= {key(each): each for each in (own, *workers)}
        keys |= {run_id(file): key(own)} if own else {}
    met = rows.groupby("run_id", observed=True)["environment"].transform("max")  # without a record
    pairs = zip(rows["run_id"], met, strict=True)
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
    found = all_files(paths)
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
    prices: Prices | None = None,
) -> None:
    """Print the report on the rows at these paths, at 100 columns."""
    read_all = read(paths, lenient=lenient, jobs=os.cpu_count() or 1)
    found = sections(*read_all, every=every, plugins=plugins, prices=prices, **beside(paths))
    print_sections(found, console or terminal())


def departures(paths: Paths) -> list[Section]:
    """The known departures, and what the rows at these paths show of each."""
    rows, _, environments = read(paths)
    if rows.empty:
        raise ValueError(NONE)
    none = Listing("Known departures", [("none in these rows; suites/limits/ has all of them", "")])
    return brief(rows, environments) or [none]


def text(paths: Paths, *, lenient: bool = False, prices: Prices | None = None) -> str:
    """The whole report on the rows at these paths, as Markdown."""
    rows = read(paths, lenient=lenient, jobs=os.cpu_count() or 1)
    found = sections(*rows, every=True, prices=prices, **beside(paths))
    return f"# Gaugeblock report\n\n{markdown(found)}"


def write(folder: Path) -> Path:
    """Write a run's report.md, its further files and its drawings beside its rows; returns report.md."""
    found = beside([folder])
    left = found["left"]
    losses = heard(partial(curves, folder), left.append)
    figures = own("curves", lambda: draw(losses, folder), left)
    mutants = own("mutants", lambda: heard(partial(kills, folder), left.append), left)
    rows, machines, environments = read([folder])
    drawn = own("growth", lambda: draw_growth(panels(speeds(setups(rows))), folder), left)
    keep_formulas(folder, rows["case"].drop_duplicates())
    made = report(
        rows, machines, environments, every=True, figures=figures, drawn=drawn, kills=mutants, **found
    )
    known = Document(
        LIMITS, "Known departures", "what departs, in which release, why, and how far",
        page(rows, environments),
    )  # fmt: skip
    for name, words in documents(replace(made, documents=[*made.documents, known])).items():
        file = write_whole(folder / name, words)
    return file
