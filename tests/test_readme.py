"""What the README shows is run as it stands."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def block(name: str) -> str:
    """The code block that follows the first mention of a file's name."""
    return README.partition(f"`{name}`")[2].partition("```python\n")[2].partition("```")[0]


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """A copy of the house with the README's formula and backend added."""
    house = tmp_path_factory.mktemp("house")
    for folder in ("bench", "reference", "suites"):
        shutil.copytree(ROOT / folder, house / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("reference/silu.py", "suites/silu.py", "mychip.py"):
        (house / name).write_text(block(name))
    return house


def run(house, *arguments):
    command = [sys.executable, "-m", "pytest", "suites/", "-k", "silu", *arguments]
    return subprocess.run(command, cwd=house, capture_output=True, text=True, check=False)


def test_the_formula_of_the_readme_agrees_in_every_framework(house):
    done = run(house, "--results", "run")
    assert done.returncode == 0, done.stdout[-3000:]
    from bench.results import load

    rows = load(house / "run")
    assert set(rows.status) <= {"agrees", "absent"}
    assert {"forward", "gradient"} == set(rows.direction)
    assert {"float64", "float32"} == set(rows.dtype)
    assert (rows.status == "agrees").sum() >= 4


def test_the_backend_of_the_readme_runs_by_its_path(house):
    pytest.importorskip("torch")
    done = run(house, "--results", "chip", "--backend", "mychip.py:MyChip", "--smoke")
    assert done.returncode == 0, done.stdout[-3000:]
    assert re.search(r"2 passed", done.stdout)
