"""Where what is slow to make and safe to keep lies: derived limits, and JAX's compiled programs."""

import os
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock
from platformdirs import user_cache_path


def folder(name: str = "") -> Path:
    """The cache's folder, made where it is not there: GAUGEBLOCK_CACHE, or the system's place for caches."""
    path = Path(os.environ.get("GAUGEBLOCK_CACHE") or user_cache_path("gaugeblock")) / name
    path.mkdir(parents=True, exist_ok=True)
    return path


def kept(name: str, make: Callable[[], str]) -> str:
    """The text of this name, made where it is not there."""
    path = folder() / f"{name}.txt"
    with FileLock(f"{path}.lock"):
        if not path.exists():
            partial = path.with_suffix(f".{os.getpid()}.part")
            partial.write_text(make(), encoding="utf-8")
            partial.replace(path)
        return path.read_text(encoding="utf-8")
