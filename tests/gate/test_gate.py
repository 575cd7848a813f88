"""A gate end to end: live processes of two environments, what it says of them, and what it refuses."""

import json
import subprocess
import sys
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from bench import cli, pages
from bench.cells.cell import Cell
from bench.cells.selection import Selection
from bench.gate.command import Asked, gated, percent
from bench.gate.duel import NEW, OLD
from bench.gate.gate import Judged, _told
from bench.gate.side import OLDEST, interpreter, revision
from bench.gate.wanted import matches, variables, wanted
from bench.report.rules import USUAL, rules
from bench.store.row import Row

SIZE = next(iter(pages.case("linear-regression").sizes))
CELL = Cell(
    "linear-regression", "plain", "typical", SIZE, "reference.linear.linear", "numpy", "eager", "cpu",
    "float32", "forward",
)  # fmt: skip
PLUGIN = '''
import os
import numpy as np
from bench.backends.numpy import NumPy
from bench.tree import tree_map


def spoiled(y):
    return y * np.float32(1 + 1e-4) if isinstance(y, np.ndarray) and y.dtype == np.float32 else y


class Flagged(NumPy):
    """Wrong, or not there, if the variable FLAG says so."""

    name = "flagged"

    def get(self, tree):
        found = super().get(tree)
        return tree_map(spoiled, found) if os.environ.get("FLAG") == "wrong" else found

    def bind(self, run, mode):
        if os.environ.get("FLAG") == "gone":
            raise RuntimeError("no such kernel any more")
        return super().bind(run, mode)
'''


@pytest.fixture(scope="module")
def plugin(tmp_path_factory):
    file = tmp_path_factory.mktemp("plugin") / "flagged.py"
    file.write_text(PLUGIN)
    return f"{file}:Flagged"


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """An environment that has NumPy and nothing else."""
    folder = tmp_path_factory.mktemp("bare") / "env"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    home = Path(np.__file__).parent.parent
    for each in [home / "numpy", *home.glob("numpy.libs"), *home.glob("numpy-*.dist-info")]:
        (packages / each.name).symlink_to(each)
    return folder


def asked(tmp_path, **given):
    usual = {
        "against": (), "against_rev": "", "env": (), "words": "linear-regression and not simple",
        "backends": ["numpy"],
        "sizes": [SIZE], "dtypes": ["float32"], "modes": None, "threads": 1, "limit": "5%", "budget": 1.0,
        "fail_on": "", "strict": False, "results": tmp_path / "rows", "accepted": tmp_path / "accepted.toml",
    }  # fmt: skip
    return Asked(**(usual | given))


def outcome(tmp_path, **given):
    """The JSON of a gate."""
    file = tmp_path / "gate.json"
    gated(asked(tmp_path, **given), {"json": file}, lambda text: None)
    return json.loads(file.read_text())


@pytest.mark.timed
def test_the_other_environment_needs_numpy_and_nothing_else(bare, tmp_path):
    said = []
    found = gated(
        asked(tmp_path, against=[str(bare)]),
        {"json": tmp_path / "gate.json", "markdown": tmp_path / "gate.md", "junit": tmp_path / "gate.xml"},
        said.append,
    )
    told = json.loads((tmp_path / "gate.json").read_text())
    assert found.status == 0 and {each["rows"]["old"]["status"] for each in told["cells"]} == {"agrees"}
    assert all(each["speed"] and not each["fault"] and not each["other_bits"] for each in told["cells"])
    assert len(told["cells"]) == 2 and told["replicates"] >= 2
    assert "compares this environment with the other environment: 2 cells" in said[0]
    assert {each.name for each in found.written} >= {"gate.json", "gate.md", "gate.xml"}


@pytest.fixture(scope="module")
def wrong(plugin, tmp_path_factory):
    """A gate of two cells with wrong numbers, one of them accepted."""
    folder = tmp_path_factory.mktemp("wrong")
    options = ["gate", "--accept", "linear-regression/*/forward", "--why", "wanted", "--until", "2999-01-01"]
    answer = CliRunner().invoke(cli.app, [*options, "--accepted", str(folder / "accepted.toml")])
    assert answer.exit_code == 0 and "is accepted until 2999-01-01" in answer.output
    return outcome(folder, backends=[plugin], env=["FLAG=wrong"])


def test_a_wrong_number_is_a_regression(wrong):
    assert wrong["status"] == 1
    for each in wrong["cells"]:
        assert each["broken"][:1] == ["worse"] and each["bits_lost"] > 5 and each["other_bits"]
        assert (each["rows"]["old"]["status"], each["rows"]["new"]["status"]) == ("agrees", "disagrees")
        assert " further off, 0 less: " in each["departed"]


def test_what_is_not_a_rule_does_not_fail(wrong):
    for each in wrong["cells"]:
        old, new = (Row(**each["rows"][side]) for side in ("old", "new"))
        given = {OLD: Judged(old), NEW: Judged(new, departed=each["departed"])}
        told = [
            _told(CELL, None, given, None, rules(text), (), date.max).broken for text in ("vanished", USUAL)
        ]
        assert told[0] == () and told[1][0] == "worse"


def test_an_accepted_regression_is_none(wrong):
    accepted = {each["direction"]: each["accepted"] for each in wrong["cells"]}
    assert accepted["forward"]["why"] == "wanted" and accepted["gradient"] is None
    assert {each["direction"]: each["regressed"] for each in wrong["cells"]} == {
        "forward": False, "gradient": True,
    }  # fmt: skip


def test_a_cell_that_no_longer_runs_has_vanished(plugin, tmp_path):
    found = outcome(tmp_path, backends=[plugin], env=["FLAG=gone"])
    gone = [each for each in found["cells"] if each["direction"] == "forward"]
    assert found["status"] == 1 and [each["broken"] for each in gone] == [["vanished"]]
    assert "new side: RuntimeError: no such kernel any more" in gone[0]["fault"] and gone[0]["speed"] is None


def test_the_first_environment_that_departed_is_named(plugin, tmp_path):
    named = []
    for number, flag in enumerate(("", "wrong")):
        script = tmp_path / f"python-{number}"
        script.write_text(f'#!/bin/sh\nFLAG={flag} exec {sys.executable} "$@"\n')
        script.chmod(0o755)
        named.append(str(script))
    found = outcome(tmp_path, backends=[plugin], against=[named[0], named[0], named[1]], env=["FLAG=wrong"])
    assert {each["since"] for each in found["cells"]} == {"environment 3"}


@pytest.mark.timed
def test_a_clock_that_is_disturbed_once_costs_neither_speed_nor_numbers(monkeypatch, tmp_path):
    from bench.gate import duel

    honest, disturbed = duel._blocks, iter([True, True] + [False] * 99)
    monkeypatch.setattr(
        duel,
        "_blocks",
        lambda *given: duel._none("held up", 2, lost=False) if next(disturbed) else honest(*given),
    )
    found = outcome(tmp_path, env=["FLAG="], budget=30.0)
    assert all(each["speed"] and not each["fault"] for each in found["cells"])


def test_a_clock_that_is_wrong_each_time_leaves_the_numbers(plugin, monkeypatch, tmp_path):
    from bench.gate import duel

    monkeypatch.setattr(duel, "_blocks", lambda *given: duel._none("not waited for", 2, lost=False))
    found = outcome(tmp_path, backends=[plugin], env=["FLAG=wrong"])
    for each in found["cells"]:
        assert each["speed"] is None and each["fault"] == "new side: not waited for"
        assert each["broken"][0] == "worse" and each["rows"]["new"]["status"] == "disagrees"


# another revision


def git(folder, *arguments):
    given = ["-c", "user.name=a", "-c", "user.email=a@b"]
    subprocess.run(["git", "-C", folder, *given, *arguments], check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path):
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "-q")
    file = folder / "chip.py"
    file.write_text(PLUGIN)
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "good")
    file.write_text(PLUGIN.replace('os.environ.get("FLAG") == "wrong"', "True"))
    git(folder, "commit", "-qam", "bad")
    return folder


def test_a_plug_in_is_compared_with_another_revision_of_its_repository(repository, tmp_path):
    found = outcome(tmp_path, backends=[f"{repository / 'chip.py'}:Flagged"], against_rev="HEAD~1")
    assert found["status"] == 1 and found["sides"]["old"]["name"].startswith("HEAD~1 (")
    assert {each["rows"]["old"]["status"] for each in found["cells"]} == {"agrees"}


def test_a_revision_that_is_not_there_is_refused(repository):
    spec = f"{repository / 'chip.py'}:Flagged"
    with pytest.raises(ValueError, match="--against-rev: got fatal"), revision("nowhere", [spec]):
        pass
    git(repository, "mv", "chip.py", "other.py")
    git(repository, "commit", "-qm", "moved")
    spec = f"{repository / 'other.py'}:Flagged"
    with pytest.raises(ValueError, match=r"HEAD~1 has no other\.py"), revision("HEAD~1", [spec]):
        pass


# what is refused before anything is timed


def fake(tmp_path, version, packages):
    script = tmp_path / "python"
    script.write_text(f"#!/bin/sh\necho '{json.dumps([version, packages])}'\n")
    script.chmod(0o755)
    return str(script)


@pytest.mark.parametrize(
    ("version", "packages", "words"),
    [
        ([3, 9, 1], {"numpy": "2.0"}, f"is Python 3.9.1, should be {OLDEST[0]}.{OLDEST[1]} or newer"),
        ([3, 12, 1], {}, "has no numpy, should have what numpy needs"),
    ],
)
def test_an_environment_that_cannot_run_is_told_before_anything_is_timed(version, packages, words, tmp_path):
    with pytest.raises(ValueError, match="other environment") as error:
        gated(asked(tmp_path, against=[fake(tmp_path, version, packages)]), {}, lambda text: None)
    assert words in str(error.value)


def test_an_interpreter_that_does_not_run_is_refused(tmp_path):
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho broken >&2; exit 3\n")
    broken.chmod(0o755)
    with pytest.raises(ValueError, match=r"does not run \(broken\)"):
        gated(asked(tmp_path, against=[str(broken)]), {}, lambda text: None)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "gate: got nothing to compare with"),
        ({"against": ["/nowhere"]}, "--against: got /nowhere, should be a Python interpreter"),
        ({"against": ["/nowhere"], "against_rev": "main"}, "--against and --against-rev: got both"),
        ({"env": ["FLAG"]}, "--env: got 'FLAG', should be NAME=VALUE"),
        ({"env": ["A=1"], "limit": "0"}, "--limit: got '0', should be a slowdown like 5% or 0.05"),
        ({"env": ["A=1"], "fail_on": "often"}, "--fail-on: got 'often', should be one of"),
        ({"env": ["A=1"], "words": "nothing"}, "cells: got -k 'nothing', which matches none of"),
        ({"env": ["A=1"], "words": "a and"}, "-k: got 'a and'"),
        ({"env": ["A=1"], "sizes": ["nowhere"]}, "cells: got none, should be some that are timed"),
    ],
)
def test_bad_input_is_refused(given, words, tmp_path):
    with pytest.raises(ValueError, match="got") as error:
        gated(asked(tmp_path, **given), {}, lambda text: None)
    assert words in str(error.value)


def test_bad_input_is_one_line_and_status_2():
    answer = CliRunner().invoke(cli.app, ["gate"])
    assert answer.exit_code == 2 and len(answer.output.splitlines()) == 1


def test_an_environment_is_named_by_its_folder_or_its_interpreter(bare):
    assert interpreter(str(bare)) == interpreter(str(bare / "bin" / "python")) == str(bare / "bin" / "python")


def test_values_are_read():
    assert percent("5%") == percent("0.05") == 0.05
    assert variables(["A=b=c", "B="]) == {"A": "b=c", "B": ""}


def test_cells_are_those_that_a_default_run_times():
    found = wanted(Selection())
    assert len(found) > 60 and {cell.dtype for cell in found} == {"float32"}
    assert wanted(Selection(), "attention and not multi and torch")
    assert all(matches("torch", str(cell)) for cell in wanted(Selection(), "torch"))
