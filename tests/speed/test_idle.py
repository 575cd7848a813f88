"""Before a block is timed, the other workers are idle."""

import subprocess
import sys
from types import SimpleNamespace

from bench.speed import idle
from bench.speed.idle import LOOK, PATIENCE, still


def test_a_process_that_sleeps_stands_still_and_one_that_spins_does_not(monkeypatch):
    sleeper, spinner = (
        subprocess.Popen([sys.executable, "-uc", f"print()\n{code}"], stdout=subprocess.PIPE)
        for code in ("import time; time.sleep(600)", "while True: pass")
    )
    try:
        for each in (sleeper, spinner):  # they have started, which takes both some time
            assert each.stdout.readline()
        with monkeypatch.context() as patient:
            patient.setattr(idle, "PATIENCE", 60)
            assert still([sleeper.pid])
        assert not still([sleeper.pid, spinner.pid])
    finally:
        for each in (sleeper, spinner):
            each.kill()
            each.communicate()


def test_its_patience_is_bounded(monkeypatch):
    slept = []
    clock = SimpleNamespace(sleep=slept.append, perf_counter=lambda: sum(slept))
    monkeypatch.setattr(idle, "time", clock)
    monkeypatch.setattr(idle, "perf_counter", clock.perf_counter)
    assert not still([1], runs=lambda pid: True)
    assert PATIENCE <= sum(slept) <= PATIENCE + LOOK


def test_it_returns_as_soon_as_they_have_stopped():
    looks = iter([True, True, False])
    assert still([1], runs=lambda pid: next(looks))
    assert next(looks, None) is None


def test_a_process_that_has_ended_stands_still():
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    assert still([gone.pid]) and still([])
