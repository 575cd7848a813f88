"""The oldest and the newest releases that are declared: what makes their environments, and the job for it."""

import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).parent.parent
WORKFLOWS = ROOT / ".github" / "workflows"
JOB = (WORKFLOWS / "releases.yml").read_text()
CI = (WORKFLOWS / "ci.yml").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def making(target, *variables):
    command = ["make", "--dry-run", "--no-print-directory", target, *variables]
    alone = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    return subprocess.run(command, cwd=ROOT, env=alone, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize(("end", "way"), [("oldest", "lowest-direct"), ("newest", "highest")])
def test_an_end_of_the_ranges_is_installed_apart_and_its_suites_run(end, way):
    lines = making(end, "VENV=/v", "PYTHON=python3.12", "RUN=-k adam").splitlines()
    assert lines[0] == f"python3.12 -m venv --clear /v-{end}"
    assert f"--python /v-{end}/bin/python --resolution {way} -e '.[all]'" in lines[2]
    assert lines[3] == f"/v-{end}/bin/python -m pytest suites/ -k adam"
    assert making(end).splitlines()[3].endswith(" suites/ --smoke")


def test_wheels_come_from_where_they_are_asked_for():
    assert " --find-links /w -c constraints.txt" in making("install", "VENV=/v", "WHEELS=--find-links /w")


def test_the_job_makes_both_ends_on_the_ends_of_the_declared_pythons():
    allowed = SpecifierSet(PROJECT["requires-python"])
    pythons = [version for minor in range(30) if (version := f"3.{minor}") in allowed]
    runs = set(re.findall(r'\{end: (\w+), python: "([\d.]+)"\}', JOB))
    assert runs == {("oldest", pythons[0]), ("newest", pythons[0]), ("newest", pythons[-1])}
    assert "run: make ${{ matrix.end }}" in JOB and 'python-version: "${{ matrix.python }}"' in JOB


def test_the_workflow_runs_all_frameworks_on_each_python_and_each_alone():
    allowed = SpecifierSet(PROJECT["requires-python"])
    pythons = [version for minor in range(30) if (version := f"3.{minor}") in allowed]
    assert f"matrix: {{python: {pythons}}}".replace("'", '"') in CI
    assert "matrix: {framework: [torch, tensorflow, jax]}" in CI
    for command in re.findall(r"run: make (.+)", CI):
        assert making(*re.sub(r"\$\{\{.*?\}\}", "torch", command).split())
    assert "-e '.[torch]'" in making("install", "VENV=/v", "EXTRAS=torch")


def test_pre_commit_runs_the_ruff_that_is_pinned():
    pinned = re.search(r"^ruff==(.+)$", (ROOT / "constraints.txt").read_text(), re.MULTILINE)
    assert pinned and f"rev: v{pinned[1]}\n" in (ROOT / ".pre-commit-config.yaml").read_text()


def test_every_requirement_has_an_oldest_release():
    wanted = PROJECT["dependencies"] + [
        each for more in PROJECT["optional-dependencies"].values() for each in more
    ]
    open_below = [each for each in wanted if not each.startswith("gaugeblock[") and ">=" not in each]
    assert open_below == []
