"""The scripts of a prepared run on a GPU find what they import, and run as far as a CPU allows."""

import ast
import importlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SCRIPTS = sorted((ROOT / "docs" / "gpu").glob("*.py"))


def sources(script):
    """The script, and what it runs in other processes."""
    text = script.read_text()
    yield text
    yield from (found for found in re.findall(r'^CODE = "(.*)"$', text, re.MULTILINE))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_what_a_script_imports_is_there(script):
    names = [
        (node.module, alias.name)
        for source in sources(script)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ImportFrom) and node.module.partition(".")[0] == "bench"
        for alias in node.names
    ]
    for module, name in names:
        found = importlib.import_module(module)
        assert hasattr(found, name) or importlib.import_module(f"{module}.{name}"), f"{module}: {name}"


@pytest.mark.parametrize("script", ["pre.sh", "main.sh"])
def test_a_script_is_a_script(script):
    subprocess.run(["bash", "-n", str(ROOT / "docs" / "gpu" / script)], check=True)


def test_places_are_listed_and_limits_derived(tmp_path):
    (tmp_path / ".gpu").mkdir()
    variables = {**os.environ, "PYTHONPATH": str(ROOT), "GAUGEBLOCK_CACHE": str(tmp_path / "cache")}

    def run(name, *words):
        script = str(ROOT / "docs" / "gpu" / name)
        done = subprocess.run(
            [sys.executable, script, *words], cwd=tmp_path, env=variables, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    run("lists.py")
    assert "softmax/plain/typical/small" in (tmp_path / ".gpu" / "typical.txt").read_text()
    assert run("derive.py", "1", "--first", "2").startswith("2 limits, ")
    assert len(list((tmp_path / "cache").glob("*.npz"))) == 4  # and their inputs
    assert "nothing-was-derived" in run("done.py")
