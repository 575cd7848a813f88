"""To build, call and time a contender, its environment needs only NumPy, execnet and its framework."""

import os
import re
import subprocess
import sys
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest

from bench.cells.cell import Cell
from bench.inputs import inputs
from bench.speed.sets import SETS, UNSEEN
from bench.worker import Worker

ABSENT = {
    "scipy",
    "pandas",
    "psutil",
    "pytest",
    "filelock",
    "platformdirs",
    "rich",
    "threadpoolctl",
    "matplotlib",
    "orjson",
}
RELU = Cell(
    "relu", "plain", "typical", "small", "torch.nn.functional.relu", "torch", "eager", "cpu", "float32",
    "forward",
)  # fmt: skip
ADAM = Cell(
    "adam", "plain", "typical", "small", "torch.optim.Adam", "torch", "eager", "cpu", "float32", "training"
)


def needed(*names: str) -> set[str]:
    """The distributions of these names and of all that they require here."""
    found, todo = set(), list(names)
    while todo:
        name = todo.pop()
        try:
            requires = distribution(name).requires or ()
        except PackageNotFoundError:  # of another system, or of an extra
            continue
        if name not in found:
            found.add(name)
            todo += [re.split(r"[^\w.-]", each, maxsplit=1)[0] for each in requires if "extra ==" not in each]
    return found


@pytest.fixture(scope="module")
def other(tmp_path_factory):
    """The interpreter of an environment that has NumPy, execnet, torch and what torch requires."""
    pytest.importorskip("torch")
    home = tmp_path_factory.mktemp("other")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(home)], check=True)
    (site,) = home.glob("lib/python*/site-packages")
    for name in needed("torch", "numpy", "execnet"):
        found = distribution(name)
        for top in {file.parts[0] for file in found.files or () if file.parts[0] != ".."}:
            place = Path(str(found.locate_file(top)))
            if place.exists() and not (site / top).exists():
                os.symlink(place, site / top)
    return str(home / "bin" / "python")


@pytest.mark.parametrize("cell", [RELU, ADAM], ids=str)
def test_a_contender_is_timed_without_scipy_and_without_a_tolerance(other, cell):
    for number in range(SETS + UNSEEN if cell is RELU else 1):
        inputs(cell, number)  # they are made where a run derives its limits, which is not there
    worker = Worker({"PYTHONPATH": ""}, python=other)
    try:
        assert "first_call_s" in (said := worker.request("bench.speed.timed:ready", asdict(cell), "one")), (
            said
        )
        seconds, *_ = worker.request("bench.speed.timed:sample", "one")
        assert seconds > 0
        imported = set(worker.request("builtins:eval", "list(__import__('sys').modules)"))
        path = worker.request("builtins:eval", "__import__('sys').path")
    finally:
        worker.close()
    assert not {name.partition(".")[0] for name in imported} & ABSENT
    assert not {
        name for name in imported if name.startswith(("bench.tolerance", "bench.noise", "bench.verdict"))
    }
    assert "bench.speed.clock" in imported
    ours = Path(str(distribution("pytest").locate_file(""))).resolve()
    assert ours not in {Path(entry).resolve() for entry in path if entry}  # what it imports is its own
