"""The folder of a run: rows.jsonl, further measurements, two records and, once finished, report.md."""

import errno
import json
import math
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import BaseFileLock, FileLock, Timeout

from bench.machine import records as machines
from bench.machine.load_average import busiest, busy
from bench.machine.records import key
from bench.store.lines import entries, lines
from bench.store.row import COLUMNS, MEANING, Row, anonymous, plain, row_id
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
    day,
    environments,
    moments,
    record,
)
from bench.store.rows import load as load
from bench.store.suite import suite

REPORT = "report.md"
FAILURES = "failures"  # holds one folder for each failed cell; it is not published
LOCK = ".lock"  # held by the running process; the operating system releases it when that process dies
LONGEST = 4000  # characters of a `why`
PARTIAL = ".part"  # the suffix of a file that is being written
_NAME = re.compile(r"\d{8}T\d{6}Z-")  # the start of a run's name


class Unwritten(Exception):
    """A file of a run could not be written and is unchanged; the message says which and how to continue."""


@dataclass(frozen=True)
class Run:
    """The folder of a run. When `append` returns, the row is in its file; else `append` raises Unwritten."""

    folder: Path
    id: str
    machine: str
    environment: str
    suite: str = ""
    lock: BaseFileLock | None = None

    def release(self) -> None:
        """Let another process write to this folder."""
        if self.lock is not None:
            self.lock.release()

    def append(self, row: Row) -> Row:
        """Write the row as one line, and return it as written, with schema, ids, keys and suite filled in."""
        run = row.run_id or self.id
        row = replace(
            row,
            schema=MEANING,
            row_id=row_id(run, vars(row)),
            run_id=run,
            machine=row.machine or self.machine,
            environment=row.environment or self.environment,
            suite=row.suite or self.suite,
            why=_short(plain(anonymous(row.why))),
        )
        self._line(ROWS, row.as_dict())
        return row

    def curve(self, record: Mapping[str, Any]) -> None:
        """Write one training curve: the cell's coordinates, and `loss` as a list."""
        self._line(CURVES, record)

    def fingerprint(self, record: Mapping[str, Any]) -> None:
        """Write the arithmetic fingerprint of one backend, mode, device and dtype."""
        self._line(FINGERPRINTS, record)

    def sampled(self, cell: Any, timing: Any) -> None:
        """Write the samples behind one speed, as they were taken."""
        coordinates = asdict(cell)
        self._line(SAMPLES, {"row_id": row_id(self.id, coordinates), **coordinates, **asdict(timing)})

    def worker(self, environment: Mapping[str, Any]) -> None:
        """Write the environment record of a worker unless it is there: rows refer to it by key."""
        if key(environment) not in environments(self.folder):
            self._line(WORKERS, environment)

    def moment(self, found: Mapping[str, Any]) -> None:
        """Write the load of the machine at one time, as `bench.machine.load_average` reads it."""
        self._line(MOMENTS, found)

    def roof(self, record: Mapping[str, Any]) -> None:
        """Write the peak rates that one backend reached on this machine, on one device in one dtype."""
        self._line(ROOFS, {"machine": self.machine, **record})

    def rows(self) -> list[dict[str, Any]]:
        """The rows so far, as they were written; raises ValueError for a line that is not a row."""
        found = entries(self.folder / ROWS) if (self.folder / ROWS).exists() else ()
        return [dict(zip(COLUMNS, values, strict=True)) for values, _ in found]

    def _line(self, name: str, record: Mapping[str, Any]) -> None:
        text = json.dumps(_plain(record), allow_nan=False, separators=(", ", ": ")) + "\n"
        with self.writing(name):
            handle = os.open(self.folder / name, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
            try:
                _append(handle, text.encode())
            finally:
                os.close(handle)

    @contextmanager
    def writing(self, name: str) -> Iterator[None]:
        """Raise Unwritten in place of an OSError while this file of the run is written."""
        try:
            yield
        except OSError as error:
            raise Unwritten(
                f"{name}: got {error.strerror or error}, should be written whole to {self.folder}; "
                f"free space there, and add --results {self.folder} to continue"
            ) from error


def _append(handle: int, data: bytes) -> None:
    """Write all of the data, or nothing."""
    end = os.fstat(handle).st_size
    try:
        while data:
            written = os.write(handle, data)
            if not written:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            data = data[written:]
    except BaseException:
        with suppress(OSError):
            os.ftruncate(handle, end)
        raise


@contextmanager
def whole(file: Path) -> Iterator[Path]:
    """A temporary path that replaces the file when the block ends, and is deleted if the block raises."""
    partial = file.with_name(file.name + PARTIAL)
    try:
        yield partial
        partial.replace(file)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def write(file: Path, text: str) -> Path:
    """Write the whole file, or leave the old one unchanged."""
    with whole(file) as partial:
        partial.write_text(text, encoding="utf-8")
    return file


def start(root: Path, machine: machines.Record, environment: machines.Record) -> Run:
    """Start a new run in a new folder below `root`; locks and raises as `begin` does."""
    with _refused(root):
        root.mkdir(parents=True, exist_ok=True)
        for name in numbered(_named(machine)):
            with suppress(FileExistsError):
                (root / name).mkdir()
                break
    return begin(root / name, machine, environment)


def begin(folder: Path, machine: machines.Record, environment: machines.Record) -> Run:
    """Continue the run in this folder, or start one. The folder is locked until the run is released.

    Raises ValueError if the folder is unfit (see `check`), if its run was made on another machine, or if
    another process has locked it.
    """
    check(folder)
    with _refused(folder):
        folder.mkdir(parents=True, exist_ok=True)
        lock = _hold(folder)
        try:
            return replace(_open(folder, machine, environment), lock=lock)
        except BaseException:
            lock.release()
            raise


def _open(folder: Path, machine: machines.Record, environment: machines.Record) -> Run:
    if all((folder / f"{kind}.json").exists() for kind in RECORDS):
        if other := machines.differing(record(folder, "machine"), machine):
            raise ValueError(
                f"--results: got {folder}, a run of another machine (different {', '.join(other)}), should "
                "be a run of this machine; continue it there, or name a new folder"
            )
        return resume(folder)
    for kind, found in zip(RECORDS, (machine, environment), strict=True):
        write(folder / f"{kind}.json", json.dumps(found, indent=2) + "\n")
    return resume(folder)


def _hold(folder: Path) -> BaseFileLock:
    """Lock the folder; the operating system releases the lock when the process dies."""
    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise ValueError(
            f"--results: got {folder}, where another run is in progress, should be a free folder; wait for "
            "that run, or name another folder"
        ) from None
    except NotImplementedError as error:
        raise ValueError(
            f"--results: got {folder}, where files cannot be locked ({error}), should be on a file system "
            "with locks; name another folder"
        ) from None
    return lock


@contextmanager
def _refused(folder: Path) -> Iterator[None]:
    """Raise ValueError in place of an OSError."""
    try:
        yield
    except OSError as error:
        raise ValueError(
            f"results {folder}: got {error.strerror or error}, should be a folder to write to; name another "
            "with --results"
        ) from error


def resume(folder: Path) -> Run:
    """Continue an interrupted run. Removes a last line that was cut off.

    The run's id is the folder's name if that has the form of an id, else the id in its rows, else a new one.
    """
    records = [record(folder, kind) for kind in RECORDS]
    for file in (folder / name for name in LINES):
        if file.exists():
            found = file.read_bytes()
            os.truncate(file, found.rfind(b"\n") + 1)
    machine, environment = map(key, records)
    return Run(folder, identity(folder) or _named(records[0]), machine, environment, suite())


def check(folder: Path) -> None:
    """Raise ValueError if no run can be continued or started in this folder. Writes nothing."""
    try:
        what = _unfit(folder)
    except OSError as error:
        what = f"{error.strerror or error}"
    if what:
        raise ValueError(
            f"--results: got {folder}, {what}, should be the folder of a run, an empty folder or a new one; "
            "name another"
        )


def _unfit(folder: Path) -> str:
    if (what := unwritable(folder)) or not folder.exists():
        return what
    found = {each.name: each for each in folder.iterdir() if not each.name.endswith(PARTIAL)}
    ours = [found.get(name) for name in LINES]
    records = {f"{kind}.json" for kind in RECORDS}
    if ROWS in found and not records <= found.keys():
        return f"which holds {ROWS} and no {min(records - found.keys())}"
    if others := sorted(found.keys() - {LOCK}) if "machine.json" not in found else []:
        return f"which holds {others[0]} and no run"
    if odd := [each.name for each in ours if each and not (each.is_file() and os.access(each, os.W_OK))]:
        return f"whose {odd[0]} is not a writable file"
    published = machines.folder_name(record(folder, "machine"))
    if published in [parent.name for parent in folder.resolve().parents]:
        return "a published run, which must not change"
    return ""


def unwritable(folder: Path) -> str:
    """Why files cannot be written to this folder, which need not exist yet; empty if they can."""
    if folder.is_symlink() and not folder.exists():
        return "a broken link"
    if not folder.exists():
        above = next(each for each in folder.absolute().parents if each.exists() or each.is_symlink())
        if not above.is_dir():
            return f"below {above}, which is not a folder"
        return "" if os.access(above, os.W_OK | os.X_OK) else f"below {above}, which is not writable"
    if not folder.is_dir():
        return "a file" if folder.is_file() else "not a folder"
    return "" if os.access(folder, os.R_OK | os.W_OK | os.X_OK) else "which is not readable and writable"


def identity(folder: Path) -> str:
    """The run's id: the folder's name if that has the form of an id, else the id in its rows, else empty."""
    if _NAME.match(folder.name):
        return folder.name
    rows = lines(folder / ROWS) if (folder / ROWS).exists() else ()
    return next((str(row["run_id"]) for row in rows if row.get("run_id")), "")


def _named(machine: machines.Record) -> str:
    return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{key(machine)}"


def newest(root: Path = Path("results")) -> Path:
    """The folder of the newest local run, or of the newest published run if there is no local one."""
    local = [file.parent for file in (root / "local").glob(f"*/{ROWS}")]
    if local:
        return max(local, key=lambda folder: folder.name)
    published = [file.parent for file in root.glob(f"*/*/{ROWS}")]
    if published:
        return max(published, key=lambda folder: (_natural(folder.name), folder.stat().st_mtime))
    raise FileNotFoundError(
        f"results {root}: got no run, should hold one; `gaugeblock run` makes one, or name a folder"
    )


def publish(folder: Path, root: Path = Path("results"), *, anyway: bool = False) -> Path:
    """Copy a finished run to ``root/<machine name>-<key>/<date>[-n]/``, completely or not at all.

    Raises FileNotFoundError if there is no run, ValueError if it is unfinished, FileExistsError if it is
    already published. Unless `anyway`, also ValueError if its code was not committed, or if it has speeds
    and the machine was busy.
    """
    if not (folder / ROWS).is_file():
        raise FileNotFoundError(f"run {folder}: got no {ROWS} in it, should be the folder of a run")
    if not (folder / REPORT).is_file():
        raise ValueError(f"run {folder}: got no {REPORT} in it, should be finished; resume it, then publish")
    if not anyway and (doubt := _doubtful(folder)):
        raise ValueError(f"run {folder}: got {doubt}; run it again, or add --anyway")
    for file in (found for found in root.glob(f"*/*/{ROWS}") if root / "local" not in found.parents):
        if file.read_bytes() == (folder / ROWS).read_bytes():
            raise FileExistsError(f"run {folder}: is published already, in {file.parent}")
    published = machine_folder(folder, root)
    scratch = Path(tempfile.mkdtemp(prefix=".partial-", dir=published))
    try:
        for file in sorted(folder.iterdir()):
            ours = file.name != LOCK and not file.name.endswith(PARTIAL)
            if ours and file.is_file() and not file.is_symlink():
                shutil.copyfile(file, scratch / file.name)
        scratch.chmod(0o755)
        for name in numbered(date(folder)):
            try:
                os.rename(scratch, published / name)  # fails if that folder exists and is not empty
            except OSError:
                if not (published / name).exists():
                    raise
                continue
            return published / name
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    raise AssertionError("`numbered` never ends")


OFTEN = 0.1  # of the looks at the machine: busy at more of them, its speeds are not those of the machine


def _doubtful(folder: Path) -> str:
    """Why the rows of a run should not be published; empty if they should."""
    rows = load(folder)
    if changed := [name for name in rows["suite"].drop_duplicates() if str(name).endswith(".dirty")]:
        return f"rows of {changed[0]}, which no commit has, should be of committed code"
    looks = moments(folder)
    often = sum(bool(busy(each)) for each in looks) > OFTEN * len(looks)
    if often and rows["median_s"].notna().any():
        return f"speeds of a busy machine ({busiest(looks)}), should be of an idle one"
    return ""


def _short(text: str) -> str:
    """The text cut to `LONGEST` characters: a plug-in's message may have any length."""
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 2]} …"


def _plain(value: Any) -> Any:
    """The value as strict JSON allows it: NaN becomes null, infinity the largest finite number."""
    if isinstance(value, Mapping):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, str):  # a path that is not UTF-8 has lone surrogates
        return value.encode(errors="backslashreplace").decode()
    if hasattr(value, "item"):  # a NumPy scalar
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else math.copysign(sys.float_info.max, value)
    return value


def numbered(name: str) -> Iterator[str]:
    """The name, then the name with the suffix -2, -3, …"""
    yield name
    number = 2
    while True:
        yield f"{name}-{number}"
        number += 1


def machine_folder(folder: Path, root: Path) -> Path:
    """The folder below `root` for published runs of this run's machine; creates it if needed."""
    return machines.home(record(folder, "machine"), root)


def date(folder: Path) -> str:
    """The day on which the run started, from its id; today if the id has no date."""
    name = identity(folder)
    return day(name) if _NAME.match(name) else f"{datetime.now(UTC):%Y-%m-%d}"


def _natural(name: str) -> list[int]:
    return [int(digits) for digits in re.findall(r"\d+", name)]
