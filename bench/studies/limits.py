"""How far known departures are off, measured from runs: what stands in suites/limits/<page>.json."""

import json
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench import pages
from bench.backends import release
from bench.case import Limit
from bench.store.rows import files, load, record
from bench.verdict.known import covers

# what decides how far a departure is off; contenders, modes and seeds are taken together
ALIKE = ("case", "option", "regime", "size", "device", "dtype", "direction")
FAILED = ("limited", "disagrees", "imprecise")
DIGITS = 3  # of a ratio

Row = Mapping[str, Any]
Measured = dict[str, dict[tuple[str, tuple[str, ...]], tuple[float, float]]]  # by limit, release and cells


def measure(paths: Sequence[str | os.PathLike[str]]) -> list[Path]:
    """Write what these runs found of each Limit; gives the files. FileNotFoundError where a run is not there.

    The smallest and the largest rms ratio are kept of cells alike, by release of the package at fault. They
    replace what was measured of the same cells in the same release; everything else stays.
    """
    found: dict[str, Measured] = {}
    for path in paths:
        for file in files(path):
            recorded = record(file, "environment").get("packages")
            packages = recorded if isinstance(recorded, Mapping) else {}
            rows = load(file)
            failed = rows[rows["status"].isin(FAILED) & rows["z_rms"].notna()]
            for row in failed.to_dict("records"):
                for page, limit in _explaining(row):
                    key = release(limit.package, packages), tuple(str(row[name]) for name in ALIKE)
                    mine = found.setdefault(page, {}).setdefault(limit.name, {})
                    low, high = mine.get(key, (math.inf, 0.0))
                    mine[key] = min(low, float(row["z_rms"])), max(high, float(row["z_rms"]))
    return [_write(page, measured) for page, measured in sorted(found.items())]


def _explaining(row: Row) -> Iterator[tuple[str, Limit]]:
    """The limits that a failed row speaks of, each with its page."""
    if row["case"] not in pages.cases() or str(row["why"]).startswith("stale limit"):
        return
    case = pages.case(str(row["case"]))
    page = pages.page(case).rpartition(".")[2]
    for limit in case.limits:
        mine = limit.name == row["limit"] if row["status"] == "limited" else covers(limit, row)
        if mine and limit.name and not limit.varies:
            yield page, limit


def _write(page: str, measured: Measured) -> Path:
    """Merge what was measured into the page's file, in the order of the page's limits, an entry a line."""
    before = pages.measured(page)
    blocks = []
    for name in pages.limits(page):
        kept = {
            (each.release, tuple(each.cells.get(key, "") for key in ALIKE)): each.z
            for each in before.get(name, ())
        }
        entries = kept | measured.get(name, {})
        lines = [_line(*key, z) for key, z in sorted(entries.items())]
        if lines:
            blocks.append(f" {json.dumps(name)}: [\n" + ",\n".join(f"  {line}" for line in lines) + "\n ]")
    file = pages.measurements(page)
    partial = file.with_suffix(".part")
    partial.write_text("{\n" + ",\n".join(blocks) + "\n}\n")
    partial.replace(file)
    return file


def _line(release: str, cells: Sequence[str], z: tuple[float, float]) -> str:
    entry = json.dumps({"release": release, **dict(zip(ALIKE, cells, strict=True))})
    low, high = map(_number, z)
    return f'{entry[:-1]}, "z": [{low}, {high}]}}'


def _number(z: float) -> str:
    rounded = f"{z:.{DIGITS}g}"
    return rounded if math.isfinite(float(rounded)) else '"inf"'  # rows hold the largest number in its place
