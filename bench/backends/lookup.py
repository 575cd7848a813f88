"""Find a backend by name: a shipped one, an installed plug-in, or a class in a file."""

import importlib
import importlib.util
import sys
from collections.abc import Sequence
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from traceback import extract_tb
from types import ModuleType
from typing import Any
from zlib import crc32

from bench.backends.interface import APART, Backend
from bench.slip import meant

GROUP = "gaugeblock.backends"  # the group of entry points
SHIPPED = {"numpy": "NumPy", "torch": "Torch", "tensorflow": "TensorFlow", "jax": "Jax"}
# also shipped, but run only if named: module and class
FURTHER = {
    "onnxruntime": ("onnxruntime", "OnnxRuntime"),
    "keras-torch": ("keras", "KerasTorch"),
    "keras-jax": ("keras", "KerasJax"),
    "hasty": ("faulty", "Hasty"),  # does not wait: the residue test must find it
}


TESTS = ("hasty",)  # backends with a planted fault


def optional() -> list[str]:
    """The backends that run only if named: shipped ones, and installed plug-ins, which are not loaded."""
    plugged = {entry.name for entry in entry_points(group=GROUP)}
    return [*(name for name in FURTHER if name not in TESTS), *sorted(plugged)]


_STAND_INS: dict[str, type[Backend]] = {}  # for plug-ins, in a process that does not run their code


def stand_in(spec: str, cls: type[Backend]) -> None:
    """Make `backend(spec)` return this class in this process."""
    _STAND_INS[spec] = cls


def lineage(spec: str) -> set[str]:
    """The names of a backend and its parents; for a plug-in that is not in this run, only its own name."""
    known = spec in _STAND_INS or spec in _shipped()
    return backend(spec).lineage() if known else {spec.rpartition(":")[2]}


def backend(spec: str) -> type[Backend]:
    """The class named by `spec`: a shipped name, an entry point, or ``path/to/file.py:Name``.

    A plug-in is code, so it is loaded only if it is named. Raises ValueError for an unknown name, with the
    names that exist.
    """
    if spec in _STAND_INS:
        return _STAND_INS[spec]
    shipped = _shipped()
    if spec in shipped:
        module, name = shipped[spec]
        return _checked(getattr(importlib.import_module(f"bench.backends.{module}"), name), spec)
    path, colon, name = spec.rpartition(":")
    if colon:
        file = _executed(_found(path, spec))
        if file is None:
            raise ValueError(f"backend {spec}: {path} is not a Python file, should be path/to/file.py:Name")
        if not hasattr(file, name):
            right = [each for each, found in vars(file).items() if isinstance(found, type)]
            raise ValueError(
                f"backend {spec}: {path} has no class {name}, should be the name of a Backend"
                f"{meant(name, right)}"
            )
        return _checked(getattr(file, name), spec)
    plugged = [entry for entry in entry_points(group=GROUP) if entry.name == spec]
    if len(plugged) > 1:
        several = " and ".join(entry.value for entry in plugged)
        raise ValueError(f"backend {spec}: {several} have this name, should be one; uninstall the others")
    if plugged:
        return _checked(plugged[0].load(), spec)
    known = names()
    where = f"should be one of {', '.join(known)}, or path/to/file.py:Name"
    raise ValueError(f"backend: got {spec!r}, {where}{meant(spec, known)}")


def names() -> list[str]:
    """The names of all shipped and installed backends."""
    return [*_shipped(), *(entry.name for entry in entry_points(group=GROUP))]


def is_ours(error: ValueError) -> bool:
    """Whether this module raised it, and not a plug-in that it imported."""
    return extract_tb(error.__traceback__)[-1].filename == __file__


def clash(specs: Sequence[str]) -> None:
    """Raise ValueError if two of these, or one and an installed plug-in, have the same name in reports."""
    shown: dict[str, str] = {}
    for spec in specs:
        name = spec.rpartition(":")[2]
        if shown.setdefault(name, spec) != spec:
            raise ValueError(
                f"--backend: {shown[name]} and {spec} are both shown as {name}, should have different names"
            )
    for entry in entry_points(group=GROUP):
        if entry.name in specs and entry.name in _shipped():
            raise ValueError(
                f"--backend: {entry.name} is shipped, and {entry.value} is also installed under this name, "
                "should be another name; give it as path/to/file.py:Name, or uninstall it"
            )


def _shipped() -> dict[str, tuple[str, str]]:
    return {**{name: (name, cls) for name, cls in SHIPPED.items()}, **FURTHER}


@cache
def _found(path: str, spec: str) -> Path:
    """The absolute path of the file, cached because a plug-in may change the working directory."""
    if not Path(path).is_file():
        raise ValueError(f"backend {spec}: got no file at {path}, should be path/to/file.py:Name")
    return Path(path).resolve()


@cache
def _executed(path: Path) -> ModuleType | None:
    """The module of that file, executed once per process, so that each call returns the same class."""
    name = f"{path.stem}{APART}{crc32(str(path).encode()):08x}"  # a name that no import uses
    found = importlib.util.spec_from_file_location(name, path)
    if found is None or found.loader is None:
        return None
    if not (path.parent / "__init__.py").exists():  # modules of a package may have the names of frameworks
        sys.path.insert(0, str(path.parent))  # as Python does for a script
    module = sys.modules[name] = importlib.util.module_from_spec(found)  # dataclasses look it up
    try:
        found.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _checked(found: Any, spec: str) -> type[Backend]:
    if not (isinstance(found, type) and issubclass(found, Backend)):
        raise ValueError(f"backend {spec}: got {found!r}, should be a subclass of gaugeblock.Backend")
    return found
