"""A worker process: where it serves, and what it says when it goes."""

from dataclasses import replace

import pytest

from bench import worker
from bench.backends.numpy import NumPy
from bench.cells.cell import Cell
from bench.contender.prepare import THREADS, instance
from bench.speed.sets import SETS
from bench.verdict.judge import run
from bench.worker import KEPT, Desk, Died, Worker, as_request


def test_a_worker_serves_in_its_main_thread():
    """Else execnet may pick another, where no signal can be set."""
    worker = Worker({"GAUGEBLOCK_EXAMPLE": "1"})
    try:
        assert worker._gateway.remote_status().execmodel == "main_thread_only"
        worker.request("drop", "nothing")
    finally:
        worker.close()


def test_an_unknown_verb_ends_the_worker_with_its_words():
    worker = Worker({})
    try:
        with pytest.raises(Died, match="no attribute 'fly'"):
            worker.request("fly")
    finally:
        worker.close()


def test_a_variable_that_could_not_be_set_is_refused_and_not_left_out():
    with pytest.raises(ValueError, match="environment of a worker: got XLA_FLAGS=a//b, should hold no //"):
        Worker({"XLA_FLAGS": "a//b"})


def test_a_thread_setting_that_does_not_take_is_an_error(monkeypatch):
    cell = Cell(
        "relu", "plain", "typical", "small", "reference.activation.relu", "numpy", "eager", "cpu", "float64",
        "forward",
    )  # fmt: skip
    for asked, status in (("1", "error"), ("2", "agrees")):
        instance.cache_clear()
        monkeypatch.setenv(THREADS, asked)
        monkeypatch.setattr(NumPy, "threads", lambda self: 2)
        row = run(cell)
        assert row.status == status, row.why
        assert ("reads back 2 threads, should be the 1 it was started with" in row.why) == (asked == "1")
    instance.cache_clear()


@pytest.mark.parametrize("judged", [True, False])
@pytest.mark.parametrize("kept", [KEPT, 0])
def test_what_was_large_or_judged_by_a_worker_that_is_gone_is_built_again_where_it_is_timed(
    monkeypatch, judged, kept
):
    monkeypatch.setattr(worker, "KEPT", kept)
    cell = Cell(
        "relu", "plain", "typical", "small", "reference.activation.relu", "numpy", "eager", "cpu", "float32",
        "gradient",
    )  # fmt: skip
    desk = Desk()
    if judged:
        desk.judge(as_request(cell.unit), ["forward", "gradient"], True, False)
    assert list(desk.kept) == ([str(cell.unit)] if judged and kept else [])
    for direction in ("forward", "gradient"):
        assert "first_call_s" in desk.ready(as_request(replace(cell, direction=direction)), direction)
        assert len(desk.sample(direction)) == 5
        assert desk.settle(direction)["sets"] == SETS
        assert desk.verdict(direction)["status"] == "agrees"
    assert len(desk.built) == (0 if judged and kept else 1)  # once for both directions
    assert [len(each) for each in desk.built.values()] == [1] * len(desk.built)
    lost = desk.ready(as_request(replace(cell, contender="reference.activation.sigmoid")), "lost")
    assert lost["error"].startswith("ValueError: contender")


def test_a_call_of_which_nothing_can_be_measured_is_dropped(monkeypatch):
    cell = Cell(
        "relu", "plain", "typical", "small", "reference.activation.relu", "numpy", "eager", "cpu", "float32",
        "forward",
    )  # fmt: skip
    desk = Desk()
    desk.ready(as_request(cell), "one")
    monkeypatch.setattr("bench.speed.clock.memory", lambda *_: 1 / 0)
    assert desk.settle("one") == {"error": "ZeroDivisionError: division by zero"} and not desk.calls
