"""The command that runs a row's cell again, built from its coordinates and from known options only."""

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
# options that a run adds to the command of every cell
OPTIONS = re.compile(rf"(?: --threads [1-9][0-9]{{0,3}}| --as-shipped| --isa (?:{'|'.join(LEVELS)}))*")


def rerun(row: Mapping[str, Any], plugins: Sequence[str] = ()) -> str:
    """The command, or empty if the coordinates are not valid names: a row may come from anybody.

    A backend in a file is named only if it is in `plugins`, which the user has named.
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
