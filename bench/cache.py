"""Where what is slow to make and safe to keep lies: derived limits, and JAX's compiled programs."""

import os
from pathlib import Path

from platformdirs import user_cache_path


def folder(name: str = "") -> Path:
    """The cache's folder, made where it is not there: GAUGEBLOCK_CACHE, or the system's place for caches."""
    path = Path(os.environ.get("GAUGEBLOCK_CACHE") or user_cache_path("gaugeblock")) / name
    path.mkdir(parents=True, exist_ok=True)
    return path
