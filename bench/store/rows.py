"""Reads the files of runs, of any version of Gaugeblock: rows, curves and records."""

import errno
import gc
import hashlib
import json
import os
import stat
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import fields
from itertools import islice, repeat
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, TypeVar

from bench.digits import count
from bench.machine.records import Record, key
from bench.store.lines import Told, entries, ignore, refuse
from bench.store.lines import lines as lines
from bench.store.migrate import migrated
from bench.store.row import CELL as CELL
from bench.store.row import COLUMNS, Row
from bench.worker.process import pool

if TYPE_CHECKING:
    import pandas
T = TypeVar("T")
Place = str | os.PathLike[str]

ROWS, CURVES, FINGERPRINTS = "rows.jsonl", "curves.jsonl", "fingerprints.jsonl"
MOMENTS, SAMPLES, ROOFS, WORKERS = "moments.jsonl", "samples.jsonl", "roofs.jsonl", "environments.jsonl"
LINES = (ROWS, CURVES, FINGERPRINTS, MOMENTS, SAMPLES, ROOFS, WORKERS)  # a run's JSON Lines files
RECORDS = ("machine", "environment")
LARGE = 2**25  # bytes of rows, from which several processes read sooner than one
CHUNK = 10_000  # rows that are taken apart at once
BEGINNING = 2**16  # bytes that tell most files apart

NUMBERS = frozenset(column.name for column in fields(Row) if column.type is not str)
INTEGERS = frozenset(column.name for column in fields(Row) if column.type in (int, int | None))


def aloud(text: str) -> None:
    """Print the text on stderr."""
    print(f"gaugeblock: {text}", file=sys.stderr)


def load(
    *paths: Place | Iterable[Place],
    lenient: bool = False,
    told: Callable[[str], None] = aloud,
    jobs: int = 1,
) -> "pandas.DataFrame":
    """The rows of files, of runs' folders, or of all runs below a folder, with the columns of a Row.

    Texts are objects, whole numbers Int64 and others float64, NA or NaN where they are missing.

    `paths` are one or several, or a list of them. Older rows lack newer columns: those are empty, or are
    derived from the others (`bench.store.migrate`). Columns of later versions of Gaugeblock come last. If a
    run has two rows for a cell (the verdict, then the speed), only the last is kept. A run that is there
    twice (local and published) is read once.

    Raises FileNotFoundError if there are no rows, ValueError without a path, and ValueError with file, line
    and column for a line that is not a row. `lenient` skips such lines: `told` is called with their number,
    and ``attrs["left_out"]`` has it. `jobs` is how many processes read large files; with more than one, a
    script that calls this needs ``if __name__ == "__main__"``, as it does for multiprocessing.
    """
    import numpy as np
    import pandas as pd

    wrong: list[str] = []
    columns: dict[str, list[Any]] = {name: [] for name in COLUMNS}
    beyond: dict[str, dict[int, Any]] = {}  # by column, then by row
    number = 0
    for read in _read(all_files(*paths), lenient, jobs):
        for name, parts in read.columns.items():
            columns[name] += parts
        for name, given in read.beyond.items():
            beyond.setdefault(name, {}).update((number + at, value) for at, value in given.items())
        number += read.number
        wrong += read.wrong
    # taken apart and joined column by column, and never held twice
    frame = {name: _column(name, columns.pop(name)) for name in COLUMNS}
    for name, given in beyond.items():
        frame[name] = np.array([given.get(at) for at in range(number)], dtype=object)
    cells = pd.DataFrame({name: frame[name] for name in (*CELL, "machine")})
    last = ~cells.duplicated(keep="last").to_numpy()
    left = {name: _series(name, frame.pop(name)[last]) for name in [*frame]}
    rows = migrated(pd.DataFrame(left, copy=False))  # joined into one array they would be held twice
    if wrong:
        told(_left_out(wrong, "line"))
        rows.attrs["left_out"] = len(wrong)
    return rows


class _Read(NamedTuple):
    """The rows of a file: arrays by column, the columns of a later version by row, and what was skipped."""

    columns: dict[str, list[Any]]
    beyond: dict[str, dict[int, Any]]
    number: int
    wrong: list[str]


def _read(found: Sequence[Path], lenient: bool, jobs: int) -> Iterator[_Read]:
    """The files one by one, in their order; read by several processes if they are large."""
    seen: dict[str, str] = {}  # rows repeat strings: keep one copy of each
    jobs = min(jobs, len(found)) if sum(file.stat().st_size for file in found) > LARGE else 1
    if jobs == 1:
        yield from (_rows_of(file, lenient, seen) for file in found)
        return
    with pool(jobs) as processes:
        for read in processes.map(_rows_of, found, repeat(lenient), repeat({})):
            for name in {*COLUMNS} - NUMBERS:
                read.columns[name][:] = (_shared(part, seen) for part in read.columns[name])
            yield read


def _rows_of(file: Path, lenient: bool, seen: dict[str, str]) -> _Read:
    read = _Read({name: [] for name in COLUMNS}, {}, 0, [])
    found = entries(file, (lambda what, cure: read.wrong.append(what)) if lenient else refuse)
    number = 0
    with _uncollected():
        while chunk := list(islice(found, CHUNK)):
            for name, column in zip(COLUMNS, zip(*(values for values, _ in chunk), strict=True), strict=True):
                read.columns[name].append(_part(name, column, seen))
            for at, (_, more) in enumerate(chunk, number):
                for name, value in more.items():
                    read.beyond.setdefault(name, {})[at] = value
            number += len(chunk)
    return read._replace(number=number)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without garbage collection: rows have no cycles, and looking for them takes a tenth of the time."""
    on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if on:
            gc.enable()


def _shared(texts: Any, seen: dict[str, str]) -> Any:
    """The array with one copy of each text."""
    import numpy as np

    return np.array(list(map(seen.setdefault, texts, texts)), dtype=object)


def _part(name: str, column: Sequence[Any], seen: dict[str, str]) -> Any:
    """Values of a column as an array; of whole numbers with a second one that marks what is missing."""
    import numpy as np

    if name in INTEGERS:
        return np.array([value or 0 for value in column]), np.array([value is None for value in column])
    if name in NUMBERS:
        return np.array(column, dtype=float)
    return _shared(column, seen)


def _column(name: str, parts: Sequence[Any]) -> Any:
    """The parts of a column joined."""
    import numpy as np
    import pandas as pd

    if name in INTEGERS:
        values, missing = zip(*parts, strict=True) if parts else ([np.array([], int)], [np.array([], bool)])
        return pd.arrays.IntegerArray(np.concatenate(values), np.concatenate(missing))
    return np.concatenate(parts or [np.array([], dtype=float if name in NUMBERS else object)])


def _series(name: str, values: Any) -> "pandas.Series":
    """The values with their type: texts stay objects, which rows share, because copies take memory."""
    import pandas as pd

    found = pd.Series(values, dtype=values.dtype)
    return found if name in COLUMNS else found.infer_objects()


def heard(read: Callable[[Told], T], told: Callable[[str], None]) -> T:
    """The records that `read` can read; `told` is called with one sentence about those it cannot."""
    wrong: list[str] = []
    found = read(lambda what, cure: wrong.append(what))
    if wrong:
        told(_left_out(wrong, "record"))
    return found


def _left_out(wrong: Sequence[str], noun: str) -> str:
    return f"{count(len(wrong), noun)} left out, the first: {wrong[0]}"


def run_id(file: Path) -> str:
    """The run id of the first row of a file; empty if the file has no row."""
    first = next(entries(file, ignore), None)
    return str(first[0][0]) if first else ""


def day(run: str) -> str:
    """The day in the id of a run; empty if it has none."""
    return f"{run[:4]}-{run[4:6]}-{run[6:8]}" if run[:8].isdigit() else ""


def check(folder: Path) -> None:
    """Raise ValueError if a run has an invalid line, other than a last one that was cut off."""

    def told(wrong: str, cure: str) -> None:
        refuse(wrong, "restore the file, delete that line, or name a new folder")

    for file in (folder / name for name in LINES):
        if file.is_file():
            for _ in entries(file, told, cut=ignore) if file.name == ROWS else lines(file, told, cut=ignore):
                pass


def all_files(*paths: Place | Iterable[Place]) -> list[Path]:
    """The rows files at or below paths and lists of paths, each run once. Raises as `files` does."""
    flat = [each for path in paths for each in ([path] if isinstance(path, str | os.PathLike) else path)]
    if not flat:
        raise ValueError("load: got no path, should be one or several: rows files, runs or folders of runs")
    found = [file for path in flat for file in files(path)]
    if len(flat) == 1:
        return found
    kept: dict[Any, Path] = {}
    for identity, file in zip(_identities(found), found, strict=True):
        kept.setdefault(identity, file)
    return list(kept.values())


def files(path: Place) -> list[Path]:
    """The rows files at or below a path, each run once.

    Raises FileNotFoundError if there are none, ValueError for a pipe or a device (reading might never end),
    and OSError or ValueError for a path that the operating system rejects.
    """
    root = Path(path)
    found: list[Path] = []
    try:
        kind = os.stat(root).st_mode
        if stat.S_ISDIR(kind):
            for folder, _, names in os.walk(root, onerror=_raise):
                found += [Path(folder, ROWS)] if ROWS in names else []
        else:
            found = [root]
        odd = next((file for file in found if not stat.S_ISREG(os.stat(file).st_mode)), None)
    except (FileNotFoundError, NotADirectoryError):
        raise FileNotFoundError(_nothing(root, "nothing there")) from None
    except (OSError, ValueError) as error:  # a name that is too long, a loop of links, an unreadable folder
        kind_of = OSError if isinstance(error, OSError) else ValueError
        raise kind_of(_nothing(root, f"{getattr(error, 'strerror', None) or error}")) from None
    if odd:
        raise ValueError(_nothing(odd, "a pipe or a device"))
    if not found:
        raise FileNotFoundError(_nothing(root, f"no {ROWS} at or below it"))
    found = sorted(found, reverse=True)
    return list(dict(zip(_identities(found), found, strict=True)).values())[::-1]


def _nothing(path: Path, got: str) -> str:
    return (
        f"results {path}: got {got}, should be a rows file, a run's folder or a folder of runs; "
        "`gaugeblock run` makes one"
    )


def _raise(error: OSError) -> NoReturn:
    raise error


def record(folder: Path, kind: str, told: Told = refuse) -> Record:
    """The machine or environment record of a run; empty if it is missing or invalid."""
    file, found = _folder(folder) / f"{kind}.json", None
    if not file.exists():
        return {}
    with suppress(ValueError, RecursionError, OSError):
        found = json.loads(_file(file).read_text(encoding="utf-8"))
    if not isinstance(found, dict):
        told(f"{kind} record {file}: got something else, should be a JSON object", "restore the file")
        return {}
    return found


def environments(folder: Path, told: Told = refuse) -> dict[str, Record]:
    """The environment records of a run and its workers, by key."""
    return {key(each): each for each in (record(folder, "environment", told), *beside(folder, WORKERS, told))}


def records(found: Iterable[Path], told: Told = refuse) -> tuple[dict[str, Record], dict[str, Record]]:
    """The machine and environment records of several runs, by key."""
    found = list(found)
    machines = {key(each): each for each in (record(file, "machine", told) for file in found)}
    return machines, {name: each for file in found for name, each in environments(file, told).items()}


def beside(folder: Path, name: str, told: Told = refuse) -> list[dict[str, Any]]:
    """The objects of a file of a run; empty if there is no such file. `told` is used as in `lines`."""
    file = _folder(folder) / name
    if not file.exists():
        return []
    try:
        return list(lines(_file(file), told))
    except OSError as error:
        told(f"{file.stem} {file}: got {error.strerror}, should be a readable file", "restore the file")
        return []


def curves(folder: Path, told: Told = refuse) -> list[dict[str, Any]]:
    """The training curves of a run."""
    return beside(folder, CURVES, told)


def fingerprints(folder: Path, told: Told = refuse) -> list[dict[str, Any]]:
    """The arithmetic fingerprints of a run: one per backend, mode, device and dtype."""
    return beside(folder, FINGERPRINTS, told)


def roofs(folder: Path, told: Told = refuse) -> list[dict[str, Any]]:
    """The peak rates that the backends reached in a run: one record per backend, device and dtype."""
    return beside(folder, ROOFS, told)


def moments(folder: Path, told: Told = refuse) -> list[dict[str, Any]]:
    """The load of the machine each time that the run recorded it; empty if it never did."""
    return beside(folder, MOMENTS, told)


def _folder(folder: Path) -> Path:
    """The folder itself, or the folder of a rows file."""
    return folder.parent if folder.is_file() else folder


def _file(file: Path) -> Path:
    """The file itself; raises OSError for a pipe or a folder: reading a pipe might never end."""
    if not file.is_file():
        raise OSError(errno.EINVAL, "no regular file")
    return file


def _identities(found: Sequence[Path]) -> list[Any]:
    """What only copies of each file share: size and beginning, and all of it where another begins so."""
    begun = [_beginning(file) for file in found]
    alike = Counter(begun)
    pairs = zip(begun, found, strict=True)
    return [(each, _digest(file) if alike[each] > 1 else b"") for each, file in pairs]


def _beginning(file: Path) -> tuple[int, bytes]:
    with file.open("rb") as opened:
        return os.fstat(opened.fileno()).st_size, hashlib.sha256(opened.read(BEGINNING)).digest()


def _digest(file: Path) -> bytes:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").digest()
