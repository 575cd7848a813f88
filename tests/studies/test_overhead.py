"""The benchmark of the clock itself: what it measures, not how fast this machine is."""

from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from bench.backends.numpy import NumPy
from bench.cli import app
from bench.studies import overhead
from bench.studies.overhead import ALLOWED, Overhead, by_hand, overheads


def test_each_call_is_measured_in_pairs(monkeypatch):
    monkeypatch.setattr(overhead, "SIDES", {"smallest": 2, "200 µs": 0})
    monkeypatch.setattr(overhead, "ROUNDS", 7)
    monkeypatch.setattr(overhead, "PATIENCE", 0)
    found = overheads("numpy", "eager")
    assert [each.call for each in found] == ["smallest", "200 µs"]
    assert all(each.low <= each.ratio <= each.high and each.seconds > 0 for each in found)


def test_a_clock_that_adds_is_seen(monkeypatch):
    monkeypatch.setattr(overhead, "SIDES", {"200 µs": 128})
    monkeypatch.setattr(overhead, "ROUNDS", 9)
    monkeypatch.setattr(overhead, "sample", lambda call, direction: (3e-4, 0.0, 0.0, 0.0, 0))
    monkeypatch.setattr(overhead, "by_hand", lambda *_: 2e-4)
    (found,) = overheads("numpy", "eager")
    assert (found.seconds, found.ratio, found.low, found.high) == pytest.approx((2e-4, 1.5, 1.5, 1.5))


def test_the_loop_by_hand_calls_as_often_as_it_says(monkeypatch):
    seen = []
    monkeypatch.setattr(overhead, "time", SimpleNamespace(perf_counter=lambda: 0.1 * len(seen)))

    def call(params, x):
        seen.append(x)
        return x

    engine = NumPy("cpu", "float32")
    seconds = by_hand(engine, call, ["a", "b", "c"], 4)
    assert seen == ["a", "a", "c", "b", "a"]  # the first is not timed
    assert seconds == pytest.approx(0.1)


@pytest.mark.parametrize(("ratio", "code"), [(1.01, 0), (1 + 2 * ALLOWED, 1)])
def test_the_command_fails_where_the_clock_adds_more_than_it_may(monkeypatch, ratio, code):
    class Fake:
        def __init__(self, environment):
            pass

        def request(self, verb, name, mode):
            return [{**vars(Overhead(name, mode, "smallest", 1e-6, ratio, ratio, ratio))}]

        def close(self):
            pass

    monkeypatch.setattr("bench.studies.overhead.Worker", Fake)
    done = CliRunner().invoke(app, ["overhead"])
    assert done.exit_code == code and "Overhead of the clock" in done.stdout
