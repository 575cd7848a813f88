"""What the pages show of one run, as values that JSON can hold. `rows` are those of that run."""

import inspect
import math
import textwrap
from collections.abc import Collection, Iterator, Mapping
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
from bench.report.workloads import DISPATCH, headlines, typical, unit
from bench.report.workloads import speeds as timed_rows
from bench.site.machines import multiples
from bench.site.numbers import Values, short_number
from bench.store.rows import day

if TYPE_CHECKING:
    from pandas import DataFrame

MOST = 60_000  # cells that the list of all cells has; of a larger run only those that do not agree
# columns that all rows of a run share, or that the page makes from others
APART = ("run_id", "machine", "suite", "run_environment", "case")
EXACT = ("got", "expected")  # which may differ in the last digit alone
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
    rows = rows.assign(way=rows["direction"].map(WAYS).fillna("fwd"))
    found = agreement(rows, by=("dtype", "case", "backend", "way"))
    told: Values = {}
    for dtype, case, backend, way, worst, bits, cells, agreeing in found.itertuples(index=False):
        line = told.setdefault(dtype, {}).setdefault(case, {}).setdefault(backend, {})
        shown = max(round(bits), 0) if math.isfinite(bits) else None
        line[way] = [worst, shown, int(cells), int(agreeing)]
    return told


def speeds(rows: "DataFrame") -> Values:
    """The workloads: headlines as in a report, then what one call costs, and time over size."""
    timed = timed_rows(rows.assign(on=""))[SPEED]
    first = typical(timed[timed["first"] & (timed["title"] == "")])
    others = [mine for _, mine in first.groupby(["case", "direction", "device"], sort=False)]
    found = [_workload(each, str(each.iloc[0]["title"])) for each in headlines(timed)]
    return {
        "headlines": found,
        "multiples": multiples(found),
        "calls": [_workload(each, str(each.iloc[0]["case"])) for each in others],
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


def _workload(group: "DataFrame", title: str) -> Values:
    """A workload with the fastest contender of each framework; those bound by dispatch are marked."""
    rows = group.to_dict("records")
    by: dict[str, list[dict[Any, Any]]] = {}
    for row in rows:
        by.setdefault(str(row["backend"]), []).append(row)
    fastest = [(min(mine, key=lambda row: row["median_s"]), len(mine) - 1) for mine in by.values()]
    first = rows[0]
    return {
        "title": title,
        **{name: str(first[name]) for name in ("case", "size", "device", "dtype", "direction")},
        "main": str(first["direction"]) == str(first["main"]),
        "unit": unit(group),
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
    kept = [name for name in rows.columns if name not in APART and _holds(rows[name])]
    columns = {str(name): _values(rows[name], exact=name in EXACT) for name in kept}
    ids = [str(Cell(*row)) for row in rows[list(CELL)].itertuples(index=False)]
    places = rows.groupby("case", sort=False, observed=True).indices
    for name in names(rows):
        at = places[name]
        mine = {column: [values[each] for each in at] for column, values in columns.items()}
        ran = set(zip(mine["backend"], mine["contender"], strict=True))
        yield {"ids": [ids[each] for each in at], "columns": _filled(mine), "code": _code(name, ran)}


def _holds(column: Any) -> bool:
    """Whether a column holds something."""
    found = column[column.notna()]
    return len(found) > 0 and (found.dtype.kind in "biuf" or bool((found != "").any()))


def _filled(columns: Mapping[str, list[Any]]) -> dict[str, list[Any]]:
    """The columns that hold something."""
    return {
        name: values
        for name, values in columns.items()
        if any(each is not None and each != "" for each in values)
    }


def _values(column: Any, exact: bool = False) -> list[Any]:
    """The values of a column, None for those that are missing."""
    shown = (lambda value: value) if exact else short_number
    given = zip(column.tolist(), column.isna().tolist(), strict=True)
    return [None if missing else shown(value) for value, missing in given]


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
