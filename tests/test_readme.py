"""What the README shows is run as it stands."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def block(name: str) -> str:
    """The code block that follows the first mention of a file's name."""
    _, _, after = re.sub("</?code>", "`", README).partition(f"`{name}`")
    return after.partition("```python\n")[2].partition("```")[0]


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """A copy of the house with the README's formula and backend added."""
    house = tmp_path_factory.mktemp("house")
    for folder in ("gaugeblock", "bench", "reference", "suites"):
        shutil.copytree(ROOT / folder, house / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("reference/silu.py", "suites/silu.py", "mychip.py", "pocket.py"):
        (house / name).write_text(block(name))
    return house


def run(house, *arguments, case="silu", **variables):
    command = [sys.executable, "-m", "pytest", "suites/", "-k", f"{case}/", *arguments]
    environment = {**os.environ, **variables}
    return subprocess.run(command, cwd=house, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.timed
def test_the_formula_of_the_readme_agrees_in_every_framework(house):
    done = run(house, "--results", "run")
    assert done.returncode == 0, done.stdout[-3000:]
    from bench.store.results import load

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


def test_the_backend_of_the_readme_runs_as_an_installed_package(house):
    pytest.importorskip("torch")
    installed = house / "site" / "mychip-1.0.dist-info"
    installed.mkdir(parents=True)
    shutil.copy(house / "mychip.py", house / "site")
    project = tomllib.loads(README.partition("```toml\n")[2].partition("```")[0])["project"]
    lines = [
        line
        for group, entries in project["entry-points"].items()
        for line in (f"[{group}]", *(f"{name} = {value}" for name, value in entries.items()))
    ]
    (installed / "entry_points.txt").write_text("\n".join(lines))
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: mychip\nVersion: 1.0\n")
    done = run(
        house, "--results", "package", "--backend", "mychip", "--smoke", PYTHONPATH=str(house / "site")
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    assert re.search(r"2 passed", done.stdout)


@pytest.mark.timed
def test_the_whole_backend_of_the_readme_runs_in_both_directions_with_a_speed(house):
    code = block("pocket.py")
    assert 0 < len(code.splitlines()) <= 60
    done = run(house, "--results", "pocket", "--backend", "pocket.py:Pocket", case="sigmoid")
    assert done.returncode == 0, done.stdout[-3000:]
    from bench.store.results import load

    rows = load(house / "pocket")
    assert set(rows.status) == {"agrees"} and set(rows.contender) == {"pocket.sigmoid"}
    assert {"forward", "gradient"} == set(rows.direction) and {"float64", "float32"} == set(rows.dtype)
    assert (rows.threads == os.cpu_count()).all()
    assert rows[rows.dtype == "float32"].median_s.notna().all()


def test_the_words_of_the_readme_are_those_of_the_code():
    from bench.report.readme import fill, words

    assert fill(README, words()) == README, "python -m bench.report.readme RUN fills it"


def test_the_table_of_the_readme_is_that_of_the_published_run_it_names():
    from bench.report.readme import fill, overview
    from bench.report.table import markdown
    from bench.store.results import load

    run = re.search(r"From (results/\S+)\. Status", README)
    assert run, "the README should name the published run that its table is from"
    table = markdown([overview(load(ROOT / run[1]), run[1])])
    assert fill(README, {"table": table}) == README


def test_a_readme_without_its_marked_place_is_refused():
    from bench.report.readme import fill

    with pytest.raises(ValueError, match="readme: got no <!-- table -->"):
        fill("nothing here", {"table": "x"})
