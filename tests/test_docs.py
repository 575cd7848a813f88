"""What README.md, CONTRIBUTING.md and docs/ show is run as it is printed.

The commands run in a small copy of the project: few pages, and NumPy and torch only unless a command names
backends; NumPy alone where it is the same for both. Each gets a copy of its own, with a finished run in RUN
and another in results/local unless it measures speeds.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FILES = ("README.md", "CONTRIBUTING.md", *(f"docs/{file.name}" for file in sorted(ROOT.glob("docs/*.md"))))
TEXTS = {name: (ROOT / name).read_text(encoding="utf-8") for name in FILES}
EXTENDING = TEXTS["docs/extending.md"]
PAGES = ("activation", "linear_regression", "layer_norm", "softmax")
PROGRAMS = ("gaugeblock", "make", "pip", "pre-commit", "pytest", "python")
SPEEDS = (
    "--benchmark-only",
    "--growth",
    "gaugeblock same",
    "gaugeblock overhead",
    "gaugeblock gate --backend numpy",
    "hasty",
)  # commands that time
FEW = "--backend numpy --backend torch"
# commands that are about neither a framework nor its settings; each start of torch takes seconds
ALIKE = (
    "make suites",
    "pytest suites/",
    "pytest suites/ --full",
    "pytest suites/ --smoke",
    "pytest suites/ --smoke --results AFTER || test $? -eq 1",
    "pytest suites/ --fail-imprecise --smoke",
)
# commands that another check runs whole: .ci/run, or a developer
OTHERWISE = {
    "make suites WHEELS='--extra-index-url https://download.pytorch.org/whl/cpu'": "make -n suites WHEELS=X",
    "make test": "make -n test",
    "make quick": "make -n quick",
    "make coverage": "make -n coverage",
    "make check": "make -n check",
    "make install": "make -n install",
    "make oldest": "make -n oldest",
    "make newest": "make -n newest",
    "pip install -e '.[all]'": "python -m pip --version",
    "pre-commit install": "python -c 'import yaml; yaml.safe_load(open(\".pre-commit-config.yaml\"))'",
    "python -m build": "python -m build --version",
    "python repro.py": "python --version",  # tests/failure runs such scripts
    "python -m bench.report.readme results/<machine>/<date>": "python -c 'import bench.report.readme'",
    "gaugeblock campaign FOLDER --device cpu --only softmax": "gaugeblock campaign --help",  # tests/campaign
    "gaugeblock flops softmax": "gaugeblock flops --help",  # the same
    "gaugeblock publish FOLDER/float32": "gaugeblock publish RUN",
    "gaugeblock report FOLDER": "gaugeblock report RUN",
    "gaugeblock scale RUN --rows 10000": "gaugeblock scale RUN --rows 50",
    "gaugeblock overhead": "gaugeblock overhead --help",  # the same, and it takes a quiet machine
    "gaugeblock outside": "gaugeblock outside --help",
    "gaugeblock gate --self-test": "gaugeblock gate --help",  # the same, and it records for minutes
    "gaugeblock gate --against path/to/other/python": "gaugeblock gate --help",  # tests/gate
    "gaugeblock gate --against-rev main~5 --backend mychip.py:MyChip": "gaugeblock gate --help",
    # the whole takes minutes, and gigabytes for the headlines of a GPU
    "gaugeblock derive --device gpu --backend torch --backend jax --dtype float32 --processes 2": (
        "gaugeblock derive softmax --device gpu --backend torch --backend jax --dtype float32 --processes 2"
    ),
    "pytest suites/ --full-inputs --results RUN": (
        "pytest suites/ --full-inputs --backend numpy -k 'relu/ and huge' --results EDGES"
    ),
    "pytest suites/ --growth": "pytest suites/ --help",  # the test below runs a part of it
}
# what `make test` and its caller may have set, which is not for the make of the small copy
MAKE = {
    "MAKEFLAGS",
    "MAKELEVEL",
    "MFLAGS",
    *re.findall(r"^(\w+) \?=", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE),
}


def fences(text, language):
    """The blocks of a language."""
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def commands():
    """Every command of every file, with the exit code that a comment behind it tells (0 without one).

    In a sentence, `gaugeblock publish` names a command and does not call it; a call has arguments.
    """
    found = {}
    for text in TEXTS.values():
        for block in fences(text, "sh"):
            for line in block.splitlines():
                command, _, comment = line.partition("  #")
                code = re.search(r"^ exits (\d)", comment)
                found.setdefault(command.strip(), int(code[1]) if code else 0)
        for command in re.findall(r"(?<!`)`([^`\n]+)`(?!`)", re.sub(r"```.*?```", "", text, flags=re.DOTALL)):
            program, *words = command.split()
            if program in PROGRAMS and words:
                named = program == "gaugeblock" and len(words) == 1 and words != ["--help"]
                found.setdefault(f"{command} --help" if named and command not in found else command, 0)
    return found


COMMANDS = {command: code for command, code in commands().items() if not command.startswith("export ")}


def block(name):
    """The code block that follows the first mention of a file's name."""
    _, _, after = EXTENDING.partition(f"`{name}`")
    return after.partition("```python\n")[2].partition("```")[0]


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """A small copy of the project with the formula and the backends of docs/extending.md added."""
    house = tmp_path_factory.mktemp("house")
    for folder in ("gaugeblock", "bench", "reference", "suites"):
        shutil.copytree(ROOT / folder, house / folder, ignore=shutil.ignore_patterns("__pycache__", "growth"))
    kept = {"__init__", "conftest", "test_suites", *PAGES}
    for folder in ("", "limits", "mutants"):
        for file in (house / "suites" / folder).glob("*.*"):
            if file.suffix in (".py", ".json") and file.stem not in kept:
                file.unlink()
    cases = tuple(f"{each.replace('_', '-')}-" for each in PAGES)
    for file in (house / "suites" / "spreads").iterdir():  # 8 MB, and each command has its copy
        if not file.name.startswith(cases):
            file.unlink()
    for name in ("reference/swiglu.py", "suites/swiglu.py", "mychip.py", "pocket.py"):
        (house / name).write_text(block(name), encoding="utf-8")
    for name in ("Makefile", "pyproject.toml", "constraints.txt", ".pre-commit-config.yaml"):
        shutil.copy(ROOT / name, house)
    programs = house / ".venv" / "bin"
    programs.mkdir(parents=True)
    for name, module in {"python": "", "pytest": "-m pytest", "gaugeblock": "-m gaugeblock"}.items():
        (programs / name).write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {module} "$@"\n')
        (programs / name).chmod(0o755)
    (house / ".venv" / "installed").touch()
    return house


@pytest.fixture(scope="module")
def used(house, tmp_path_factory):
    """Another copy, with runs."""
    used = tmp_path_factory.mktemp("used") / "house"
    shutil.copytree(house, used, symlinks=True)
    for options in ("-k layer-norm/ --limited --seed 0 --seed 1 --results RUN", "-k softmax/ --smoke"):
        done = run(used, f"pytest suites/ {options}")
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    for copy in ("BEFORE", "AFTER"):
        shutil.copytree(used / "RUN", used / copy)
    (used / "prices.toml").write_text(fences(TEXTS["docs/results.md"], "toml")[0], encoding="utf-8")
    return used


def run(house, command, **variables):
    """A shell command in the project, where the environment says no more than which backends run."""
    few = "" if "--backend" in command else "--backend numpy" if command in ALIKE else FEW
    clock = "" if any(word in command for word in SPEEDS) else "--benchmark-skip"
    some = "-k [softmax/" if "-k" not in command else ""
    size = "--size small" if "--full" in command else ""  # the limits of the others take minutes
    size = "--size small --dtype float32" if "hasty" in command else size  # it is caught in every cell
    environment = {
        **{name: value for name, value in os.environ.items() if name not in MAKE},
        "PYTEST_ADDOPTS": f"{few} {clock} {some} {size}",
        "PYTHONPATH": str(house),
        "PATH": f"{house / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}",
        **variables,
    }
    return subprocess.run(
        command, shell=True, cwd=house, env=environment, capture_output=True, text=True, check=False
    )


def timed(command):
    runs = OTHERWISE.get(command, command)
    return [pytest.mark.timed] if any(word in runs for word in SPEEDS) and "--help" not in runs else []


@pytest.mark.parametrize("command", [pytest.param(each, marks=timed(each)) for each in COMMANDS])
def test_a_command_of_the_docs_runs_as_printed(command, request, tmp_path):
    pytest.importorskip("torch")
    place = request.getfixturevalue("house" if timed(command) else "used")  # a speed needs no run before it
    shutil.copytree(place, tmp_path / "house", symlinks=True)
    done = run(tmp_path / "house", OTHERWISE.get(command, command))
    said = done.stdout[-3000:] + done.stderr[-2000:]
    assert done.returncode == COMMANDS[command], said
    assert "INTERNALERROR" not in said and "Traceback" not in said


def test_every_other_check_is_of_a_command_that_the_docs_have():
    assert {*OTHERWISE, *ALIKE} <= set(COMMANDS)


@pytest.mark.parametrize("name", FILES)
def test_every_link_leads_somewhere(name):
    for target in re.findall(r"\]\(([^)]+)\)", TEXTS[name]):
        file, _, heading = target.partition("#")
        path = (ROOT / name).parent / file if file else ROOT / name
        assert path.exists(), f"{name}: {target}"
        if heading:
            titles = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
            anchors = {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}
            assert heading in anchors, f"{name}: {target}"


def test_the_readme_is_short():
    assert len(TEXTS["README.md"].splitlines()) <= 130


def test_code_in_the_readme_is_part_of_the_whole_page():
    for snippet in fences(TEXTS["README.md"], "python"):
        assert snippet in EXTENDING


OTHERS = [
    name for name in FILES if name not in ("README.md", "docs/extending.md")
]  # those have their own tests


@pytest.mark.parametrize("code", [code for name in OTHERS for code in fences(TEXTS[name], "python")])
def test_python_in_the_docs_runs(code, used):
    done = run(used, f"python -c {shlex.quote(code)}")
    assert done.returncode == 0 and "agrees" in done.stdout, done.stdout + done.stderr


@pytest.mark.timed
def test_the_formula_of_the_docs_agrees_in_every_framework(house):
    done = run(house, "pytest suites/ -k swiglu/ --results formula", PYTEST_ADDOPTS="")
    assert done.returncode == 0, done.stdout[-3000:]
    from bench.store.rows import load

    rows = load(house / "formula")
    assert set(rows.status) <= {"agrees", "absent"}
    assert {"forward", "gradient"} == set(rows.direction)
    assert {"float64", "float32"} == set(rows.dtype)
    assert (rows.status == "agrees").sum() >= 4


def test_the_limit_of_the_docs_is_one_that_a_page_may_have(house, tmp_path):
    shutil.copytree(house, tmp_path / "house", symlinks=True)
    (tmp_path / "house" / "suites" / "limits" / "swiglu.py").write_text(block("suites/limits/swiglu.py"))
    done = run(tmp_path / "house", "gaugeblock list swiglu")
    assert "sigmoid-in-float32" in done.stdout, done.stdout + done.stderr


def test_the_backend_of_the_docs_runs_its_own_build(house):
    pytest.importorskip("torch")
    done = run(house, "pytest suites/ -k sigmoid/ --backend mychip.py:MyChip --smoke --results chip")
    # the slope is torch's own, s (1 - s), a known departure
    assert done.returncode == 0 and re.search(r" 1 passed.* 1 xfailed", done.stdout), done.stdout[-3000:]


def test_the_backend_of_the_docs_runs_as_an_installed_package(house):
    pytest.importorskip("torch")
    installed = house / "site" / "mychip-1.0.dist-info"
    installed.mkdir(parents=True)
    shutil.copy(house / "mychip.py", house / "site")
    project = tomllib.loads(fences(EXTENDING, "toml")[0])["project"]
    lines = [
        line
        for group, entries in project["entry-points"].items()
        for line in (f"[{group}]", *(f"{name} = {value}" for name, value in entries.items()))
    ]
    (installed / "entry_points.txt").write_text("\n".join(lines))
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: mychip\nVersion: 1.0\n")
    path = f"{house}{os.pathsep}{house / 'site'}"
    done = run(
        house, "pytest suites/ -k sigmoid/ --backend mychip --smoke --results package", PYTHONPATH=path
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    assert re.search(r" 1 passed.* 1 xfailed", done.stdout)


@pytest.mark.timed
def test_the_whole_backend_of_the_docs_runs_in_both_directions_with_a_speed(house):
    assert 0 < len(block("pocket.py").splitlines()) <= 60
    command = "pytest suites/ -k sigmoid/ --backend pocket.py:Pocket --size small --results pocket"
    done = run(house, command, PYTEST_ADDOPTS="")
    assert done.returncode == 0, done.stdout[-3000:]
    from bench.store.rows import load

    rows = load(house / "pocket")
    assert set(rows.status) == {"agrees"} and set(rows.contender) == {"pocket.sigmoid"}
    assert {"forward", "gradient"} == set(rows.direction) and {"float64", "float32"} == set(rows.dtype)
    assert (rows.threads == os.cpu_count()).all()
    assert rows[(rows.dtype == "float32") & (rows.direction == "gradient")].median_s.notna().all()


@pytest.mark.timed
def test_time_over_size_is_measured_at_every_size_of_a_headline(house):
    command = "pytest suites/ --growth -k linear-regression/ --backend numpy --results grown"
    done = run(house, command, PYTEST_ADDOPTS="")
    assert done.returncode == 0, done.stdout[-3000:]
    assert "times 4 speeds of 4 headline sizes: about 1 minute" in done.stdout
    from bench.store.rows import load

    rows = load(house / "grown")
    assert len(rows) == len(set(rows["size"])) == 4 and set(rows.status) == {"agrees"}
    assert rows.median_s.notna().all() and set(rows.spread) == {"shared"}
    assert (house / "grown" / "growth.svg").exists() and rows.doubling.notna().sum() == 3


def test_the_tables_of_the_docs_are_those_of_the_code_and_of_the_published_run():
    from bench.report.readme import blocks, fill

    run = re.search(r"Source: (results/\S+),", TEXTS["README.md"])
    assert run, "README.md should name the published run that its table is from"
    for file, found in blocks(ROOT / run[1], run[1]).items():
        assert fill(TEXTS[file], found) == TEXTS[file], f"python -m bench.report.readme {run[1]} fills {file}"


def test_a_file_without_its_marked_place_is_refused():
    from bench.report.readme import fill

    with pytest.raises(ValueError, match="readme: got no <!-- table -->"):
        fill("nothing here", {"table": "x"})
