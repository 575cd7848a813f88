"""Runs of one machine under several instruction sets: counts of statuses, and the cells that change."""

from typing import TYPE_CHECKING

from bench.machine.isa import LEVELS
from bench.report.overview import BACKENDS, ordered
from bench.report.table import GLYPHS, Section, Table
from bench.store.row import STATUSES
from bench.store.rows import CELL

if TYPE_CHECKING:
    from pandas import DataFrame

OWN = "the CPU's own"
NOTE = (
    "limit: the widest instruction set that frameworks were told to use (--isa). reported: the one that they "
    "say they use; TensorFlow's own kernels have no such switch and report nothing."
)


def instruction_sets(rows: "DataFrame") -> list[Section]:
    """Statuses by instruction set and framework, then the cells whose status changes between sets.

    `rows` have the settings of their run, as `bench.report.header.setups` returns them. Empty for rows of one
    instruction set.
    """
    rows = rows.assign(level=rows["settings"].str.extract("at most ([a-z0-9]+)")[0].fillna(OWN))
    levels = ordered(rows["level"], [*LEVELS, OWN])
    if len(levels) < 2:
        return []
    statuses = [status for status in STATUSES if (rows["status"] == status).any()]
    backends = ordered(rows["backend"], BACKENDS)
    lines = []
    for level in levels:
        for backend in backends:
            mine = rows[(rows["level"] == level) & (rows["backend"] == backend)]
            read = ", ".join(sorted(set(mine["isa"]) - {""}))
            counts = [str((mine["status"] == status).sum() or "") for status in statuses]
            lines.append((level, backend, read, *counts))
    columns = ("limit", "backend", "reported", *statuses)
    table = Table("Status by instruction set", columns, lines, right=columns[3:], note=NOTE)
    return [table, *_changing(rows, levels)]


def _changing(rows: "DataFrame", levels: list[str]) -> list[Section]:
    """The cells that ran under every instruction set and have more than one status."""
    place = [*(name for name in CELL if name != "run_id"), "machine"]
    wide = rows.drop_duplicates([*place, "level"], keep="last").pivot(
        index=place, columns="level", values="status"
    )
    whole = wide.dropna()
    found = whole[whole.nunique(axis=1) > 1]
    lines = [
        (
            f"{case}/{option}/{regime}/{size} {contender} {mode} {dtype} {direction}",
            *(GLYPHS[found.at[index, level]] for level in levels),
        )
        for index in found.index
        for case, option, regime, size, contender, _, mode, _, dtype, direction, *_ in [index]
    ]
    title = "Cells that change with the instruction set"
    if not lines:
        return [Table(title, ("cells that ran under each", "change"), [(f"{len(whole):,}", "0")])]
    return [Table(title, (f"of {len(whole):,}", *levels), lines)]
