"""Interleaved rounds: random order, bounded cost, an end once the ratios are known, and what comes out."""

from dataclasses import replace

import pytest

from bench.cell import Cell
from bench.rounds import BUDGET, FEWEST, MOST, rounds
from bench.row import Row
from bench.speed import with_speed, with_speeds
from bench.timing import Timing
from bench.worker import Died

CELL = Cell("attention", "plain", "typical", "small", "x", "numpy", "eager", "cpu", "float32", "forward")
ROW = Row(case="attention", status="agrees", direction="forward", bits=24.0)
TIMED = replace(ROW, bits=21.0, checksum="abc").as_dict()


def asked(seconds, broken=(), residue=0.0):
    """A worker's answers, and what it was asked. `seconds` is a sample, or one for each round."""
    log = []
    taken = dict.fromkeys(seconds, 0)

    def ask(cell, verb, *arguments):
        log.append((verb, cell.contender))
        if (verb, cell.contender) in broken:
            raise Died("the worker died: out of memory")
        if verb == "ready":
            return {"calls": 1, "first_call_s": 0.5, "compile_s": 0.4}
        if verb == "sample":
            each = seconds[cell.contender]
            taken[cell.contender] += 1
            each = each[taken[cell.contender] - 1] if isinstance(each, list) else each
            return [each, residue, 0.0, 2 * each, 0]
        return {"row": TIMED, "fresh": [0.1], "seen": [0.1], "bytes": 64, "sets": 3}

    return ask, log


def contenders(*names):
    return [replace(CELL, contender=name) for name in names]


def test_contenders_take_turns_in_random_order_and_a_slow_one_is_bounded():
    cells = contenders("quick", "slow")
    noisy = [0.001 * (1 + number % 3) for number in range(MOST)]
    ask, log = asked({"quick": noisy, "slow": BUDGET})
    found = rounds(cells, ask)
    assert len(found[cells[1]][0].samples) == FEWEST
    order = [name for verb, name in log if verb == "sample"][: 2 * FEWEST]
    assert all(set(order[i : i + 2]) == {"quick", "slow"} for i in range(0, 2 * FEWEST, 2))
    assert len(set(order[::2])) == 2
    assert [verb for verb, _ in log].count("settle") == 2


def test_rounds_end_once_the_ratios_are_known_and_go_on_while_they_are_not():
    ask, _ = asked({"one": 0.001, "other": 0.002})
    assert {len(timing.samples) for timing, _ in rounds(contenders("one", "other"), ask).values()} == {FEWEST}
    noisy = [0.002 * (1 + number % 3) for number in range(MOST)]
    ask, _ = asked({"one": 0.001, "other": noisy})
    cells = contenders("one", "other")
    found = rounds(cells, ask)
    assert {len(timing.samples) for timing, _ in found.values()} == {MOST}
    rows = with_speeds(dict.fromkeys(cells, ROW), found)
    assert rows[cells[1]].series.endswith("imprecise") and rows[cells[0]].series == "steady"


def test_a_contender_that_does_not_wait_costs_no_more_rounds_than_it_takes_to_know():
    noisy = [0.002 * (1 + number % 3) for number in range(MOST)]
    ask, _ = asked({"one": noisy}, residue=0.5)
    (cell,) = contenders("one")
    timing, row = rounds([cell], ask)[cell]
    assert len(timing.samples) == FEWEST and timing.fault
    assert with_speed(ROW, cell, (timing, row)).status == "error"


@pytest.mark.parametrize("verb", ["ready", "sample", "settle"])
def test_a_worker_that_dies_while_timed_costs_its_own_speed_only(verb):
    cells = contenders("one", "other")
    ask, _ = asked({"one": 0.01, "other": 0.01}, broken={(verb, "one")})
    found = rounds(cells, ask)
    assert found[cells[0]] == "the worker died: out of memory"
    rows = with_speeds(dict.fromkeys(cells, ROW), found)
    assert rows[cells[0]].status == "error" and rows[cells[0]].median_s is None
    assert rows[cells[1]].median_s == 0.01


def test_a_row_has_the_bits_of_what_was_timed_and_its_paired_ratio():
    cells = contenders("one", "other")
    ask, _ = asked({"one": 0.01, "other": 0.03})
    rows = with_speeds(dict.fromkeys(cells, ROW), rounds(cells, ask))
    row = rows[cells[1]]
    assert (row.bits, row.checksum, row.sets, row.bytes) == (21.0, "abc", 3, 64)
    assert (row.ratio, row.ratio_low, row.ratio_high) == pytest.approx((3, 3, 3))
    assert rows[cells[0]].ratio == 1 and row.cpu_s == pytest.approx(0.06)
    assert row.throughput == pytest.approx(2 * 9 / 0.03) and row.low_s <= row.median_s <= row.high_s


def test_timed_calls_that_give_something_else_are_an_error():
    timing = Timing((0.01,) * 5, (0.0,) * 5, (0.0,) * 5, 1, 0.1, tuple(range(5)))
    wrong = replace(ROW, status="disagrees", why="y[0] is 1, should be 2").as_dict()
    row = with_speed(ROW, CELL, (timing, wrong))
    assert row.status == "error" and row.median_s is None
    assert row.why == "what the timed calls gave disagrees: y[0] is 1, should be 2"


def test_a_gradient_counts_three_passes_and_keeps_its_first_call():
    timing = Timing((0.01,) * 5, (0.0,) * 5, (0.0,) * 5, 1, 0.1, tuple(range(5)), compile_s=0.05)
    judged = replace(ROW, first_call_s=7.0, compile_s=6.0)
    forward = with_speed(judged, CELL, (timing, TIMED))
    gradient = with_speed(judged, replace(CELL, direction="gradient"), (timing, TIMED))
    assert gradient.flops == 3 * forward.flops
    assert (forward.first_call_s, forward.compile_s) == (0.1, 0.05)
    assert (gradient.first_call_s, gradient.compile_s) == (7.0, 6.0)
