"""Imports a page a second time, with a changed source of one of its modules; the page in use is untouched."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType
from typing import Any

import numpy as np

from bench.coarse import cut
from bench.tree import tree_map


def _rounding(bits: int) -> Callable[[Any], Any]:
    return lambda x: tree_map(lambda leaf: cut(leaf, bits), x)


TOOLS = {
    "np": np,
    "tf32": _rounding(11),
    "bfloat16": _rounding(8),
    "float16": _rounding(11),
    "float32": _rounding(24),
}


@contextmanager
def apart(page: str) -> Iterator[None]:
    """Inside the block, the page and the reference are imported again; afterwards the old ones are back."""

    def mine(name: str) -> bool:
        return name == page or name.partition(".")[0] == "reference"

    kept = {name: module for name, module in sys.modules.items() if mine(name)}
    for name in kept:
        del sys.modules[name]
    try:
        yield
    finally:
        for name in [name for name in sys.modules if mine(name)]:
            del sys.modules[name]
        sys.modules.update(kept)
        package, _, leaf = page.rpartition(".")
        if page in kept and package in sys.modules:
            setattr(sys.modules[package], leaf, kept[page])


@contextmanager
def instead(module: str, faulty: Callable[[str], str]) -> Iterator[None]:
    """Inside the block, importing `module` runs ``faulty(source)``; ValueError if nothing imports it."""
    seen: list[str] = []

    class Loader(SourceFileLoader):
        def get_code(self, fullname: str) -> Any:
            return compile(faulty(self.get_data(self.path).decode()), self.path, "exec")

        def exec_module(self, module: ModuleType) -> None:
            seen.append(module.__name__)
            vars(module).update(TOOLS)
            super().exec_module(module)

    class Finder(MetaPathFinder):
        def find_spec(self, name: str, path: Any, target: Any = None) -> ModuleSpec | None:
            spec = PathFinder.find_spec(name, path) if name == module else None
            if spec is not None:
                spec.loader = Loader(name, str(spec.origin))
            return spec

    finder = Finder()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
    if not seen:
        raise ValueError(
            f"mutant: got {module}, which the page does not import, should be a module that it imports"
        )
