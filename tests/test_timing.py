"""The clock: a contender that does not wait is caught, a slow one is bounded, the first call stands apart."""

import threading
import time
from dataclasses import dataclass, replace
from types import SimpleNamespace

import numpy as np
import pytest

from bench.cell import Cell
from bench.rounds import rounds, with_speed
from bench.row import Row
from bench.timing import BLOCK, BUDGET, FEWEST, ROUNDS, Call, Timing, ready, sample
from bench.worker import Died

CELL = Cell("attention", "plain", "typical", "small", "x", "numpy", "eager", "cpu", "float32", "forward")
ROW = Row(case="attention", status="agrees", direction="forward")


@dataclass
class Device:
    """Computes in the background, as an accelerator does, and may forget to wait for it."""

    waits: bool
    running: threading.Thread | None = None

    def once(self):
        self.running = threading.Thread(target=time.sleep, args=(0.02,))
        self.running.start()
        return {"y": np.zeros(3), "z": np.zeros((2, 2))}

    def wait(self, tree):
        if self.waits:
            self.running.join()

    def get(self, leaf):
        self.running.join()
        assert leaf.size == 3  # the smallest is what is read


def timing_of(device):
    call = Call(device, device.once, 0.1, 1, None)
    samples, residues, idles = zip(*(sample(call) for _ in range(5)), strict=True)
    return Timing(samples, residues, idles, 1, 0.1)


def test_a_contender_that_does_not_wait_is_caught():
    found = timing_of(Device(waits=False))
    assert not found.waited
    row = with_speed(ROW, CELL, found)
    assert row.status == "error" and row.why.startswith("not waited for") and row.median_s is None


def test_a_contender_that_waits_gets_its_speed():
    found = timing_of(Device(waits=True))
    assert found.waited and found.median_s > 0.019
    row = with_speed(ROW, CELL, found)
    assert row.status == "agrees" and row.median_s == found.median_s
    assert row.low_s <= row.median_s <= row.high_s
    assert row.throughput == pytest.approx(2 * 9 / row.median_s)


def test_a_gradient_counts_three_passes_and_keeps_its_first_call():
    found = timing_of(Device(waits=True))
    forward = with_speed(ROW, CELL, found)
    gradient = with_speed(replace(ROW, first_call_s=7.0), replace(CELL, direction="gradient"), found)
    assert gradient.flops == 3 * forward.flops
    assert (forward.first_call_s, gradient.first_call_s) == (0.1, 7.0)


def asked(seconds, broken=()):
    """A worker's answers, and what it was asked."""
    log = []

    def ask(cell, verb, *arguments):
        log.append((verb, cell.contender))
        if (verb, cell.contender) in broken:
            raise Died("the worker died: out of memory")
        ready = {"calls": 1, "first_call_s": 0.5}
        return {"ready": ready, "sample": [seconds[cell.contender], 0.0, 0.0]}.get(verb)

    return ask, log


def test_contenders_take_turns_in_random_order_and_a_slow_one_is_bounded():
    cells = [replace(CELL, contender=name) for name in ("quick", "slow")]
    ask, log = asked({"quick": 0.001, "slow": BUDGET})
    found = rounds(cells, ask)
    assert len(found[cells[0]].samples) == ROUNDS
    assert len(found[cells[1]].samples) == FEWEST
    order = [name for verb, name in log if verb == "sample"][: 2 * FEWEST]
    assert all(set(order[i : i + 2]) == {"quick", "slow"} for i in range(0, 2 * FEWEST, 2))
    assert len(set(order[::2])) == 2
    assert [verb for verb, _ in log].count("forget") == 2


@pytest.mark.parametrize("verb", ["ready", "sample"])
def test_a_worker_that_dies_while_timed_costs_its_own_speed_only(verb):
    cells = [replace(CELL, contender=name) for name in ("one", "other")]
    ask, _ = asked({"one": 0.01, "other": 0.01}, broken={(verb, "one")})
    found = rounds(cells, ask)
    assert found[cells[0]] == "the worker died: out of memory"
    assert isinstance(found[cells[1]], Timing)
    assert with_speed(ROW, cells[0], found[cells[0]]).status == "error"


def test_a_block_is_filled_by_calls_as_they_cost_in_a_row():
    class Host:
        def wait(self, tree):
            time.sleep(0.001)  # paid once a block, so that one call alone looks slow

    prepared = prepared_for(Host())
    call = ready(prepared, "gradient", "eager")
    start = time.perf_counter()
    for _ in range(call.calls):
        call.once()
    assert call.calls > 100
    assert time.perf_counter() - start > BLOCK / 4


def prepared_for(engine):
    return SimpleNamespace(
        engine=engine, vjp=lambda *data: sum(range(100)), params=None, data=None, cotangents=None
    )
