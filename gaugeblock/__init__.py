"""The public API, for authors of pages and backends and for readers of results; bench/ is private.

Import it as ``from gaugeblock import Case, Contender``. The folders bench/, reference/ and suites/ are
packages with these names; once this package is imported, folders of yours with these names do not hide them.
"""

import importlib
import sys
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).resolve().parent.parent  # the parent of our folders: the repository, or site-packages
FOLDERS = ("bench", "reference", "suites")


class Ours(MetaPathFinder):
    """Finds our folders in ROOT, whatever comes first on the path."""

    def find_spec(self, name: str, path: Any, target: Any = None) -> ModuleSpec | None:
        folder = ROOT / name
        if name not in FOLDERS:
            return None
        return spec_from_file_location(name, folder / "__init__.py", submodule_search_locations=[str(folder)])


for _name in FOLDERS:
    if (_found := sys.modules.get(_name)) is None:
        continue
    _where = _found.__file__ or str(list(_found.__path__))
    if Path(_where).resolve().parent != ROOT / _name:
        raise ImportError(
            f"gaugeblock: {_name} is {_where} in this process, should be {ROOT / _name}; import gaugeblock "
            "first"
        )
sys.meta_path.insert(0, Ours())

from bench.backends import Absent as Absent  # noqa: E402  # after the finder is installed
from bench.backends import Backend as Backend  # noqa: E402
from bench.backends import Bound as Bound  # noqa: E402
from bench.backends import Loop as Loop  # noqa: E402
from bench.backends import backend as backend  # noqa: E402
from bench.backends.api import require as require  # noqa: E402
from bench.case import INTEGERS as INTEGERS  # noqa: E402
from bench.case import Case as Case  # noqa: E402
from bench.case import Contender as Contender  # noqa: E402
from bench.case import Headline as Headline  # noqa: E402
from bench.case import Limit as Limit  # noqa: E402
from bench.case import Option as Option  # noqa: E402
from bench.case import Refusal as Refusal  # noqa: E402
from bench.case import Training as Training  # noqa: E402
from bench.cells.cell import LOW as LOW  # noqa: E402
from bench.tree import flatten as flatten  # noqa: E402
from bench.tree import tree_map as tree_map  # noqa: E402

if TYPE_CHECKING:
    from bench.backends.jax import Jax as Jax
    from bench.backends.numpy import NumPy as NumPy
    from bench.backends.tensorflow import TensorFlow as TensorFlow
    from bench.backends.torch import Torch as Torch
    from bench.cells.pairwise import pairs as pairs
    from bench.mutation.mutant import Mutant as Mutant
    from bench.noise import P as P
    from bench.report.frames import agreement as agreement
    from bench.report.frames import bits as bits
    from bench.report.frames import compare as compare
    from bench.report.frames import departures as departures
    from bench.report.frames import growth as growth
    from bench.report.frames import hardware as hardware
    from bench.report.frames import latex as latex
    from bench.report.frames import speed as speed
    from bench.report.frames import styled as styled
    from bench.store.rows import load as load

# imported on first use: pages need none of them
LATER = {
    "Jax": "bench.backends.jax",
    "NumPy": "bench.backends.numpy",
    "TensorFlow": "bench.backends.tensorflow",
    "Torch": "bench.backends.torch",
    "Mutant": "bench.mutation.mutant",
    "P": "bench.noise",
    "load": "bench.store.rows",
    "pairs": "bench.cells.pairwise",
    **dict.fromkeys(
        ("agreement", "bits", "compare", "departures", "growth", "hardware", "latex", "speed", "styled"),
        "bench.report.frames",
    ),
}


def __getattr__(name: str) -> Any:
    if name not in LATER:
        raise AttributeError(f"module 'gaugeblock' has no attribute {name!r}")
    return getattr(importlib.import_module(LATER[name]), name)
