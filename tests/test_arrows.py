"""The house's arrows never turn back, and no tolerance is picked by hand."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FRAMEWORKS = {"torch", "tensorflow", "keras", "jax", "flax", "optax", "onnx", "onnxruntime"}

# the rooms of bench/, from the top: each imports only what stands below it
ROOMS = (
    "cli", "campaign", "studies", "gate", "mutation", "run", "site", "report", "failure", "verdict",
    "tolerance", "speed",
    "contender", "store", "inputs", "answers", "cells", "backends", "coarse", "size", "pages", "case",
    "worker", "machine", "noise",
    "cache", "digits", "slip", "tree",
)  # fmt: skip
# the one place that imports the pages; the pages import the reference, and nobody in bench/ does
NAMED = {"suites": ["bench/pages.py"], "reference": []}


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


def module(file: Path, root: Path) -> str:
    parts = file.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def needs(file: Path, known: set[str]) -> Iterator[str]:
    """The modules of bench/ that a file names: in imports, in functions too, and in strings to import.

    Of a string that is put together, what stands before its first hole counts, but for the file's own room.
    """
    room, tree = f"bench.{file.parent.name}", ast.parse(file.read_text())
    parts = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{file}: a relative import"
            for alias in node.names:
                inside = f"{node.module}.{alias.name}"
                yield inside if inside in known else node.module or ""
        elif isinstance(node, ast.JoinedStr):
            begun = str(getattr(node.values[0], "value", ""))
            yield from (each for each in named_in(begun, known) if each != room)
        elif isinstance(node, ast.Constant) and id(node) not in parts:
            yield from named_in(str(node.value), known)


def named_in(text: str, known: set[str]) -> Iterator[str]:
    """The module that a string is the name of, with a function behind a colon or not."""
    if re.fullmatch(r"\s*bench(\.\w+)+[.:]?\w*", text):
        parts = text.strip().partition(":")[0].rstrip(".").split(".")
        while len(parts) > 2 and ".".join(parts) not in known:
            parts.pop()
        yield ".".join(parts)


def turning(root: Path) -> list[str]:
    """Every arrow in bench/ that runs up, to bench itself, or in a circle inside a room."""
    found = {module(file, root): file for file in (root / "bench").rglob("*.py")}
    wrong: list[str] = []
    inside: dict[str, set[str]] = {}
    for name, file in found.items():
        ours = {each for each in needs(file, set(found)) if each.partition(".")[0] in ("bench", "gaugeblock")}
        for other in ours:
            here, there = ((each + ".").split(".")[1] for each in (name, other))
            if not there or (here and ROOMS.index(there) < ROOMS.index(here)):
                wrong.append(f"{name} -> {other}")
            elif here == there and name != other:
                inside.setdefault(name, set()).add(other)
    return sorted(wrong) + sorted(circles(inside))


def circles(arrows: dict[str, set[str]]) -> set[str]:
    """The modules that come back to themselves."""

    def reached(start: str) -> set[str]:
        seen, todo = set(), list(arrows.get(start, ()))
        while todo:
            if (each := todo.pop()) not in seen:
                seen.add(each)
                todo += arrows.get(each, ())
        return seen

    return {f"circle through {each}" for each in arrows if each in reached(each)}


def test_no_import_runs_up_and_none_in_a_circle():
    assert turning(ROOT) == []


def test_every_file_stands_in_a_room_and_few_lie_beside_them():
    bench = ROOT / "bench"
    standing = {
        each.stem for each in bench.iterdir() if each.suffix == ".py" or (each / "__init__.py").is_file()
    }
    assert standing == {"__init__", *ROOMS}
    assert len(list(bench.glob("*.py"))) <= 12


@pytest.mark.parametrize(
    "folder", sorted((ROOT / "bench").glob("*/__init__.py")), ids=lambda f: f.parent.name
)
def test_a_room_says_what_happens_in_it(folder):
    words = ast.get_docstring(ast.parse(folder.read_text()))
    assert words and len(re.findall(r"\.(\s|$)", words)) <= 4


@pytest.mark.parametrize(
    ("file", "text", "found"),
    [
        ("speed/clock.py", "from bench.verdict import known\n", "bench.speed.clock -> bench.verdict.known"),
        ("tree.py", "def f():\n    from bench.case import Case\n", "bench.tree -> bench.case"),
        ("speed/clock.py", "import bench.run.session\n", "bench.speed.clock -> bench.run.session"),
        ("speed/clock.py", "ASK = 'bench.verdict.judge:run'\n", "bench.speed.clock -> bench.verdict.judge"),
        ("tree.py", "from bench import load\n", "bench.tree -> bench"),
        ("tree.py", "import importlib\nimportlib.import_module('bench.case')\n", "bench.tree -> bench.case"),
        ("tree.py", "NAME = f'bench.verdict.{__name__}:run'\n", "bench.tree -> bench.verdict"),
        ("tree.py", "from gaugeblock import Case\n", "bench.tree -> gaugeblock"),
    ],
)
def test_a_planted_arrow_that_turns_back_is_found(tmp_path, file, text, found):
    for name in (
        "speed/clock.py",
        "verdict/known.py",
        "verdict/judge.py",
        "run/session.py",
        "tree.py",
        "case.py",
    ):
        (tmp_path / "bench" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "bench" / name).touch()
    assert turning(tmp_path) == []
    (tmp_path / "bench" / file).write_text(text)
    assert turning(tmp_path) == [found]


def test_a_planted_circle_is_found(tmp_path):
    room = tmp_path / "bench" / "noise"
    room.mkdir(parents=True)
    (room / "array.py").write_text("def f():\n    from bench.noise import rules\n")
    (room / "rules.py").write_text("from bench.noise.sums import total\n")
    (room / "sums.py").write_text("from bench.noise.array import f\n")
    assert turning(tmp_path) == [f"circle through bench.noise.{name}" for name in ("array", "rules", "sums")]


@pytest.mark.parametrize(("package", "named"), NAMED.items())
def test_bench_imports_the_pages_in_one_place_and_the_reference_nowhere(package, named):
    places = [file for file in files("bench") if package in imported(file, anywhere=True)]
    assert places == [ROOT / place for place in named]


@pytest.mark.parametrize("file", files("reference"), ids=lambda file: file.name)
def test_the_reference_imports_numpy_and_scipy_only(file: Path) -> None:
    foreign = imported(file, anywhere=True) - sys.stdlib_module_names - {"numpy", "scipy", "reference"}
    assert not foreign


@pytest.mark.parametrize("file", files("bench"), ids=lambda file: file.name)
def test_the_machine_knows_no_formula_and_no_framework_at_module_level(file: Path) -> None:
    found = imported(file, anywhere=False)
    assert not found & FRAMEWORKS
    assert "suites" not in found


@pytest.mark.parametrize("file", files("suites"), ids=lambda file: file.name)
def test_a_page_imports_no_framework_at_module_level(file: Path) -> None:
    assert not imported(file, anywhere=False) & FRAMEWORKS


@pytest.mark.parametrize(
    "file",
    [file for file in files("suites") if file.name not in ("conftest.py", "test_suites.py")],
    ids=lambda file: file.name,
)
def test_a_page_comes_in_by_the_public_door(file: Path) -> None:
    assert "bench" not in imported(file, anywhere=True)


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
