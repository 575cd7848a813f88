"""Reading what runs have written: rows, curves, records; whatever happened to them, whoever wrote them."""

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import fields
from itertools import islice
from operator import itemgetter
from pathlib import Path
from types import NoneType
from typing import TYPE_CHECKING, Any

from bench.machine.records import Record, key
from bench.store.row import Row

if TYPE_CHECKING:
    import pandas

ROWS, CURVES, FINGERPRINTS = "rows.jsonl", "curves.jsonl", "fingerprints.jsonl"
MOMENTS, SAMPLES, ROOFS, WORKERS = "moments.jsonl", "samples.jsonl", "roofs.jsonl", "environments.jsonl"
LINES = (ROWS, CURVES, FINGERPRINTS, MOMENTS, SAMPLES, ROOFS, WORKERS)  # of a run, one object a line
RECORDS = ("machine", "environment")

NUMBERS = frozenset(column.name for column in fields(Row) if column.type is not str)
# what makes two rows the same cell of the same run
CELL = (
    "run_id", "case", "option", "regime", "size", "contender", "backend", "mode", "device", "dtype",
    "direction", "seed",
)  # fmt: skip
INTEGERS = frozenset(column.name for column in fields(Row) if column.type in (int, int | None))


def load(path: str | os.PathLike[str]) -> "pandas.DataFrame":
    """The rows of a file, of a run's folder, or of all runs below a folder, as columns of `bench.store.row`.

    Columns that a file lacks are empty, columns that it has beyond these are dropped, and so is a last
    line that was cut off. Of a cell that a run finished twice (judged, then timed) the last row counts,
    and a run that stands there twice (local and published) is read once.
    """
    import numpy as np
    import pandas as pd

    columns: dict[str, list[Any]] = {column.name: [] for column in fields(Row)}
    pick, empty = itemgetter(*columns), dict.fromkeys(columns)
    seen: dict[str, str] = {}  # rows repeat their strings: one copy of each
    for file in files(path):
        found = lines(file)
        while chunk := list(islice(found, 10_000)):
            if any(not row.keys() >= empty.keys() for row in chunk):
                chunk = [{**empty, **row} for row in chunk]
            for name, column in zip(columns, zip(*map(pick, chunk), strict=True), strict=True):
                columns[name].append(_numbers(column) if name in NUMBERS else _strings(column, seen))
    frame: dict[str, Any] = {
        name: np.concatenate(values) if values else [] for name, values in columns.items()
    }
    for name in INTEGERS if columns["case"] else ():
        whole = (np.abs(frame[name]) < 2**53) & (np.rint(frame[name]) == frame[name])
        frame[name] = np.where(whole, frame[name], np.nan)
    rows = pd.DataFrame(frame).astype({name: "Int64" for name in INTEGERS})
    return rows.drop_duplicates(list(CELL), keep="last", ignore_index=True)


def files(path: str | os.PathLike[str]) -> list[Path]:
    """The rows files at or below a path, each run once; raises FileNotFoundError where there is none."""
    root = Path(path)
    found = [root] if root.is_file() else sorted(root.rglob(ROWS))
    if not found:
        got = f"no {ROWS} at or below it" if root.exists() else "nothing there"
        raise FileNotFoundError(
            f"results {root}: got {got}, should be a rows file, a run's folder or a folder of runs; "
            "`gaugeblock run` makes one"
        )
    return list({(file.stat().st_size, _first(file)): file for file in reversed(found)}.values())[::-1]


def record(folder: Path, kind: str) -> Record:
    """The machine or environment record beside a run's rows; empty where there is none."""
    file = (folder if folder.is_dir() else folder.parent) / f"{kind}.json"
    if not file.exists():
        return {}
    try:
        found = json.loads(file.read_bytes())
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise ValueError(
            f"{kind} record {file}: got something else, should be one JSON object; restore the file"
        )
    return found


def environments(folder: Path) -> dict[str, Record]:
    """The environments beside a run's rows, by key: the run's own, and those of its workers."""
    return {key(each): each for each in (record(folder, "environment"), *_beside(folder, WORKERS))}


def records(found: Iterable[Path]) -> tuple[dict[str, Record], dict[str, Record]]:
    """The machines and the environments beside several rows files, by key."""
    found = list(found)
    machines = {key(each): each for each in (record(file, "machine") for file in found)}
    return machines, {name: each for file in found for name, each in environments(file).items()}


def curves(folder: Path) -> list[dict[str, Any]]:
    """The training curves beside a run's rows."""
    file = folder / CURVES
    return list(lines(file)) if file.exists() else []


def fingerprints(folder: Path) -> list[dict[str, Any]]:
    """The fingerprints beside a run's rows: one for each backend, mode, device and dtype."""
    return _beside(folder, FINGERPRINTS)


def roofs(folder: Path) -> list[dict[str, Any]]:
    """What the backends reached at best, beside a run's rows: one for each backend, device and dtype."""
    return _beside(folder, ROOFS)


def _beside(folder: Path, name: str) -> list[dict[str, Any]]:
    file = (folder if folder.is_dir() else folder.parent) / name
    return list(lines(file)) if file.exists() else []


def moments(folder: Path) -> list[dict[str, Any]]:
    """What the machine was doing at the times that a run has looked; empty for a run that never did."""
    file = (folder if folder.is_dir() else folder.parent) / MOMENTS
    return list(lines(file)) if file.exists() else []


def lines(file: Path) -> Iterator[dict[str, Any]]:
    """The objects of a file, one a line; raises ValueError for a line that is none and was not cut off."""
    decode = json.JSONDecoder().raw_decode
    with file.open("rb") as opened:
        for number, line in enumerate(opened, 1):
            if not line.strip():
                continue
            try:
                found, _ = decode(line.decode().strip())
            except (ValueError, RecursionError):
                found = None
            if isinstance(found, dict):
                yield found
            elif line.endswith(b"\n"):
                raise ValueError(
                    f"rows {file}, line {number}: got {line[:40]!r}, should be one JSON object; "
                    "restore the file, or delete that line"
                )


def _numbers(column: tuple[Any, ...]) -> Any:
    import numpy as np

    if not {float, int, NoneType}.issuperset(map(type, column)):
        column = tuple(value if type(value) in (float, int) else None for value in column)
    try:
        return np.array(column, dtype=float)
    except OverflowError:  # an integer of hundreds of digits
        return np.array([None if value is None or abs(value) > 2**63 else value for value in column], float)


def _strings(column: tuple[Any, ...], seen: dict[str, str]) -> Any:
    import numpy as np

    if {*map(type, column)} != {str}:
        column = tuple("" if value is None else str(value) for value in column)
    return np.array(list(map(seen.setdefault, column, column)), dtype=object)


def _first(file: Path) -> bytes:
    with file.open("rb") as opened:
        return opened.readline(65536)
