"""A failing cell's folder: what it was given and gave, what it should have given, and a script that shows it.

`inputs.npz` and `expected.npz` hold what repro.py reads, the latter in the framework's own layout; `got.npz`
holds the tensors that were compared, `contender.py` the page's build, `cell.json` coordinates and versions.
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
from bench.store.results import anonymous
from bench.store.row import Row, sentence
from bench.tree import flatten
from bench.verdict.judge import Judged

LONG = 180  # characters of a folder's name
KEPT = ("disagrees", "imprecise", "mistrusted", "error")
FOLDERS = 100  # of a run: what fails oftener than that is one failure
MIB = 8  # of arrays in a file
HEAD = 512  # bytes of a file that say of an array what it is


def freeze(root: Path, cell: Cell, row: Row, judged: Judged, *, graph: bool) -> None:
    """Write the folder of a cell that failed, and take away that of one that no longer does.

    `graph` says that the outputs came with gradients, for which some frameworks go another way.
    """
    folder = root / folder_name(cell)
    shutil.rmtree(folder, ignore_errors=True)
    if row.status not in KEPT or (root.is_dir() and len(os.listdir(root)) >= FOLDERS):
        return
    try:
        _keep(folder, cell, row, judged, graph)
    except OSError as error:  # the verdict stands all the same
        cause = error.strerror or str(error)
        told = f"failures: {root} cannot be written ({cause}): nothing is kept of some cells that failed"
        tell({cause: told})


def _keep(folder: Path, cell: Cell, row: Row, judged: Judged, graph: bool) -> None:
    folder.mkdir(parents=True)
    notes: list[str] = []
    for write in (_inputs, _got, _expected, _script):
        try:
            write(folder, cell, row, judged, graph)
        except Exception as error:  # what broke the cell may break this: then the folder holds less
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
    """The cell's id and seed as one name of a folder."""
    name = "".join(char if char.isalnum() or char in "-_.=" else "_" for char in str(cell))
    if len(name) > LONG:  # than a file system may take
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
    """Values and limits, tensor after tensor, in one row each."""
    engine = instance(backend(cell.backend), cell.device, cell.dtype)
    found = tensors(cell, row, engine, judged.places) if judged.places else {}  # none where it raised
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
            "limit": np.maximum(limit, np.finfo(float).tiny),  # no 0 / 0
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
