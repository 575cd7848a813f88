"""Cells that are imprecise: counted in the last line of a run, and failing where that is asked for."""

import re
import shlex
from types import SimpleNamespace

import pytest

from bench.store.rows import load
from suites import conftest, test_suites
from tests.runs import FEW, suites

ROUGH = """
import numpy as np

from gaugeblock import NumPy


def rough(weights, **option):
    def run(params, x, **data):
        n, sizes = x.shape[1], np.abs(x) @ np.abs(params["W"])
        return {"y": x @ params["W"] + params["b"] + n * 2.0**-53 * sizes}

    return weights, run


class Rough(NumPy):
    name = "rough"
    builds = {"linear-regression": rough}
    without = {"gradient": "it has none"}
"""
CHOSEN = [*FEW, "--backend", "numpy", "--backend", "rough.py:Rough"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("imprecise")
    (folder / "rough.py").write_text(ROUGH)
    return folder


@pytest.fixture(scope="module")
def ran(folder):
    """A run with these options; all but the first continue a run in which every cell is judged."""

    def ran(*more):
        done = suites(folder, *CHOSEN, "--results", "run", *more)
        assert "INTERNALERROR" not in done.stdout + done.stderr
        return done

    return ran


@pytest.fixture(scope="module")
def first(ran):
    return ran("-o", "strict=true")  # pytest's own strict mode, which is not about cells


def last(done):
    return done.stdout.rstrip().splitlines()[-1]


def test_imprecise_cells_pass_and_are_counted_in_the_last_line(first, folder):
    assert first.returncode == 0 and re.search(r"2 passed, .*\b1 imprecise in", last(first)), first.stdout
    assert load(folder / "run").status.value_counts()["imprecise"] == 1


def test_a_cell_with_a_verdict_and_a_speed_is_counted_once():
    def told(test, when="call", outcome="passed", status="imprecise"):
        report = pytest.TestReport(f"{test}[a/b]", ("", 0, ""), {}, outcome, None, when)
        report.user_properties = [("status", status)]
        return conftest.pytest_report_teststatus(report, config)

    counted, config = ("imprecise", "~", "IMPRECISE"), SimpleNamespace(stash=pytest.Stash())
    assert told("test_agree", status="agrees") is None
    assert told("test_agree") == counted and told("test_agree", "teardown") is None
    assert told("test_speed") is None and told("test_agree") == counted
    config = SimpleNamespace(stash=pytest.Stash())
    assert told("test_agree", outcome="failed") is None and told("test_speed") is None
    config = SimpleNamespace(stash=pytest.Stash())
    assert told("test_speed") == counted  # of a run of speeds alone


def test_fail_imprecise_makes_them_fail_and_stands_in_the_command_that_is_printed(first, ran):
    done = ran("--fail-imprecise", "--strict")  # with the new name, the old one is pytest's alone
    assert done.returncode == 1 and re.search(r"1 failed, 2 passed", last(done)), done.stdout[-2000:]
    command = next(line for line in done.stdout.splitlines() if line.startswith("again: "))
    assert "--fail-imprecise" in shlex.split(command)
    assert "warning" not in last(done) and "imprecise" not in last(done)


def test_a_speed_of_an_imprecise_cell_fails_too():
    row = SimpleNamespace(status="imprecise", why="10 bits", command="pytest suites/")
    session = SimpleNamespace(speed=lambda cell: (row, None))
    node, config = SimpleNamespace(user_properties=[]), SimpleNamespace()
    request = SimpleNamespace(node=node, config=config)
    for fails, outcome in ((True, pytest.fail.Exception), (False, pytest.skip.Exception)):
        config.option = SimpleNamespace(fail_imprecise=fails)
        with pytest.raises((pytest.fail.Exception, pytest.skip.Exception)) as raised:
            test_suites.test_speed(None, session, SimpleNamespace(enabled=True), request)
        assert raised.type is outcome  # a skip that is not caught here would skip this test


def test_strict_still_makes_them_fail_and_warns(first, ran):
    done = ran("--strict")
    assert done.returncode == 1 and re.search(r"1 failed, 2 passed", last(done)), done.stdout[-2000:]
    assert "DeprecationWarning: --strict: got it, should be --fail-imprecise to make cells" in done.stdout


@pytest.mark.parametrize("more", [["-W", "error"], ["-o", "filterwarnings=error"]])
def test_where_warnings_are_errors_strict_is_refused_in_one_sentence(ran, more):
    done = ran("--strict", *more)
    said = done.stdout + done.stderr
    assert done.returncode == 4 and "ERROR: --strict: got it, should be --fail-imprecise" in said, said
    assert "Traceback" not in said
