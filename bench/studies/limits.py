"""Measures the sizes of known departures from runs, and writes them to suites/limits/<page>.json."""

import json
import math
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench import pages
from bench.backends import release
from bench.case import Limit, Seen
from bench.store.rows import files, load, record
from bench.verdict.errors import GATE
from bench.verdict.known import ALIKE, ROOM, covers, expected, several

FAILED = ("limited", "disagrees", "imprecise")
DIGITS = 3  # significant digits of a ratio

Row = Mapping[str, Any]
Key = tuple[str, tuple[str, ...]]  # the release of the package at fault, and the values of `ALIKE`
Measured = dict[Key, tuple[float, float]]


def measure(paths: Sequence[str | os.PathLike[str]], told: Callable[[str], None] = print) -> list[Path]:
    """Write the sizes that these runs found for each Limit, and return the files.

    Keeps the smallest and largest rms ratio of similar cells over all their sets of inputs, by release of the
    package at fault. They replace earlier ratios of the same cells in the same release; all others stay.
    `told` is called for each row that is left out. Raises FileNotFoundError if a run does not exist.
    """
    found: dict[tuple[str, str], Measured] = {}
    unclear: list[tuple[Row, list[Limit], Mapping[str, Any]]] = []
    for path in paths:
        for file in files(path):
            around = record(file, "environment")
            rows = load(file)
            failed = rows["status"].isin(FAILED) & rows["z_rms"].notna() | rows["departed_high"].notna()
            for row in rows[failed].to_dict("records"):
                limits = _explaining(row)
                if len(limits) > 1:
                    unclear.append((row, limits, around))
                for limit in limits if len(limits) == 1 else ():
                    _add(found, row, limit, around, told)
    for row, limits, recorded in unclear:  # choose the Limit whose sizes, from unambiguous rows, explain it
        fitting = [each for each in limits if _fits(found, row, each)]
        unknown = [each for each in limits if not found.get((_page(row), each.name))]
        explicit = [each for each in limits if _names(each, row["regime"])]
        sure = next((each for each in (explicit, unknown) if len(each) == 1), [])
        if one := fitting[:1] or sure:
            _add(found, row, one[0], recorded, told)
        else:
            told(f"left out: {_cell(row)}: {len(limits)} Limits name it, and none of them explains it")
    by_page = {
        page: {name: each for (where, name), each in found.items() if where == page} for page, _ in found
    }
    return [_write(page, by_page[page], told) for page in sorted(by_page)]


def _explaining(row: Row) -> list[Limit]:
    """The limits that may explain why a row failed: the one in the row, or all that cover its cell."""
    words, inside = str(row["why"]), row["z_rms"] <= GATE and row["z_worst"] <= 1
    inside = inside and not row["departed_high"] > 0  # on a further set of inputs it is not
    if row["case"] not in pages.cases() or words.startswith("stale limit") or inside:
        return []  # errors are inside the limits: it failed for another reason
    mine = [each for each in pages.case(str(row["case"])).limits if each.name and not each.varies]
    if row["status"] == "limited":
        named = [each for each in mine if each.name == row["limit"]]
        return named or [each for each in mine if not row["limit"] and each.reason == words]
    return [each for each in mine if covers(each, row)]


def _cell(row: Row) -> str:
    return "/".join(
        str(row[name]) for name in ("case", "option", "regime", "size", "contender", "mode", "dtype")
    )


def _page(row: Row) -> str:
    return pages.page(pages.case(str(row["case"]))).rpartition(".")[2]


def _names(limit: Limit, regime: Any) -> bool:
    """Whether a limit names this regime, and does not merely cover every one."""
    return any(regime in several(cells.get("regime", ())) for cells in limit.reach)


def _fits(found: Mapping[tuple[str, str], Measured], row: Row, limit: Limit) -> bool:
    """Whether the sizes found for a limit so far explain a row."""
    seen = [
        Seen(release, dict(zip(ALIKE, cells, strict=True)), z)
        for (release, cells), z in found.get((_page(row), limit.name), {}).items()
    ]
    reach = expected(replace(limit, seen=seen), row)
    low, high = _ratios(row)
    return reach is not None and reach[0] <= low and high <= reach[1]


def _ratios(row: Row) -> tuple[float, float]:
    """The least and the largest rms ratio of a row, over the sets of inputs on which it departs."""
    ends = (row["departed_low"], row["departed_high"])
    if math.isnan(ends[0]):  # a row from before there were such columns
        ends = (row["z_rms"], row["z_rms"])
    low, high = (math.inf if z == sys.float_info.max else float(z) for z in ends)  # as rows store infinity
    return low, high


def _add(
    found: dict[tuple[str, str], Measured],
    row: Row,
    limit: Limit,
    around: Mapping[str, Any],
    told: Callable[[str], None],
) -> None:
    if not (here := release(limit.package, around)):
        told(f"left out: {_cell(row)}: its run does not record a release of {limit.package}")
        return
    key, ends = (here, tuple(str(row[name]) for name in ALIKE)), _ratios(row)
    mine = found.setdefault((_page(row), limit.name), {})
    low, high = mine.get(key, ends)
    mine[key] = min(low, ends[0]), max(high, ends[1])


def _write(page: str, measured: Mapping[str, Measured], told: Callable[[str], None]) -> Path:
    """Merge the measured sizes into the page's file, in the order of the page's limits, one entry per line.

    `told` is called for sizes outside the range that the file allowed before.
    """
    before = pages.measured(page)
    blocks = []
    for name in pages.limits(page):
        kept = {
            (each.release, tuple(each.cells.get(key, "") for key in ALIKE)): each.z
            for each in before.get(name, ())
        }
        for key, (low, high) in measured.get(name, {}).items():
            was = kept.get(key, (low, high))
            if low < was[0] / ROOM or high > was[1] * ROOM:
                where, before_it = "/".join(key[1]), f"{was[0]:.3g} to {was[1]:.3g}"
                told(f"{name}, {where}: z was {before_it}, is {low:.3g} to {high:.3g}")
        entries = kept | measured.get(name, {})
        lines = [_line(*key, z) for key, z in sorted(entries.items())]
        if lines:
            blocks.append(f" {json.dumps(name)}: [\n" + ",\n".join(f"  {line}" for line in lines) + "\n ]")
    file = pages.measurements(page)
    partial = file.with_suffix(".part")
    partial.write_text("{\n" + ",\n".join(blocks) + "\n}\n", encoding="utf-8")
    partial.replace(file)
    return file


def _line(release: str, cells: Sequence[str], z: tuple[float, float]) -> str:
    entry = json.dumps({"release": release, **dict(zip(ALIKE, cells, strict=True))})
    low, high = map(_number, z)
    return f'{entry[:-1]}, "z": [{low}, {high}]}}'


def _number(z: float) -> str:
    return f"{z:.{DIGITS}g}" if math.isfinite(z) else '"inf"'
