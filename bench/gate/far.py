"""What the worker of a side does: prepare a call on inputs that were made elsewhere, and give its outputs.

It imports nothing but NumPy, the framework and what the Python library has: the other environment needs no
more. The reference is not run here, so SciPy may be missing.
"""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from bench.backends import backend
from bench.cells.cell import Cell
from bench.contender import train
from bench.contender.prepare import tensors


class Lacking(ModuleType):
    """In the place of SciPy, which references import and only their calls need."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)

        def lacking(*_: Any, **__: Any) -> Any:
            raise RuntimeError(f"scipy: got a call of {name} in an environment without SciPy, should be none")

        return lacking


def ready(cell: dict[str, Any], name: str, keys: dict[str, str]) -> dict[str, Any]:
    """Prepare a timed call, like `bench.speed.timed.ready`; `keys` are the cache's names of its inputs."""
    if "scipy" not in sys.modules and importlib.util.find_spec("scipy") is None:
        sys.modules |= {each: Lacking(each) for each in ("scipy", "scipy.special")}
    from bench import inputs
    from bench.speed import timed

    inputs.lend(keys)
    return timed.ready(cell, name, anew=False)


def outputs(name: str, file: str) -> dict[str, Any]:
    """Write what the last calls of blocks gave, in the reference's layout, to a file; return what ran it.

    ``<set>.<tensor>`` names each array; a dtype that NumPy's files lack is written as whole numbers.
    """
    from bench.speed import timed

    return timed.answer(lambda: _outputs(name, file))


def _outputs(name: str, file: str) -> dict[str, Any]:
    from bench import pages
    from bench.backends import packages
    from bench.speed import timed

    wanted, call = timed.taken(name)
    kept, engine = call.kept, call.engine
    if isinstance(kept, train.Ready):
        got = {0: kept.again()}
    else:
        got = {number: tensors(kept, *result) for number, result in call.ended.items()}
    flat = {f"{number}.{path}": np.asarray(y) for number, each in got.items() for path, y in each.items()}
    dtypes = {path: str(y.dtype) for path, y in flat.items()}
    plain = {path: y.view(f"u{y.itemsize}") if y.dtype.kind == "V" else y for path, y in flat.items()}
    with Path(file).open("wb") as to:
        np.savez(to, **plain)  # type: ignore[arg-type]  # of names to arrays
    package, version = packages.package(wanted.contender, backend(wanted.backend))
    return {
        "dtypes": dtypes,
        "version": engine.version,
        "package": package,
        "package_version": version,
        "threads": engine.threads(),
        "precision": engine.precision_in(wanted.mode),
        "isa": engine.isa(),
        "releases": {each.package: engine.release(each.package) for each in pages.case(wanted.case).limits},
    }


def record(cell: dict[str, Any]) -> dict[str, Any]:
    """The environment record of this worker."""
    from bench.contender.environment import environment

    return environment(Cell(**cell))
