"""A run of several seeds, one line a cell: how it ended over them, and how near to its gate it came.

The rows of twenty seeds are tens of megabytes; this is what is published of them.
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
    """One line a cell: how many of its seeds ended how, its z_rms over them, its worst z and fewest bits."""
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
    """What ran, with its rate of false alarms, and each cell that neither agrees nor has its cause traced."""
    alarms = rows[~rows["status"].isin(HONEST)]
    items = [(f"{row['status']}: {row['why']}", rerun(row)) for row in alarms.to_dict("records")]
    machines, environments = records([folder])
    rows = rows.assign(run_environment=key(record(folder, "environment")))
    seeds = " ".join(f"--seed {seed}" for seed in sorted(rows["seed"].unique()))
    note = (
        "Cells that neither agree, nor have a Limit or a reason to be absent." if items else "There are none."
    )
    return [
        Listing("Command", [("made by", f"pytest suites/ {seeds}")]),
        header(setups(rows), machines, environments, moments(folder)),
        Listing("Alarms", items, note=note),
    ]


def write(rows: "DataFrame", folder: Path, root: Path) -> list[Path]:
    """`<date>-seeds.md` and `.csv` in the machine's folder of `root`; raises ValueError for a lone seed."""
    if rows["seed"].nunique() < 2:
        raise ValueError(f"run {folder}: got one seed, should be several: pytest suites/ --seed 0 --seed 1")
    home = machine_folder(folder, root)
    page, table = (home / f"{date(folder)}-seeds{suffix}" for suffix in (".md", ".csv"))
    page.write_text(f"# Several seeds\n\n{markdown(sections(rows, folder))}", encoding="utf-8")
    over(rows).to_csv(table, index=False, float_format="%.4g")
    return [page, table]
