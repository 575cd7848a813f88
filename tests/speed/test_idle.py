"""Before a block is timed, the other workers stand still."""

import subprocess
import sys
import time

from bench.speed.idle import PATIENCE, still


def test_a_process_that_sleeps_stands_still_and_one_that_spins_does_not():
    sleeper, spinner = (
        subprocess.Popen([sys.executable, "-c", code])
        for code in ("import time; time.sleep(60)", "while True: pass")
    )
    try:
        time.sleep(0.5)  # while they start, both run
        assert still([sleeper.pid])
        start = time.perf_counter()
        assert not still([sleeper.pid, spinner.pid])
        assert time.perf_counter() - start >= PATIENCE
    finally:
        sleeper.kill()
        spinner.kill()
        sleeper.wait()
        spinner.wait()


def test_it_returns_as_soon_as_they_have_stopped():
    looks = iter([True, True, False])
    assert still([1], runs=lambda pid: next(looks))
    assert next(looks, None) is None


def test_a_process_that_has_ended_stands_still():
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    assert still([gone.pid]) and still([])
