"""What the pages of the published report show, as values that JSON can hold."""

import inspect
import math
import textwrap
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, fields
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

from bench import pages
from bench.cells.cell import Cell, cell_of
from bench.digits import magnitude
from bench.report.formulas import about
from bench.report.frames import DEPARTURE, agreement
from bench.report.frames import departures as gone_off
from bench.report.growth import panels
from bench.report.header import Records, cards, environment_line, machine_line
from bench.report.overview import BACKENDS, DTYPES, FAILED, WAYS, WORST, ordered, short, significant
from bench.report.workloads import DISPATCH, headlines, speeds, typical, unit
from bench.site.links import links
from bench.site.machines import multiples
from bench.site.numbers import Values, short_number
from bench.store.row import STATUSES, TIMED

if TYPE_CHECKING:
    from pandas import DataFrame

MOST = 60_000  # cells of a run that the list of all cells has; of a larger run only those that do not agree
# columns that all rows of a run share, or that the page makes from others
APART = ("run_id", "machine", "suite", "run_environment", "case")
EXACT = ("got", "expected")  # which may differ in the last digit alone
LISTED = (
    "case", "option", "regime", "size", "contender", "backend", "mode", "device", "dtype", "direction",
    "seed", "status", "bits", "median_s",
)  # fmt: skip


@dataclass(frozen=True)
class Report:
    """The rows of some runs, with the records beside them.

    rows: as `bench.report.write.read` gives them.
    machines, environments: records by key.
    told: what the runs say of their formulas, for those that no page of this version has.
    """

    rows: "DataFrame"
    machines: Records = field(default_factory=dict)
    environments: Records = field(default_factory=dict)
    told: Mapping[str, Values] = field(default_factory=dict)

    @cached_property
    def runs(self) -> list[str]:
        """The ids of the runs, the newest first."""
        return sorted((str(each) for each in self.rows["run_id"].drop_duplicates()), reverse=True)

    @cached_property
    def formulas(self) -> list[str]:
        """The names of the formulas, in the order of the pages; what no page has comes last."""
        return ordered([str(each) for each in self.rows["case"].drop_duplicates()], list(pages.cases()))

    @cached_property
    def backends(self) -> list[str]:
        return ordered([str(each) for each in self.rows["backend"].drop_duplicates()], BACKENDS)

    @cached_property
    def _places(self) -> Mapping[Any, Any]:
        """The places of the rows of each run: to look for them again would take as many looks as runs."""
        return self.rows.groupby("run_id", sort=False, observed=True).indices

    def of(self, run: str) -> "DataFrame":
        return self.rows.take(self._places[run])

    def index(self) -> Values:
        """What every view needs: the runs, the formulas, and what departs."""
        return {
            "statuses": STATUSES,
            "timed": list(TIMED),
            "worst": list(WORST),
            "failed": list(FAILED),
            "backends": [{"name": each, "shown": short(each)} for each in self.backends],
            "dtypes": ordered([str(each) for each in self.rows["dtype"].drop_duplicates()], DTYPES),
            "bits": {each: significant(each) for each in self.rows["dtype"].drop_duplicates()},
            "runs": [self._run(each) for each in self.runs],
            "formulas": [
                {"name": each, **(about(each) if each in pages.cases() else self.told.get(each, about(each)))}
                for each in self.formulas
            ],
            "departures": departures(self.rows, self.runs),
        }

    def _run(self, run: str) -> Values:
        rows = self.of(run)
        first = rows.iloc[0]
        machine = self.machines.get(str(first["machine"]), {})
        around = self.environments.get(str(first["run_environment"]), {})
        threads = rows["threads"].dropna()
        versions = rows[rows["version"] != ""].drop_duplicates("backend")
        return {
            "id": run,
            "date": f"{run[:4]}-{run[4:6]}-{run[6:8]}" if run[:8].isdigit() else "",
            "machine": str(first["machine"]),
            "cpu": str(machine.get("cpu") or "machine not recorded"),
            "gpus": cards(machine),
            "about": machine_line(machine, str(first["machine"])),
            "around": environment_line(around, str(first["run_environment"])),
            "threads": int(threads.max()) if len(threads) else None,
            "settings": str(first["settings"] or ""),
            "suite": str(first["suite"] or ""),
            "versions": {
                str(row["backend"]): str(row["version"])
                for row in versions[["backend", "version"]].to_dict("records")
            },
            "packages": _packages(around),
            "formulas": sorted(map(self.formulas.index, rows["case"].drop_duplicates())),
            "cells": len(rows),
            "speeds": int(rows["median_s"].notna().sum()),
            "statuses": {str(name): int(number) for name, number in rows["status"].value_counts().items()},
        }

    def verdicts(self, run: str) -> Values:
        """By dtype, formula, framework and direction: the worst status, the fewest bits, and the cells."""
        rows = self.of(run)
        rows = rows.assign(way=rows["direction"].map(WAYS).fillna("fwd"))
        found = agreement(rows, by=("dtype", "case", "backend", "way"))
        told: Values = {}
        for dtype, case, backend, way, worst, bits, cells, agreeing in found.itertuples(index=False):
            line = told.setdefault(dtype, {}).setdefault(case, {}).setdefault(backend, {})
            shown = max(round(bits), 0) if math.isfinite(bits) else None
            line[way] = [worst, shown, int(cells), int(agreeing)]
        return told

    def speeds(self, run: str) -> Values:
        """The workloads of a run: headlines as in a report, then what one call costs, and time over size."""
        timed = speeds(self.of(run).assign(on=""))
        named = headlines(timed)
        first = typical(timed[timed["first"] & (timed["title"] == "")])
        others = [mine for _, mine in first.groupby(["case", "direction", "device"], sort=False)]
        found = [_workload(each, str(each.iloc[0]["title"])) for each in named]
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

    def cells(self, run: str) -> Values:
        """All cells of a run in columns, texts as places in a dictionary; of a large one what departs."""
        rows = self.of(run)
        every = len(rows)
        if every > MOST:
            rows = rows[~rows["status"].isin(("agrees", "absent", "missing"))]
        columns: Values = {}
        for name in LISTED:
            values = rows[name].tolist()
            if name in ("seed", "bits", "median_s"):
                columns[name] = _values(rows[name])
            else:
                known = {each: place for place, each in enumerate(dict.fromkeys(values))}
                columns[name] = {"texts": list(known), "at": [known[each] for each in values]}
        return {"columns": columns, "rows": len(rows), "of": every}

    def formulas_of(self, run: str) -> Iterator[tuple[int, Values]]:
        """For each formula of a run its place, every row in columns, and the code that ran."""
        rows, place = self.of(run), {name: number for number, name in enumerate(self.formulas)}
        # lists, taken apart by formula: pandas takes longer for each small frame than for all of its values
        kept = [name for name in rows.columns if name not in APART]
        columns = _filled({str(name): _values(rows[name], exact=name in EXACT) for name in kept})
        ids = [str(Cell(*row)) for row in rows[[each.name for each in fields(Cell)]].itertuples(index=False)]
        for name, at in rows.groupby("case", sort=False, observed=True).indices.items():
            mine = {column: [values[each] for each in at] for column, values in columns.items()}
            ran = set(zip(mine["backend"], mine["contender"], strict=True))
            yield (
                place[str(name)],
                {"ids": [ids[each] for each in at], "columns": _filled(mine), "code": _code(str(name), ran)},
            )


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


def _plain(value: Any) -> Any:
    import pandas as pd

    return None if pd.isna(value) else short_number(value)


def _packages(around: Mapping[str, Any]) -> dict[str, str]:
    found = around.get("packages")
    return {str(name): str(version) for name, version in found.items()} if isinstance(found, Mapping) else {}


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


def _workload(group: "DataFrame", title: str) -> Values:
    """A workload with the fastest contender of each framework; those bound by dispatch are marked."""
    first = group.iloc[0]
    contenders = []
    for backend in ordered(group["backend"].drop_duplicates().tolist(), BACKENDS):
        mine = group[group["backend"] == backend]
        row = mine.loc[mine["median_s"].idxmin()].to_dict()
        numbers = {
            "median": row["median_s"], "low": row["low_s"], "high": row["high_s"], "ratio": row["ratio"],
            "ratio_low": row["ratio_from"], "ratio_high": row["ratio_to"], "share": row["share"],
            "rate": row["throughput"], "bits": row["bits"],
        }  # fmt: skip
        contenders.append(
            {name: _plain(value) for name, value in numbers.items()}
            | {
                "backend": str(backend),
                "contender": str(row["contender"]),
                "mode": str(row["mode"]),
                "status": str(row["status"]),
                "dispatch": row["bound"] == DISPATCH,
                "series": str(row["series"] or ""),
                "others": int(len(mine) - 1),
                "cell": str(cell_of(row)),
            }
        )
    return {
        "title": title,
        "case": str(first["case"]),
        "size": str(first["size"]),
        "device": str(first["device"]),
        "dtype": str(first["dtype"]),
        "direction": str(first["direction"]),
        "main": str(first["direction"]) == str(first["main"]),
        "unit": unit(group),
        "contenders": sorted(contenders, key=lambda each: each["median"]),
    }


def departures(rows: "DataFrame", runs: Sequence[str]) -> list[Values]:
    """What departs, once each over all runs: first what is wrong beyond its limit, then known departures."""
    by = [name for name in DEPARTURE if name != "run_id"]
    return [
        _departure(row, runs) for row in gone_off(rows[rows["status"] != "imprecise"], by).to_dict("records")
    ]


def _departure(row: Mapping[str, Any], runs: Sequence[str]) -> Values:
    low, high = magnitude(row["z_low"]), magnitude(row["z_high"])
    known = row["status"] == "limited"
    told = ("status", "case", "backend", "why", "since", "source", "versions")
    return {
        **{name: str(row[name]) for name in told},
        "of": row["limit"] if known else row["contender"],
        "links": [list(each) for each in links(row["source"], row["versions"])] if known else [],
        "cells": row["cells"],
        "lost": short_number(row["bits_lost"]),
        "off": low if low == high else f"{low} to {high}",
        "example": row["cell"],
        "run": runs.index(str(row["run_id"])),
    }
