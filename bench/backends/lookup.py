"""A backend by its name: a shipped one, an installed plug-in's, or one in a file."""

import importlib
import importlib.util
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

from bench.backends.interface import Backend

SHIPPED = {"numpy": "NumPy", "torch": "Torch", "tensorflow": "TensorFlow", "jax": "Jax"}
# shipped too, and run when they are named: module and class
FURTHER = {
    "onnxruntime": ("onnxruntime", "OnnxRuntime"),
    "keras-torch": ("keras", "KerasTorch"),
    "keras-jax": ("keras", "KerasJax"),
    "hasty": ("faulty", "Hasty"),  # does not wait, and must be caught
}


def backend(spec: str) -> type[Backend]:
    """The class named by `spec`: a shipped name, an entry point, or ``path/to/file.py:Name``.

    A plug-in is code and is loaded only because it is named. Raises ValueError for an unknown
    name, and says which exist.
    """
    shipped = {**{name: (name, cls) for name, cls in SHIPPED.items()}, **FURTHER}
    if spec in shipped:
        module, name = shipped[spec]
        return _checked(getattr(importlib.import_module(f"bench.backends.{module}"), name), spec)
    path, colon, name = spec.rpartition(":")
    if colon:
        if not Path(path).is_file():
            raise ValueError(f"backend {spec}: got no file at {path}, should be path/to/file.py:Name")
        file = _executed(Path(path).resolve())
        if file is None:
            raise ValueError(f"backend {spec}: {path} is no Python file, should be path/to/file.py:Name")
        if not hasattr(file, name):
            raise ValueError(f"backend {spec}: {path} has no class {name}, should be the name of a Backend")
        return _checked(getattr(file, name), spec)
    plugged = {entry.name: entry for entry in entry_points(group="gaugeblock.backends")}
    if spec in plugged:
        return _checked(plugged[spec].load(), spec)
    known = ", ".join([*shipped, *plugged])
    raise ValueError(f"backend: got {spec!r}, should be one of {known}, or path/to/file.py:Name")


@cache
def _executed(path: Path) -> ModuleType | None:
    """The module of that file, once a process: another class for each call would be another engine."""
    found = importlib.util.spec_from_file_location(path.stem, path)
    if found is None or found.loader is None:
        return None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def _checked(found: Any, spec: str) -> type[Backend]:
    if not (isinstance(found, type) and issubclass(found, Backend)):
        raise ValueError(f"backend {spec}: got {found!r}, should be a subclass of gaugeblock.Backend")
    return found
