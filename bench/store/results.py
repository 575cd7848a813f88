"""A run's folder: rows.jsonl, what was measured beside it, two records and, once finished, report.md."""

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

from bench.cache import folder as cache
from bench.machine import records as machines
from bench.machine.records import key
from bench.store.lines import entries, lines
from bench.store.row import COLUMNS, Row, plain
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
LOCK = ".lock"  # held by the process that runs; the system lets go of it when that dies
LONGEST = 4000  # characters of a why
PARTIAL = ".part"  # ends the name of a file that is being written
_NAME = re.compile(r"\d{8}T\d{6}Z-")  # of a run


class Unwritten(Exception):
    """A file of a run could not be written, and is as it was; the message says which, and how to go on."""


@dataclass(frozen=True)
class Run:
    """A run's folder. Each row is in its file when `append` returns, whole; else that raises Unwritten."""

    folder: Path
    id: str
    machine: str
    environment: str
    suite: str = ""
    lock: BaseFileLock | None = None

    def release(self) -> None:
        """Let another run go on in this folder."""
        if self.lock is not None:
            self.lock.release()

    def append(self, row: Row) -> Row:
        """Write the row as one line, and return it as written: with its run, its two keys and its suite."""
        row = replace(
            row,
            run_id=row.run_id or self.id,
            machine=row.machine or self.machine,
            environment=row.environment or self.environment,
            suite=row.suite or self.suite,
            why=_short(plain(anonymous(row.why))),
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
        with self.writing(name):
            handle = os.open(self.folder / name, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
            try:
                _append(handle, text.encode())
            finally:
                os.close(handle)

    @contextmanager
    def writing(self, name: str) -> Iterator[None]:
        """What the system refuses while this file of the run is written is raised as Unwritten."""
        try:
            yield
        except OSError as error:
            raise Unwritten(
                f"{name}: got {error.strerror or error}, should be written whole to {self.folder}; "
                f"make room there, and add --results {self.folder} to go on"
            ) from error


def _append(handle: int, data: bytes) -> None:
    """Write all of it, or nothing."""
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
    """Where to write what becomes this file once it is written; nothing is left where that fails."""
    partial = file.with_name(file.name + PARTIAL)
    try:
        yield partial
        partial.replace(file)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def write(file: Path, text: str) -> Path:
    """Write a file whole, or leave what is there."""
    with whole(file) as partial:
        partial.write_text(text, encoding="utf-8")
    return file


def start(root: Path, machine: machines.Record, environment: machines.Record) -> Run:
    """A new run in a folder of its own below `root`; held, and refused, as `begin` does."""
    with _refused(root):
        root.mkdir(parents=True, exist_ok=True)
        for name in numbered(_named(machine)):
            with suppress(FileExistsError):
                (root / name).mkdir()
                break
    return begin(root / name, machine, environment)


def begin(folder: Path, machine: machines.Record, environment: machines.Record) -> Run:
    """The run that stands in this very folder, to append to, or a new one there. It is held until released.

    Raises ValueError where neither can be (see `check`), where the run that stands there is another
    machine's, and where another process holds it.
    """
    check(folder)
    with _refused(folder):
        folder.mkdir(parents=True, exist_ok=True)
        lock = _hold(folder)
        try:
            return replace(_stands(folder, machine, environment), lock=lock)
        except BaseException:
            lock.release()
            raise


def _stands(folder: Path, machine: machines.Record, environment: machines.Record) -> Run:
    if all((folder / f"{kind}.json").exists() for kind in RECORDS):
        if other := machines.differing(record(folder, "machine"), machine):
            raise ValueError(
                f"--results: got {folder}, a run of another machine (other {', '.join(other)}), should "
                "be of one like this; go on with it there, or name a new folder"
            )
        return resume(folder)
    for kind, found in zip(RECORDS, (machine, environment), strict=True):
        write(folder / f"{kind}.json", json.dumps(found, indent=2) + "\n")
    return resume(folder)


def _hold(folder: Path) -> BaseFileLock:
    """A lock that the system takes back from a process that dies."""
    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise ValueError(
            f"--results: got {folder}, where another run goes on, should be a folder of its own; wait for "
            "that run, or name another folder"
        ) from None
    except NotImplementedError as error:
        raise ValueError(
            f"--results: got {folder}, where files cannot be locked ({error}), should be on a disk where "
            "they can; name another folder"
        ) from None
    return lock


@contextmanager
def _refused(folder: Path) -> Iterator[None]:
    """What the system refuses, as ValueError."""
    try:
        yield
    except OSError as error:
        raise ValueError(
            f"results {folder}: got {error.strerror or error}, should be a folder to write to; name another "
            "with --results"
        ) from error


def resume(folder: Path) -> Run:
    """An interrupted run, to append to. A last line that was cut off is removed.

    Its id is its folder's name, where that is a run's, else its rows', and before the first row a new one.
    """
    records = [record(folder, kind) for kind in RECORDS]
    for file in (folder / name for name in LINES):
        if file.exists():
            found = file.read_bytes()
            os.truncate(file, found.rfind(b"\n") + 1)
    machine, environment = map(key, records)
    return Run(folder, identity(folder) or _named(records[0]), machine, environment, suite())


def check(folder: Path) -> None:
    """Raise ValueError where no run can be gone on with, or begun, in this folder. Writes nothing."""
    try:
        what = _unfit(folder)
    except OSError as error:
        what = f"{error.strerror or error}"
    if what:
        raise ValueError(
            f"--results: got {folder}, {what}, should be the folder of a run, an empty or a new one; "
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
        return f"whose {odd[0]} is no file that may be written"
    home = machines.folder_name(record(folder, "machine"))
    if home in [parent.name for parent in folder.resolve().parents]:
        return "a published run, which stays as it is"
    return ""


def unwritable(folder: Path) -> str:
    """What keeps files from being written to this folder, there or still to be made; or nothing."""
    if folder.is_symlink() and not folder.exists():
        return "a link to nothing"
    if not folder.exists():
        above = next(each for each in folder.absolute().parents if each.exists() or each.is_symlink())
        if not above.is_dir():
            return f"below {above}, which is no folder"
        return "" if os.access(above, os.W_OK | os.X_OK) else f"below {above}, where nothing may be written"
    if not folder.is_dir():
        return "a file" if folder.is_file() else "no folder"
    return "" if os.access(folder, os.R_OK | os.W_OK | os.X_OK) else "which may not be read and written"


def identity(folder: Path) -> str:
    """The id of the run in a folder: the folder's name, where that is a run's, else its rows'; or nothing."""
    if _NAME.match(folder.name):
        return folder.name
    rows = lines(folder / ROWS) if (folder / ROWS).exists() else ()
    return next((str(row["run_id"]) for row in rows if row.get("run_id")), "")


def _named(machine: machines.Record) -> str:
    return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{key(machine)}"


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
            ours = file.name != LOCK and not file.name.endswith(PARTIAL)
            if ours and file.is_file() and not file.is_symlink():
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


def _short(text: str) -> str:
    """The text without what lies beyond `LONGEST` characters: a plug-in may say anything."""
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 2]} …"


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
    """The day on which a run began, by its id; today, where it has none that tells."""
    name = identity(folder)
    return f"{name[:4]}-{name[4:6]}-{name[6:8]}" if _NAME.match(name) else f"{datetime.now(UTC):%Y-%m-%d}"


def _natural(name: str) -> list[int]:
    return [int(digits) for digits in re.findall(r"\d+", name)]
