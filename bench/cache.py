"""Where what is slow to make and safe to keep lies: inputs, derived limits, JAX's compiled programs.

It spares time and costs nobody a run: what cannot be read is made anew, and what cannot be kept is told.
"""

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

Arrays = Mapping[str, NDArray[Any]]

SIZE = 8 * 2**30  # bytes that inputs and limits take at most; those of older sources are never asked for
KEPT = (".npz", ".txt")  # earlier versions kept texts as such
PLACE = "GAUGEBLOCK_CACHE"  # names the folder, in the environment
OWN = "GAUGEBLOCK_CACHE_OWN"  # names the part of it, in the environment, that one process may write alone
PARTS = "own"  # the folder of such parts
NOWHERE = Path(os.devnull) / "gaugeblock"  # the folder of a user without a home: nothing can be kept in it
STARTED = Path.cwd()  # what runs here may go elsewhere
SEAL = "seal"  # among the arrays of a file: what the file is of, and the digest of the others

_TOLD: dict[str, str] = {}  # what could not be kept, a sentence for each cause


def folder(name: str = "") -> Path:
    """The cache's folder, made where it is not there: GAUGEBLOCK_CACHE, or the system's place for caches.

    Where it cannot be made nothing is kept, and that is told.
    """
    told = os.environ.get(PLACE)
    path = (STARTED / told if told else _of_the_system()) / name
    with suppress(OSError):
        path.mkdir(parents=True, exist_ok=True)
    return path


def _of_the_system() -> Path:
    try:
        from platformdirs import user_cache_path
    except ModuleNotFoundError:  # a contender's environment need not have it
        found = Path("~/.cache/gaugeblock").expanduser()
    else:
        found = user_cache_path("gaugeblock")
    return found if found.is_absolute() else NOWHERE


def kept(name: str, make: Callable[[], str]) -> str:
    """The text of this name, made where it is not there, or cannot be read."""
    return str(arrays(name, lambda: {"text": np.array(make())})["text"])


def arrays(name: str, make: Callable[[], Arrays]) -> Arrays:
    """The arrays of this name, made where they are not there, or cannot be read.

    Who has a part of its own keeps there what it makes, and reads what all have before.
    """
    if os.environ.get(OWN) and (found := _read(folder() / f"{name}.npz")) is not None:
        return found
    path = folder(os.environ.get(OWN, "")) / f"{name}.npz"
    if (found := _read(path)) is not None:
        return found
    with _alone(path):
        if (found := _read(path)) is not None:  # another process has made them meanwhile
            return found
        made = make()
        _keep(path, made)
    return made


def _read(path: Path) -> Arrays | None:
    """The arrays of a file; None where it is not there, broken, or not what was kept under its name."""
    try:
        if not path.is_file():  # a pipe would never end
            return None
        with path.open("rb") as file:
            found = dict(np.load(file, allow_pickle=False))
        whole = str(found.pop(SEAL)) == _seal(path, found)
    except Exception:  # there is no end to what a damaged file makes zipfile and NumPy raise
        return None
    if whole:
        used(path)
    return found if whole else None


def _keep(path: Path, made: Arrays) -> None:
    partial = path.with_name(f"{path.stem}.{uuid4().hex}.part.npz")
    sealed: dict[str, Any] = {SEAL: np.array(_seal(path, made)), **made}
    try:
        np.savez(partial, **sealed)
        partial.replace(path)
    except OSError as error:
        cause = error.strerror or str(error)
        told = (
            f"cache: {path} cannot be written ({cause}): what is derived is derived again where it is needed "
            f"next; make room, or name another folder in {PLACE}"
        )
        tell({cause: told})
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)


def _seal(path: Path, arrays: Arrays) -> str:
    return f"{path.stem} {digest(arrays)}"


def tell(causes: Mapping[str, str]) -> None:
    """Note why something could not be kept, once for each cause; a worker's notes come with its answers."""
    for cause, sentence in causes.items():
        _TOLD.setdefault(cause, sentence)


def told() -> dict[str, str]:
    """What users should know: a sentence for each cause that something was not kept."""
    return dict(_TOLD)


def digest(arrays: Arrays) -> str:
    """32 hexadecimal digits that name these arrays: their names, dtypes, shapes and every bit."""
    found = hashlib.sha256()
    for name, array in arrays.items():
        found.update(repr((name, array.dtype.str, array.shape)).encode())
        found.update(np.ascontiguousarray(array).data.cast("B") if array.size else b"")
    return found.hexdigest()[:32]


def source(files: Iterable[Path]) -> str:
    """32 hexadecimal digits that name what these files say."""
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:32]


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """One process at a time, where a lock can be had: without it some work is done twice.

    A contender's environment need not have filelock, and not every folder or file system takes a lock.
    """
    lock: Any = None
    with suppress(ModuleNotFoundError, OSError, NotImplementedError):
        from filelock import FileLock

        lock = FileLock(f"{path}.lock")
        lock.acquire()
    try:
        yield
    finally:
        if lock is not None:
            lock.release()


def part(name: str) -> str:
    """The part of the cache that belongs to what has this name, as `OWN` names it."""
    return f"{PARTS}/{hashlib.sha256(name.encode()).hexdigest()[:16]}"


def _folders() -> Iterator[Path]:
    yield folder()
    with suppress(OSError):
        yield from (folder() / PARTS).iterdir()


def trim(size: int = SIZE) -> None:
    """Drop the inputs and limits that were asked for longest ago, until `size` bytes are left."""
    found = []
    for where in _folders():
        with suppress(OSError), os.scandir(where) as entries:
            for entry in entries:
                if entry.name.endswith(KEPT) and entry.is_file(follow_symlinks=False):
                    with suppress(OSError):  # another run may have dropped it
                        found.append((entry.stat(), entry.path))
    kept = 0
    for stat, path in sorted(found, key=lambda each: each[0].st_mtime, reverse=True):
        kept += stat.st_size
        if kept > size:
            with suppress(OSError):  # it may lie where nobody may write
                Path(path).unlink(missing_ok=True)
                Path(f"{path}.lock").unlink(missing_ok=True)


def used(path: Path) -> None:
    """Note that this file was asked for now."""
    with suppress(OSError):  # the same
        os.utime(path)
