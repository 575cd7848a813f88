"""Where what is slow to make and safe to keep lies: derived limits, and JAX's compiled programs."""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from filelock import FileLock

SIZE = 8 * 2**30  # bytes that derived limits may take; those of sources that have changed are never asked for
KEPT = (".npz", ".txt")


def folder(name: str = "") -> Path:
    """The cache's folder, made where it is not there: GAUGEBLOCK_CACHE, or the system's place for caches."""
    told = os.environ.get("GAUGEBLOCK_CACHE")
    path = (Path(told) if told else _of_the_system()) / name
    path.mkdir(parents=True, exist_ok=True)
    return path


def _of_the_system() -> Path:
    from platformdirs import user_cache_path  # not needed, and perhaps not there, where a place is named

    return user_cache_path("gaugeblock")


def kept(name: str, make: Callable[[], str]) -> str:
    """The text of this name, made where it is not there."""
    path = folder() / f"{name}.txt"
    with FileLock(f"{path}.lock"):
        if not path.exists():
            partial = path.with_suffix(f".{os.getpid()}.part")
            partial.write_text(make(), encoding="utf-8")
            partial.replace(path)
        used(path)
        return path.read_text(encoding="utf-8")


def trim(size: int = SIZE) -> None:
    """Drop the derived limits that were asked for longest ago, until the others take at most `size` bytes."""
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
