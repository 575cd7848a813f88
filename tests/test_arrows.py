"""The house's arrows never turn back, and no tolerance is picked by hand."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FRAMEWORKS = {"torch", "tensorflow", "keras", "jax", "flax", "optax", "onnx", "onnxruntime"}


def imported(file: Path, *, anywhere: bool) -> set[str]:
    """Top-level packages that a file imports: at module level, or anywhere."""
    tree = ast.parse(file.read_text())
    nodes = ast.walk(tree) if anywhere else tree.body
    names = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return {name.partition(".")[0] for name in names}


def files(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


@pytest.mark.parametrize("file", files("reference"), ids=lambda file: file.name)
def test_the_reference_imports_numpy_and_scipy_only(file: Path) -> None:
    foreign = imported(file, anywhere=True) - sys.stdlib_module_names - {"numpy", "scipy", "reference"}
    assert not foreign


@pytest.mark.parametrize("file", files("bench"), ids=lambda file: file.name)
def test_the_machine_knows_no_formula_and_no_framework_at_module_level(file: Path) -> None:
    found = imported(file, anywhere=False)
    assert not found & FRAMEWORKS
    assert "suites" not in found
    allowed = {"reference"} if file.name == "expect.py" else set()  # it hashes the sources
    assert not (found & {"reference"}) - allowed


@pytest.mark.parametrize("file", files("suites"), ids=lambda file: file.name)
def test_a_page_imports_no_framework_at_module_level(file: Path) -> None:
    assert not imported(file, anywhere=False) & FRAMEWORKS


@pytest.mark.parametrize("file", files("suites") + files("bench"), ids=lambda file: file.name)
def test_no_tolerance_is_picked_by_hand(file: Path) -> None:
    assert not re.search(r"\b(rtol|atol|allclose|isclose|approx)\b", file.read_text())


def test_collecting_the_suites_imports_no_framework() -> None:
    script = (
        "import sys, pytest\n"
        "assert pytest.main(['suites', '--collect-only', '-q']) == 0\n"
        f"print(sorted({FRAMEWORKS!r} & set(sys.modules)))"
    )
    found = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert found.stdout.splitlines()[-1] == "[]"
