"""A run's folder: rows.jsonl, what was measured beside it, two records and, once finished, report.md."""

import json
import math
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.cache import folder as cache
from bench.machine import records as machines
from bench.machine.records import key
from bench.store.lines import entries
from bench.store.row import COLUMNS, Row
from bench.store.rows import (
    CURVES,
    FINGERPRINTS,
    LINES,
    MOMENTS,
    RECORDS,
    ROOFS,
    ROWS,
    SAMPLES,
    WORKERS,
    environments,
    record,
)
from bench.store.rows import load as load
from bench.store.suite import suite

REPORT = "report.md"
FAILURES = "failures"  # a folder for each cell that failed; it is not published


@dataclass(frozen=True)
class Run:
    """A run's folder. Each row is on the disk when `append` returns."""

    folder: Path
    id: str
    machine: str
    environment: str
    suite: str = ""

    def append(self, row: Row) -> Row:
        """Write the row as one line, and return it as written: with its run, its two keys and its suite."""
        row = replace(
            row,
            run_id=row.run_id or self.id,
            machine=row.machine or self.machine,
            environment=row.environment or self.environment,
            suite=row.suite or self.suite,
            why=anonymous(row.why),
        )
        self._line(ROWS, row.as_dict())
        return row

    def curve(self, record: Mapping[str, Any]) -> None:
        """Write one training curve: the cell's coordinates, and `loss`, a list."""
        self._line(CURVES, record)

    def fingerprint(self, record: Mapping[str, Any]) -> None:
        """Write what the arithmetic of one backend, mode, device and dtype was found to be."""
        self._line(FINGERPRINTS, record)

    def sampled(self, cell: Any, timing: Any) -> None:
        """Write the samples behind one speed, as they were taken."""
        self._line(SAMPLES, asdict(cell) | asdict(timing))

    def worker(self, environment: Mapping[str, Any]) -> None:
        """Write the environment record of a worker, once: rows have its key."""
        if key(environment) not in environments(self.folder):
            self._line(WORKERS, environment)

    def moment(self, found: Mapping[str, Any]) -> None:
        """Write what the machine was doing at one time, as `bench.machine.load_average` found it."""
        self._line(MOMENTS, found)

    def roof(self, record: Mapping[str, Any]) -> None:
        """Write what one backend reached on this machine, on one device in one dtype."""
        self._line(ROOFS, {"machine": self.machine, **record})

    def rows(self) -> list[dict[str, Any]]:
        """The rows so far, as they were written; raises ValueError for a line that is none."""
        found = entries(self.folder / ROWS) if (self.folder / ROWS).exists() else ()
        return [dict(zip(COLUMNS, values, strict=True)) for values, _ in found]

    def _line(self, name: str, record: Mapping[str, Any]) -> None:
        text = json.dumps(_plain(record), allow_nan=False, separators=(", ", ": ")) + "\n"
        handle = os.open(self.folder / name, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            os.write(handle, text.encode())
        finally:
            os.close(handle)


def start(root: Path, machine: machines.Record, environment: machines.Record) -> Run:
    """A new run's folder below `root`, with its two records in it."""
    keys = key(machine), key(environment)
    first = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{keys[0]}"
    root.mkdir(parents=True, exist_ok=True)
    for name in numbered(first):
        try:
            (root / name).mkdir()
        except FileExistsError:
            continue
        break
    for kind, found in zip(RECORDS, (machine, environment), strict=True):
        (root / name / f"{kind}.json").write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    return Run(root / name, name, *keys, suite())


def resume(folder: Path) -> Run:
    """An interrupted run, to append to. A last line that was cut off is removed."""
    machine, environment = (key(record(folder, kind)) for kind in RECORDS)
    for file in (folder / name for name in LINES):
        if file.exists():
            whole = file.read_bytes()
            os.truncate(file, whole.rfind(b"\n") + 1)
    return Run(folder, folder.name, machine, environment, suite())


def newest(root: Path = Path("results")) -> Path:
    """The folder of the newest local run, else of the newest published one."""
    local = [file.parent for file in (root / "local").glob(f"*/{ROWS}")]
    if local:
        return max(local, key=lambda folder: folder.name)
    published = [file.parent for file in root.glob(f"*/*/{ROWS}")]
    if published:
        return max(published, key=lambda folder: (_natural(folder.name), folder.stat().st_mtime))
    raise FileNotFoundError(
        f"results {root}: got no run there, should hold one; `gaugeblock run` makes one, or name a folder"
    )


def publish(folder: Path, root: Path = Path("results")) -> Path:
    """Copy a finished run to ``root/<machine name>-<key>/<date>[-n]/``, whole or not at all."""
    if not (folder / ROWS).is_file():
        raise FileNotFoundError(f"run {folder}: got no {ROWS} in it, should be the folder of a run")
    if not (folder / REPORT).is_file():
        raise ValueError(f"run {folder}: got no {REPORT} in it, should be finished; resume it, then publish")
    for file in (found for found in root.glob(f"*/*/{ROWS}") if root / "local" not in found.parents):
        if file.read_bytes() == (folder / ROWS).read_bytes():
            raise FileExistsError(f"run {folder}: is published already, in {file.parent}")
    home = machine_folder(folder, root)
    scratch = Path(tempfile.mkdtemp(prefix=".partial-", dir=home))
    try:
        for file in sorted(folder.iterdir()):
            if file.is_file() and not file.is_symlink():
                shutil.copyfile(file, scratch / file.name)
        scratch.chmod(0o755)
        for name in numbered(date(folder)):
            try:
                os.rename(scratch, home / name)  # fails on a folder that holds anything
            except OSError:
                if not (home / name).exists():
                    raise
                continue
            return home / name
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    raise AssertionError("names never run out")


def anonymous(text: str) -> str:
    """The text without the paths of this machine: rows are published."""
    for path, short in (
        (str(cache()), "<cache>"),
        (sys.prefix, "<env>"),
        (sys.base_prefix, "<python>"),
        (os.getcwd(), "."),
        (str(Path.home()), "~"),
    ):
        if len(path) > 1:
            text = text.replace(path + os.sep, short + "/")
    return text


def _plain(value: Any) -> Any:
    """The value as strict JSON has it: NaN becomes null, an infinity the largest number there is."""
    if isinstance(value, Mapping):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, str):  # half a character of a path that is no UTF-8
        return value.encode(errors="backslashreplace").decode()
    if hasattr(value, "item"):  # a scalar of NumPy's
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else math.copysign(sys.float_info.max, value)
    return value


def numbered(name: str) -> Iterator[str]:
    """The name, and the name with 2, 3, … behind it."""
    yield name
    number = 2
    while True:
        yield f"{name}-{number}"
        number += 1


def machine_folder(folder: Path, root: Path) -> Path:
    """Where what is published of this run's machine stands under `root`, made where it is not there."""
    return machines.home(record(folder, "machine"), root)


def date(folder: Path) -> str:
    """The day on which a run began, by its folder's name; today, where that is no run's name."""
    year, month, day = folder.name[:4], folder.name[4:6], folder.name[6:8]
    return f"{year}-{month}-{day}" if re.match(r"\d{8}T", folder.name) else f"{datetime.now(UTC):%Y-%m-%d}"


def _natural(name: str) -> list[int]:
    return [int(digits) for digits in re.findall(r"\d+", name)]
