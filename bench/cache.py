"""Where what is slow to make and safe to keep lies: inputs, derived limits, JAX's compiled programs."""

import hashlib
import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

Arrays = Mapping[str, NDArray[Any]]

SIZE = 8 * 2**30  # bytes that inputs and limits take at most; those of older sources are never asked for
KEPT = (".npz", ".txt")
PLACE = "GAUGEBLOCK_CACHE"  # names the folder, in the environment


def folder(name: str = "") -> Path:
    """The cache's folder, made where it is not there: GAUGEBLOCK_CACHE, or the system's place for caches."""
    told = os.environ.get(PLACE)
    path = (Path(told) if told else _of_the_system()) / name
    path.mkdir(parents=True, exist_ok=True)
    return path


def _of_the_system() -> Path:
    from platformdirs import user_cache_path  # not needed, and perhaps not there, where a place is named

    return user_cache_path("gaugeblock")


def kept(name: str, make: Callable[[], str]) -> str:
    """The text of this name, made where it is not there."""
    path = folder() / f"{name}.txt"
    if not path.exists():
        with _alone(path):
            if not path.exists():  # another process has made it meanwhile
                partial = path.with_suffix(f".{os.getpid()}.part")
                partial.write_text(make(), encoding="utf-8")
                partial.replace(path)
    used(path)
    return path.read_text(encoding="utf-8")


def arrays(name: str, make: Callable[[], Arrays]) -> Arrays:
    """The arrays of this name, made where they are not there, or cannot be read."""
    path = folder() / f"{name}.npz"
    if found := _read(path):
        return found
    with _alone(path):
        if found := _read(path):  # another process has made them meanwhile
            return found
        made = make()
        partial = path.with_suffix(f".{os.getpid()}.part.npz")
        np.savez(partial, **made)  # type: ignore[arg-type]  # mypy takes ** for allow_pickle
        partial.replace(path)
    return made


def _read(path: Path) -> Arrays:
    """The arrays of a file; none where it is not there, or broken."""
    with suppress(OSError, ValueError, EOFError, BadZipFile), path.open("rb") as file:
        found = dict(np.load(file, allow_pickle=False))
        used(path)
        return found
    return {}


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


def _alone(path: Path) -> AbstractContextManager[Any]:
    """One process at a time, where the lock is installed: a contender's environment need not have it."""
    try:
        from filelock import FileLock
    except ModuleNotFoundError:
        return nullcontext()
    return FileLock(f"{path}.lock")


def trim(size: int = SIZE) -> None:
    """Drop the inputs and limits that were asked for longest ago, until `size` bytes are left."""
    with os.scandir(folder()) as entries:
        found = [(entry.stat(), entry.path) for entry in entries if entry.name.endswith(KEPT)]
    kept = 0
    for stat, path in sorted(found, key=lambda each: each[0].st_mtime, reverse=True):
        kept += stat.st_size
        if kept > size:
            Path(path).unlink(missing_ok=True)
            Path(f"{path}.lock").unlink(missing_ok=True)


def used(path: Path) -> None:
    """Note that this file was asked for now."""
    with suppress(OSError):  # it may lie where nobody may write
        os.utime(path)
