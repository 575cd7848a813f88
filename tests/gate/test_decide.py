"""The gate's arithmetic: its false alarms are those it says, and it finds slowdowns or says that it can't."""

import math
from dataclasses import replace

import numpy as np
import pytest

from bench.gate import decide
from bench.gate.decide import ALPHA, LEAST, LOOKS, Series, alarms, holm, smallest, turn, witnesses
from tests.gating import blocks

LIMIT = 0.05


def gate(cells, limit=LIMIT):
    """The answers of a gate that has these replicates of each cell, look by look."""
    answers = {}
    for look in LOOKS:
        found = decide.decide({name: each[:look] for name, each in cells.items()}, answers, limit)
        answers = decide.settled(found)
        if len(answers) == len(cells):
            break
    return found


def test_equal_sides_are_called_slower_no_more_often_than_is_said():
    """200 gates of 12 cells, without the margin, so that the level itself is tested."""
    rng, told = np.random.default_rng(1), 0
    for _ in range(200):
        cells = {str(number): blocks(rng, LOOKS[0], slower=0.01) for number in range(12)}
        found = decide.decide(cells, {}, LIMIT)
        told += any(each.answer == "slower" for each in found.values())
    assert told <= 3  # at most 0.2 are expected, with a fifth of the level


def test_equal_sides_are_the_same_and_end_early():
    rng = np.random.default_rng(2)
    for _ in range(5):
        found = gate({str(number): blocks(rng, LOOKS[-1]) for number in range(12)})
        assert {each.answer for each in found.values()} == {"same"}
        assert max(each.replicates for each in found.values()) <= LOOKS[2]


@pytest.mark.parametrize(("share", "least"), [(0.05, 18), (0.10, 20)])
def test_one_slower_cell_is_found_and_no_other(share, least):
    rng, hits = np.random.default_rng(3), 0
    for _ in range(20):
        cells = {str(number): blocks(rng, LOOKS[-1]) for number in range(12)}
        cells["7"] = blocks(rng, LOOKS[-1], slower=share)
        told = [name for name, each in gate(cells).items() if each.answer == "slower"]
        assert set(told) <= {"7"}
        hits += told == ["7"]
    assert hits >= least


def test_a_faster_cell_is_faster():
    rng = np.random.default_rng(4)
    assert gate({"a": blocks(rng, LOOKS[-1], slower=-0.1)})["a"].answer == "faster"


def test_where_noise_hides_the_limit_it_cannot_tell():
    rng = np.random.default_rng(5)
    (found,) = gate({"a": blocks(rng, LOOKS[-1], process=0.3)}).values()
    assert found.answer == "can't tell" and found.smallest > LIMIT


def test_the_smallest_slowdown_that_is_said_would_be_found():
    rng, hits = np.random.default_rng(6), 0
    for _ in range(40):
        one = blocks(rng, 12)
        least = smallest(decide.series(one, "wall"), 1)
        slower = [
            replace(each, wall=each.wall * np.array([[1], [1], [1 + least]])) for each in blocks(rng, 12)
        ]
        hits += decide.decide({"a": slower}, {}, LIMIT)["a"].answer == "slower"
    assert hits >= 34  # 95 % of 40, less three standard deviations


def test_an_answer_stays_and_its_cell_still_counts():
    rng = np.random.default_rng(7)
    first = decide.decide({"a": blocks(rng, 5)}, {}, LIMIT)
    later = decide.decide({"a": blocks(rng, 8, slower=0.5), "b": blocks(rng, 8)}, first, LIMIT)
    assert later["a"] is first["a"] and later["b"].replicates == 8


def test_the_new_side_may_scatter_more_than_the_old_one():
    """Then its own spread counts, not that of equal processes."""
    a = np.tile([0.001, -0.001], 4)
    calm, wild = Series(np.tile([0.02, 0.021], 4), a), Series(np.tile([0.1, -0.06], 4), a)
    assert calm.spread[1] == 15 and wild.spread[1] == 7
    assert calm.above(LEAST) < 1e-6 < wild.above(LEAST)


def test_identical_times_are_no_division_by_zero():
    nothing = np.zeros(5)
    assert Series(nothing, nothing).above(LEAST) == 1.0
    assert Series(nothing + 0.2, nothing).above(LEAST) == 0.0


def test_holm_stops_at_the_first_that_is_not_rejected():
    assert holm({"a": 0.001, "b": 0.02, "c": 0.03}, 0.05, 3) == {"a", "b", "c"}
    assert holm({"a": 0.001, "b": 0.03, "c": 0.001}, 0.05, 3) == {"a", "b", "c"}
    assert holm({"a": 0.001, "b": 0.04, "c": 0.03}, 0.05, 3) == {"a"}
    assert holm({"a": 0.02}, 0.05, 3) == set()


# CPU time as a witness


def busy(rng, count, slower=0.0):
    """One thread on a busy machine: the wall clock is held up at random, CPU time is not."""
    found = blocks(rng, count, slower=slower, threads=1.0)
    held = [1 + rng.exponential(0.3, each.wall.shape) for each in found]
    return [replace(each, wall=each.wall * more) for each, more in zip(found, held, strict=True)]


def test_cpu_time_is_the_witness_where_the_wall_clock_scatters():
    rng = np.random.default_rng(8)
    found = gate({"a": busy(rng, LOOKS[-1], slower=0.1)})["a"]
    assert (found.answer, found.witness) == ("slower", "cpu")


def test_cpu_time_is_no_witness_of_a_call_on_several_threads():
    """It would miss that a call lost its second thread."""
    rng = np.random.default_rng(9)
    assert list(witnesses(blocks(rng, 5, threads=2.0))) == ["wall"]
    assert set(witnesses(busy(rng, 5))) == {"wall", "cpu"}


def test_a_call_that_sleeps_is_slower_although_its_cpu_time_is_the_same():
    rng = np.random.default_rng(10)
    sleeping = [
        replace(each, cpu=each.wall * np.array([[1], [1], [1 / 1.3]]))
        for each in blocks(rng, LOOKS[-1], slower=0.3, threads=1.0)
    ]
    assert gate({"a": sleeping})["a"].answer == "slower"


def test_less_cpu_time_alone_is_not_faster():
    rng = np.random.default_rng(11)
    waiting = [
        replace(each, cpu=each.wall * np.array([[1], [1], [0.7]])) for each in blocks(rng, 18, threads=1.0)
    ]
    assert gate({"a": waiting})["a"].answer != "faster"


# what is said of the machine


def test_false_alarms_are_composed_of_equal_processes():
    rng = np.random.default_rng(12)
    assert alarms({str(number): blocks(rng, 12) for number in range(12)}) <= 2 * ALPHA
    assert math.isnan(alarms({}))


def test_the_effect_of_the_place_in_a_round_is_told():
    rng, found = np.random.default_rng(14), []
    for each in blocks(rng, 20):
        found.append(replace(each, wall=each.wall * (1 + 0.05 * each.turn)))
    effect, error = turn({"a": found})
    assert effect == pytest.approx(0.1, abs=0.02) and error < 0.01
    assert math.isnan(turn({})[0])
