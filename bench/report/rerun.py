"""The command that runs a row's cell again: made of its coordinates, and of its text only what is ours."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import fields
from functools import cache
from importlib.metadata import entry_points
from typing import Any

from bench.backends import FURTHER, SHIPPED
from bench.cells.cell import Cell
from bench.machine.isa import LEVELS
from bench.report.table import command

# a coordinate as pages and backends name them: no path, no option, nothing that a shell or pytest reads
NAME = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.,:+=-]*[A-Za-z0-9_])?", re.ASCII)
# what a run of ours puts behind the commands of all its cells
OPTIONS = re.compile(rf"(?: --threads [1-9][0-9]{{0,3}}| --as-shipped| --isa (?:{'|'.join(LEVELS)}))*")


def rerun(row: Mapping[str, Any], plugins: Sequence[str] = ()) -> str:
    """The command, or nothing for a row whose coordinates no suite writes. Anybody may have written the row.

    A backend that is code in a file is named only where the user has named it, among `plugins`.
    """
    cell = Cell(**{each.name: row[each.name] for each in fields(Cell)})
    names = (getattr(cell, each.name) for each in fields(Cell) if each.name not in ("seed", "backend"))
    if not all(NAME.fullmatch(each) for each in names) or cell.seed < 0:
        return ""
    if cell.backend not in (*SHIPPED, *FURTHER, *plugins, *_installed()):
        return ""
    own, text = cell.command(), str(row["command"])
    options = text.removeprefix(own) if text.startswith(own) else ""
    return command(own + options if OPTIONS.fullmatch(options) else own)


@cache
def _installed() -> list[str]:
    return [entry.name for entry in entry_points(group="gaugeblock.backends") if NAME.fullmatch(entry.name)]
