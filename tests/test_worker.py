"""A worker process: where it serves, and what it says when it goes."""

from dataclasses import asdict, replace

import pytest

from bench.backends.numpy import NumPy
from bench.cells.cell import Cell
from bench.contender.prepare import THREADS, instance
from bench.run import work
from bench.speed import kept, timed
from bench.speed.sets import SETS
from bench.verdict.judge import run
from bench.worker import Died, Worker


def test_a_worker_serves_in_its_main_thread():
    """Else execnet may pick another, where no signal can be set."""
    worker = Worker({"GAUGEBLOCK_EXAMPLE": "1"})
    try:
        assert worker._gateway.remote_status().execmodel == "main_thread_only"
        assert worker.request("os:getpid") == worker.pid
    finally:
        worker.close()


def test_an_unknown_function_ends_the_worker_with_its_words():
    worker = Worker({})
    try:
        with pytest.raises(Died, match="no attribute 'fly'"):
            worker.request("bench.speed.timed:fly")
    finally:
        worker.close()


def test_a_variable_that_holds_the_mark_of_execnet_is_set_all_the_same():
    worker = Worker({"XLA_FLAGS": "a//b", "OTHER": "c"})
    try:
        found = worker.request(
            "builtins:eval", "[__import__('os').environ[n] for n in ('XLA_FLAGS', 'OTHER')]"
        )
    finally:
        worker.close()
    assert found == ["a//b", "c"]


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


@pytest.fixture(autouse=True)
def empty():
    """A process that has judged and timed nothing."""
    yield
    for each in (kept._KEPT, kept._BUILT, timed._CALLS):
        each.clear()


@pytest.mark.parametrize("judged", [True, False])
@pytest.mark.parametrize("most", [kept.MOST, 0])
def test_what_was_large_or_judged_by_a_worker_that_is_gone_is_built_again_where_it_is_timed(
    monkeypatch, judged, most
):
    monkeypatch.setattr(kept, "MOST", most)
    cell = Cell(
        "relu", "plain", "typical", "small", "reference.activation.relu", "numpy", "eager", "cpu", "float32",
        "gradient",
    )  # fmt: skip
    if judged:
        work.judge(asdict(cell.unit), ["forward", "gradient"], True, False)
    assert list(kept._KEPT) == ([str(cell.unit)] if judged and most else [])
    for direction in ("forward", "gradient"):
        assert "first_call_s" in timed.ready(asdict(replace(cell, direction=direction)), direction)
        assert len(timed.sample(direction)) == 5
        assert timed.settle(direction)["sets"] == SETS
        assert work.verdict(direction)["status"] == "agrees"
    assert len(kept._BUILT) == (0 if judged and most else 1)  # once for both directions
    assert [len(each) for each in kept._BUILT.values()] == [1] * len(kept._BUILT)
    lost = timed.ready(asdict(replace(cell, contender="reference.activation.sigmoid")), "lost")
    assert lost["error"].startswith("ValueError: contender")


def test_a_call_of_which_nothing_can_be_measured_is_dropped(monkeypatch):
    cell = Cell(
        "relu", "plain", "typical", "small", "reference.activation.relu", "numpy", "eager", "cpu", "float32",
        "forward",
    )  # fmt: skip
    timed.ready(asdict(cell), "one")
    monkeypatch.setattr("bench.speed.clock.memory", lambda *_: 1 / 0)
    assert timed.settle("one") == {"error": "ZeroDivisionError: division by zero"} and not timed._CALLS


def test_what_was_built_again_is_kept_while_inputs_are_the_same_and_no_longer():
    names = ("relu", "sigmoid")
    for name in names:
        timed.ready(asdict(_unary(name)), name)
    assert len(kept._BUILT) == 1 and list(timed._CALLS) == list(names)
    timed.taken("relu")
    assert list(timed._CALLS) == ["sigmoid"]


def _unary(name):
    return Cell(
        name, "plain", "typical", "small", f"reference.activation.{name}", "numpy", "eager", "cpu", "float32",
        "forward",
    )  # fmt: skip
