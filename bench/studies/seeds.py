"""Summarizes a run of several seeds, one line per cell: statuses, and the range of errors over limits.

The rows of twenty seeds are tens of megabytes; only this summary is published.
"""

from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

from bench.cells.cell import Cell
from bench.machine.records import key
from bench.report.header import header, setups
from bench.report.rerun import rerun
from bench.report.table import Listing, Section, markdown
from bench.store.results import date, machine_folder
from bench.store.row import STATUSES
from bench.store.rows import moments, record, records

if TYPE_CHECKING:
    from pandas import DataFrame

COORDINATES = [each.name for each in fields(Cell) if each.name != "seed"]
HONEST = ("agrees", "limited", "absent", "missing")


def over(rows: "DataFrame") -> "DataFrame":
    """One line per cell: the number of seeds by status, the range of z_rms, the worst z, the fewest bits."""
    cells = rows.groupby(COORDINATES, sort=False, observed=True)
    ends = rows.groupby([*COORDINATES, "status"], sort=False, observed=True).size().unstack(fill_value=0)
    figures = cells.agg(
        z_rms_least=("z_rms", "min"),
        z_rms_median=("z_rms", "median"),
        z_rms_most=("z_rms", "max"),
        z_worst=("z_worst", "max"),
        bits=("bits", "min"),
    )
    known = [status for status in STATUSES if status in ends]
    return cells.size().to_frame("seeds").join(ends[known]).join(figures).reset_index()


def sections(rows: "DataFrame", folder: Path) -> list[Section]:
    """The setup of the run, and each cell that neither agrees nor has a known reason."""
    alarms = rows[~rows["status"].isin(HONEST)]
    items = [(f"{row['status']}: {row['why']}", rerun(row)) for row in alarms.to_dict("records")]
    machines, environments = records([folder])
    rows = rows.assign(run_environment=key(record(folder, "environment")))
    seeds = " ".join(f"--seed {seed}" for seed in sorted(rows["seed"].unique()))
    note = "Cells that do not agree and have no Limit or reason to be absent." if items else "There are none."
    return [
        Listing("Command", [("made by", f"pytest suites/ {seeds}")]),
        header(setups(rows), machines, environments, moments(folder)),
        Listing("Alarms", items, note=note),
    ]


def write(rows: "DataFrame", folder: Path, root: Path) -> list[Path]:
    """Write `<date>-seeds.md` and `.csv` to the machine's folder in `root`; ValueError for a single seed."""
    if rows["seed"].nunique() < 2:
        raise ValueError(f"run {folder}: got one seed, should be several: pytest suites/ --seed 0 --seed 1")
    home = machine_folder(folder, root)
    page, table = (home / f"{date(folder)}-seeds{suffix}" for suffix in (".md", ".csv"))
    page.write_text(f"# Several seeds\n\n{markdown(sections(rows, folder))}", encoding="utf-8")
    over(rows).to_csv(table, index=False, float_format="%.4g")
    return [page, table]
