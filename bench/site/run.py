"""What the pages show of one run, as values that JSON can hold. `rows` are those of that run."""

import inspect
import math
import textwrap
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import fields
from functools import cache
from typing import TYPE_CHECKING, Any

from bench import pages
from bench.cells.cell import Cell
from bench.report.frames import agreement
from bench.report.growth import panels
from bench.report.header import Records, cards, environment_line, machine_line
from bench.report.overview import BACKENDS, DTYPES, WAYS, ordered
from bench.report.workloads import DISPATCH, Line, split, typical, unit
from bench.site.machines import multiples
from bench.site.numbers import Values, short_number, short_numbers
from bench.store.row import COLUMNS
from bench.store.rows import INTEGERS, NUMBERS, day

if TYPE_CHECKING:
    from pandas import DataFrame, Series

MOST = 60_000  # cells that the list of all cells has; of a larger run only those that do not agree
# columns that all rows of a run share, or that the page makes from others
APART = ("run_id", "machine", "suite", "run_environment", "case")
EXACT = ("got", "expected")  # which may differ in the last digit alone
TEXTS, REALS = COLUMNS.keys() - NUMBERS, NUMBERS - INTEGERS - {*EXACT}
LISTED = (
    "case", "option", "regime", "size", "contender", "backend", "mode", "device", "dtype", "direction",
    "seed", "status", "bits", "median_s",
)  # fmt: skip
CELL = tuple(each.name for each in fields(Cell))
# what is shown of a speed, and what a workload is found by: few columns, because each costs time
SPEED = [
    *CELL, "settings", "on", "variant", "title", "place", "curve", "main", "first", "status", "bits", "bound",
    "series", "median_s", "low_s", "high_s", "half", "ratio", "ratio_from", "ratio_to", "share", "throughput",
    "unit", "flops",
]  # fmt: skip


def names(rows: "DataFrame") -> list[str]:
    """The names of the formulas, in the order of the pages; what no page has comes last."""
    return ordered([str(each) for each in rows["case"].drop_duplicates()], list(pages.cases()))


def about(rows: "DataFrame", machines: Records, environments: Records) -> Values:
    """The run itself: machine, software, and how many cells of which status; its formulas by name."""
    first = rows.iloc[0]
    run, machine = str(first["run_id"]), machines.get(str(first["machine"]), {})
    around = environments.get(str(first["run_environment"]), {})
    threads = rows["threads"].dropna()
    versions = rows[rows["version"] != ""].drop_duplicates("backend")
    return {
        "id": run,
        "date": day(run),
        "machine": str(first["machine"]),
        "cpu": str(machine.get("cpu") or "machine not recorded"),
        "gpus": cards(machine),
        "about": machine_line(machine, str(first["machine"])),
        "around": environment_line(around, str(first["run_environment"])),
        "threads": int(threads.max()) if len(threads) else None,
        "settings": str(rows["settings"].max() or ""),  # cells that did not run have none
        "suite": str(first["suite"] or ""),
        "versions": {
            str(row["backend"]): str(row["version"])
            for row in versions[["backend", "version"]].to_dict("records")
        },
        "packages": _packages(around),
        "formulas": names(rows),
        "backends": ordered([str(each) for each in rows["backend"].drop_duplicates()], BACKENDS),
        "dtypes": ordered([str(each) for each in rows["dtype"].drop_duplicates()], DTYPES),
        "cells": len(rows),
        "speeds": int(rows["median_s"].notna().sum()),
        "statuses": {str(name): int(number) for name, number in rows["status"].value_counts().items()},
    }


def _packages(around: Mapping[str, Any]) -> dict[str, str]:
    found = around.get("packages")
    return {str(name): str(version) for name, version in found.items()} if isinstance(found, Mapping) else {}


def verdicts(rows: "DataFrame") -> Values:
    """By dtype, formula, framework and direction: the worst status, the fewest bits, and the cells."""
    by = ("dtype", "case", "backend", "way")
    way = rows["direction"].map(WAYS).fillna("fwd")
    found = agreement(rows[[*by[:-1], "status", "bits"]].assign(way=way), by)
    told: Values = {}
    for dtype, case, backend, way, worst, bits, cells, agreeing in found.itertuples(index=False):
        line = told.setdefault(dtype, {}).setdefault(case, {}).setdefault(backend, {})
        shown = max(round(bits), 0) if math.isfinite(bits) else None
        line[way] = [worst, shown, int(cells), int(agreeing)]
    return told


def workloads(timed: "DataFrame", named: Sequence["DataFrame"]) -> Values:
    """The workloads, of `bench.report.workloads.races`: headlines, what one call costs, time over size.

    `named` are the headlines of these speeds.
    """
    lines = dict(zip(timed.index, timed[SPEED].to_dict("records"), strict=True))
    first = typical(timed[timed["first"] & (timed["title"] == "")])
    others = split((lines[at] for at in first.index), "case", "direction", "device").values()
    found = [[lines[at] for at in each.index] for each in named]
    shown = [_workload(each, str(each[0]["title"])) for each in found]
    return {
        "headlines": shown,
        "multiples": multiples(shown),
        "calls": [_workload(each, str(each[0]["case"])) for each in others],
        "growth": [
            {
                "title": panel.title,
                "unit": panel.unit,
                "curves": {
                    name: [
                        [short_number(x) for x in (point.items, point.seconds, point.half)]
                        + [point.dispatch, point.own]
                        for point in curve
                    ]
                    for name, curve in panel.curves.items()
                },
            }
            for panel in panels(timed)
        ],
    }


def _workload(rows: Sequence[Line], title: str) -> Values:
    """A workload with the fastest contender of each framework; those bound by dispatch are marked."""
    by = split(rows, "backend").values()
    fastest = [(min(mine, key=lambda row: row["median_s"]), len(mine) - 1) for mine in by]
    first = rows[0]
    return {
        "title": title,
        **{name: str(first[name]) for name in ("case", "size", "device", "dtype", "direction")},
        "main": str(first["direction"]) == str(first["main"]),
        "unit": unit(first),
        "contenders": [
            _contender(row, others) for row, others in sorted(fastest, key=lambda each: each[0]["median_s"])
        ],
    }


def _contender(row: Mapping[Any, Any], others: int) -> Values:
    numbers = {
        "median": row["median_s"], "low": row["low_s"], "high": row["high_s"], "ratio": row["ratio"],
        "ratio_low": row["ratio_from"], "ratio_high": row["ratio_to"], "share": row["share"],
        "rate": row["throughput"], "bits": row["bits"],
    }  # fmt: skip
    return {name: short_number(value) for name, value in numbers.items()} | {
        **{name: str(row[name]) for name in ("backend", "contender", "mode", "status")},
        "dispatch": row["bound"] == DISPATCH,
        "series": str(row["series"] or ""),
        "others": others,
        "cell": str(Cell(*(row[name] for name in CELL))),
    }


def cells(rows: "DataFrame") -> Values:
    """All cells in columns, texts as places in a dictionary; of a large run what departs."""
    every = len(rows)
    if every > MOST:
        rows = rows[~rows["status"].isin(("agrees", "absent", "missing"))]
    columns: Values = {}
    for name in LISTED:
        if name in ("seed", "bits", "median_s"):
            columns[name] = _values(rows[name])
        else:
            values = rows[name].tolist()
            known = {each: place for place, each in enumerate(dict.fromkeys(values))}
            columns[name] = {"texts": list(known), "at": [known[each] for each in values]}
    return {"columns": columns, "rows": len(rows), "of": every}


def formulas(rows: "DataFrame") -> Iterator[Values]:
    """For each formula, in the order of `names`: every row in columns, and the code that ran."""
    # lists, taken apart by formula: pandas takes longer for each small frame than for all of its values
    places = rows.groupby("case", sort=False, observed=True).indices
    order = [(name, places[name]) for name in names(rows)]
    rows = rows.iloc[[at for _, mine in order for at in mine]]
    columns = _filled({str(name): _values(rows[name]) for name in rows.columns if name not in APART})
    ids = [str(Cell(*row)) for row in rows[list(CELL)].itertuples(index=False)]
    who = [*zip(rows["backend"], rows["contender"], strict=True)]
    start = 0
    for name, found in order:
        part = slice(start, start := start + len(found))
        mine = _filled({column: values[part] for column, values in columns.items()})
        yield {"ids": ids[part], "columns": mine, "code": _code(name, {*who[part]})}


def _filled(columns: Mapping[str, list[Any]]) -> dict[str, list[Any]]:
    """The columns that hold something."""
    return {
        name: values
        for name, values in columns.items()
        if values.count("") + values.count(None) < len(values)
    }


def _values(column: "Series") -> list[Any]:
    """The values of a column, None for those that are missing."""
    if column.name in TEXTS:
        return column.tolist()
    if column.name in REALS:
        return short_numbers(column.tolist())
    given = zip(column.tolist(), column.isna().tolist(), strict=True)
    values = [None if missing else value for value, missing in given]
    return values if column.name in NUMBERS else list(map(short_number, values))


def _code(name: str, ran: Collection[tuple[str, str]]) -> dict[str, str]:
    """The build of each contender that ran, as the page has it, by framework and contender."""
    return {" ".join(pair): code for pair, code in _builds(name).items() if pair in ran}


@cache
def _builds(name: str) -> Mapping[tuple[str, str], str]:
    found = {}
    for each in pages.cases()[name].contenders if name in pages.cases() else ():
        with suppress(OSError, TypeError):
            build = getattr(each.build, "func", each.build)
            found[each.backend, str(each)] = textwrap.dedent(inspect.getsource(build)).rstrip()
    return found
