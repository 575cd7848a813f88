"""Writes the folder of a failed cell: inputs, outputs, expected values, and a script that reproduces it.

repro.py reads `inputs.npz` and `expected.npz`; the latter is in the framework's layout. `got.npz` has the
tensors that were compared, `contender.py` the page's build, `cell.json` the coordinates and versions.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from bench import pages
from bench.backends import Backend, backend
from bench.cache import tell
from bench.cells.cell import Cell
from bench.contender.prepare import find, instance
from bench.failure.extract import extract
from bench.failure.repro import given, script, tensors
from bench.machine.records import PACKAGES, installed
from bench.store.row import Row, anonymous, sentence
from bench.tree import flatten
from bench.verdict.judge import Judged

LONG = 180  # most characters of a folder's name, below the limits of file systems
KEPT = ("disagrees", "imprecise", "mistrusted", "error")
FOLDERS = 100  # most folders of a run: more failures are likely to have one cause
MIB = 8  # most MiB of arrays in a file
HEAD = 512  # bytes of an array's header in a file


def freeze(root: Path, cell: Cell, row: Row, judged: Judged, *, graph: bool) -> None:
    """Write the folder of a failed cell, or remove the folder of a cell that no longer fails.

    `graph`: the outputs were computed together with gradients; some frameworks then use other kernels.
    """
    folder = root / folder_name(cell)
    shutil.rmtree(folder, ignore_errors=True)
    if row.status not in KEPT or (root.is_dir() and len(os.listdir(root)) >= FOLDERS):
        return
    try:
        _keep(folder, cell, row, judged, graph)
    except OSError as error:  # the verdict is still valid
        cause = error.strerror or str(error)
        told = f"failures: {root} cannot be written ({cause}): some failed cells have no folder"
        tell({cause: told})


def _keep(folder: Path, cell: Cell, row: Row, judged: Judged, graph: bool) -> None:
    folder.mkdir(parents=True)
    notes: list[str] = []
    for write in (_inputs, _got, _expected, _script):
        try:
            write(folder, cell, row, judged, graph)
        except Exception as error:  # whatever broke the cell may also break this: the folder then has less
            notes.append(anonymous(f"no {write.__name__.strip('_')}: {sentence(error)}"))
    record = {
        "cell": asdict(cell),
        **{name: getattr(row, name) for name in ("status", "version", "threads", "precision", "command")},
        "why": anonymous(row.why),
        "packages": installed(PACKAGES),
        "notes": notes,
    }
    (folder / "cell.json").write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


def folder_name(cell: Cell) -> str:
    """The folder name of a cell, from its id and seed."""
    name = "".join(char if char.isalnum() or char in "-_.=" else "_" for char in str(cell))
    if len(name) > LONG:
        name = f"{name[:LONG]}_{hashlib.sha256(name.encode()).hexdigest()[:8]}"
    return f"{name}_{cell.seed}"


def _inputs(folder: Path, cell: Cell, row: Row, judged: Judged, graph: bool) -> None:
    trees = flatten(given(cell, row))
    _save(folder / "inputs.npz", {path: x for path, x in trees.items() if isinstance(x, np.ndarray)})


def _got(folder: Path, cell: Cell, row: Row, judged: Judged, graph: bool) -> None:
    found = {path: y for path, y in judged.got.items() if path.startswith(f"{cell.direction}.")}
    if not found:
        raise ValueError("the contender gave nothing")
    _save(folder / "got.npz", found)


def _expected(folder: Path, cell: Cell, row: Row, judged: Judged, graph: bool) -> None:
    """Save values and limits of all tensors, each concatenated to one flat array."""
    engine = instance(backend(cell.backend), cell.device, cell.dtype)
    found = tensors(cell, row, engine, judged.places) if judged.places else {}  # empty if the cell raised
    should, limit = (
        np.concatenate([[], *(pair[side].ravel() for pair in found.values())]) for side in (0, 1)
    )
    sizes = [pair[0].size for pair in found.values()]
    _save(
        folder / "expected.npz",
        {
            "names": np.array(list(found)),
            "starts": np.cumsum([0, *sizes[:-1]]),
            "should": should,
            "limit": np.maximum(limit, np.finfo(float).tiny),  # the script divides by the limit
        },
    )


def _script(folder: Path, cell: Cell, row: Row, judged: Judged, graph: bool) -> None:
    engine = instance(backend(cell.backend), cell.device, cell.dtype)
    if type(engine).script is Backend.script:
        raise NotImplementedError(f"backend {cell.backend} has no script for its cells")
    source, build = extract(find(pages.case(cell.case), cell).build)
    text = script(cell, row, anonymous(row.why), engine, build, graph)
    (folder / "contender.py").write_text(source, encoding="utf-8")
    (folder / "repro.py").write_text(text, encoding="utf-8")


def _save(file: Path, arrays: Mapping[str, Any]) -> None:
    held = {name: np.asarray(array) for name, array in arrays.items()}
    if objects := [name for name, array in held.items() if array.dtype.hasobject]:
        raise ValueError(f"{objects[0]} holds Python objects, should hold numbers")
    size = sum(array.nbytes + HEAD for array in held.values()) / 2**20
    if size > MIB:
        raise ValueError(f"got {size:.0f} MiB, should be at most {MIB}")
    np.savez(file, **held)  # type: ignore[arg-type]  # mypy takes ** for allow_pickle
