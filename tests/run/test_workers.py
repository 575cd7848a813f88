"""The workers of a run: how long they are waited for, and what one that dies costs."""

import os
import re
import signal
import time
from dataclasses import asdict, replace
from types import SimpleNamespace

import pytest

from bench import cache
from bench.cells.cell import Cell
from bench.run import pytest_plugin as pytest_plugin
from bench.run.pytest_plugin import SuiteRun
from bench.run.session import DERIVE, JUDGE, Session
from bench.run.workers import LONGER, Workers
from bench.verdict.row import row_of
from bench.worker import Died, Worker

OPTIONS = dict.fromkeys(name.replace("-", "_") for name in pytest_plugin.OPTIONS) | {
    "backend": ["numpy"],
    "device": ["cpu"],
}
RELU = Cell(
    "relu", "plain", "typical", "small", "reference.activation.relu", "numpy", "eager", "cpu", "float32",
    "forward",
)  # fmt: skip
SIGMOID = replace(RELU, case="sigmoid", contender="reference.activation.sigmoid")

SLOW = """
import os, time
from gaugeblock import NumPy


class Slow(NumPy):
    name = "slow"

    def put(self, tree):
        if not os.path.exists("{0}/pid"):
            with open("{0}/partial", "w") as file:
                file.write(str(os.getpid()))
            os.rename("{0}/partial", "{0}/pid")
            time.sleep(60)
        return tree
"""


@pytest.fixture(autouse=True)
def untold(monkeypatch):
    monkeypatch.setattr(cache, "_PROBLEMS", {})


@pytest.mark.parametrize("told", ["", "x", "0", "-1", "nan", "inf", "1e999", "5 s"])
def test_a_timeout_that_is_no_time_is_refused(told, monkeypatch):
    with pytest.raises(ValueError, match=f"--timeout: got {told!r}, should be a number of seconds above 0"):
        SuiteRun.open(SimpleNamespace(**{**OPTIONS, "timeout": told}))
    if told:
        monkeypatch.setenv("GAUGEBLOCK_TIMEOUT", told)
        with pytest.raises(ValueError, match=f"GAUGEBLOCK_TIMEOUT: got {told!r}, should be"):
            SuiteRun.open(SimpleNamespace(**OPTIONS))


def test_an_option_comes_before_the_environment_and_that_before_five_minutes(monkeypatch):
    assert SuiteRun.open(SimpleNamespace(**OPTIONS)).timeout == 300
    monkeypatch.setenv("GAUGEBLOCK_TIMEOUT", "70")
    assert SuiteRun.open(SimpleNamespace(**OPTIONS)).timeout == 70
    assert SuiteRun.open(SimpleNamespace(**OPTIONS | {"timeout": "7.5"})).timeout == 7.5


def test_large_sizes_and_modes_that_compile_long_are_waited_for_longer():
    workers = Workers(1, timeout=10)
    assert workers.patience(RELU) == 10
    for longer in ({"size": "wide"}, {"mode": "gaps"}):
        assert workers.patience(replace(RELU, **longer)) == 10 * LONGER


def test_every_request_of_a_run_has_its_timeout(monkeypatch):
    seen, ask = [], Worker.request

    def request(worker, verb, *arguments):
        seen.append((verb, worker.timeout))
        return ask(worker, verb, *arguments)

    monkeypatch.setattr(Worker, "request", request)
    running = session([RELU], timeout=77)
    running.row(RELU)
    running.workers.ask(RELU, "os:getpid")
    running.close()
    assert len(seen) == 3 and {timeout for _, timeout in seen} == {77}


def test_a_run_that_has_ended_starts_no_worker(monkeypatch):
    workers, started, start = Workers(1), [], Workers._start

    def late(self, environment):
        self.close()
        started.append(start(self, environment))
        return started[-1]

    monkeypatch.setattr(Workers, "_start", late)
    with pytest.raises(Died, match="the run has ended"):
        workers.of(workers.key(RELU))
    started[0]._process.wait(10)
    assert started[0].ended


def session(cells, **more):
    return Session(cells, [], lambda unit: False, threads=1, done={}, finished=print, drawn=print, **more)


def test_a_worker_that_dies_between_two_cells_costs_none_and_is_told(monkeypatch):
    judged, ask = [], Worker.request

    def request(worker, verb, *arguments):
        answer = ask(worker, verb, *arguments)
        if verb == JUDGE and not judged:
            judged.append(verb)
            worker._process.kill()
            worker._process.wait()
        return answer

    monkeypatch.setattr(Worker, "request", request)
    running = session([RELU, SIGMOID])
    assert [running.row(each).status for each in (RELU, SIGMOID)] == ["agrees", "agrees"]
    running.close()
    (sentence,) = cache.told().values()
    assert re.match(r"a worker \(numpy\) died between two cells.*: ended by signal 9 \(SIGKILL\)", sentence)


def test_a_worker_that_is_killed_in_a_cell_costs_that_cell_alone(tmp_path):
    (tmp_path / "slow.py").write_text(SLOW.format(tmp_path))
    slow = {"backend": f"{tmp_path}/slow.py:Slow"}
    running = session(cells := [replace(RELU, **slow), RELU, replace(SIGMOID, **slow)])
    until = time.monotonic() + 60
    while not (tmp_path / "pid").exists() and time.monotonic() < until:
        time.sleep(0.02)
    os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)
    rows = [running.row(each) for each in cells]
    running.close()
    dead = [row for row in rows if row.status == "error"]
    assert len(dead) == 1 and [row.status for row in rows].count("agrees") == 2
    assert rows[1].status == "agrees"  # NumPy's; of the others whichever came first
    assert dead[0].why.startswith(
        "the worker died: ended by signal 9 (SIGKILL), which is what the system does"
    )


def test_limits_whose_worker_is_killed_before_the_first_row_are_derived_again(monkeypatch):
    asked, ask = [], Worker.request

    def request(worker, verb, *arguments):
        asked.append(verb)
        if verb == DERIVE and asked.count(DERIVE) == 1:
            worker._process.kill()
        return ask(worker, verb, *arguments)

    monkeypatch.setattr(Worker, "request", request)
    running = session([RELU])
    assert running.row(RELU).status == "agrees" and asked.count(DERIVE) == 2
    running.close()


def test_a_system_that_starts_no_process_costs_the_cells_that_need_one(monkeypatch):
    class Refused:
        def __init__(self, environment):
            raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr("bench.run.workers.Worker", Refused)
    running = session([RELU])
    row = running.row(RELU)
    running.close()
    assert row.status == "error" and "no worker could be started: [Errno 11]" in row.why


FORGED = [
    None,
    [],
    {},
    {"rows": 3},
    {"rows": {"forward": {"colour": "red"}}},
    {"rows": {}, "environment": {}},
]


@pytest.mark.parametrize("answer", FORGED)
def test_an_answer_that_is_no_row_costs_its_cell(answer, monkeypatch):
    assert judged(monkeypatch, lambda honest: answer).why.startswith("the worker's answer is not a row: ")


def test_a_row_that_names_another_cell_is_its_own(monkeypatch):
    def forged(honest):
        return honest | {"rows": {"forward": honest["rows"]["forward"] | {"backend": "torch", "case": "x"}}}

    row = judged(monkeypatch, forged)
    assert (row.status, row.backend, row.case) == ("agrees", "numpy", "relu")


def judged(monkeypatch, forged):
    """The row of a cell whose worker answers something else."""
    monkeypatch.setattr(
        Worker, "request", lambda worker, verb, *given: forged(HONEST) if verb == JUDGE else None
    )
    running = session([RELU])
    try:
        return running.row(RELU)
    finally:
        running.close()


HONEST = {
    "rows": {"forward": asdict(row_of(RELU, "forward", status="agrees"))},
    "environment": {},
    "curve": [],
}
