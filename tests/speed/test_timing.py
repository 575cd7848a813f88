"""Statistics of samples: whether the calls were waited for, their ratios, and the shape of a series."""

from dataclasses import replace

import numpy as np
import pytest

from bench.speed.timing import BRIEF, FRESH, LATE, LEAST, RARE, Timing, interval, ratio, series


def timing(samples=(0.02,) * 5, **more):
    still = (1e-5,) * len(samples)
    return Timing(
        tuple(samples), more.pop("residues", still), still, 1, 0.1, tuple(range(len(samples))), **more
    )


def test_a_result_that_is_read_slowly_after_the_claimed_end_was_not_waited_for():
    assert timing().waited and not timing().fault
    late = timing(residues=(0.02,) * 5)
    assert not late.waited
    assert late.fault == "not waited for: reading one result took 0.02 s after the claimed end"


def test_one_outstanding_call_of_many_is_too_many():
    many = replace(timing((4e-4,) * 5), calls=500)  # JAX lets 32 be outstanding; a block is 0.2 s
    assert not replace(many, residues=(0.0135, 0.0126, 0.0136, 0.0099, 0.013)).waited
    assert replace(many, residues=(4e-4,) * 5).waited


def test_one_read_that_another_job_held_up_is_no_fault():
    assert timing(residues=(1e-5, 0.5, 0.5, 0.5, 0.5)).waited


def test_results_of_earlier_calls_that_are_read_slowly_were_not_waited_for():
    assert not timing(behind=(0.009,) * 7).fault
    assert not timing(behind=(0.02,) * 6 + (1e-5,)).fault  # another job held them up
    assert timing(behind=(0.011,) * 7).fault == (
        "not waited for: reading the result of an earlier call took 0.011 s when the last was complete, "
        "and a call 0.02 s"
    )


def test_a_program_compiled_while_it_was_timed_is_a_fault():
    assert "compiled 2 programs" in timing(compiled=2).fault


def test_a_call_that_is_quick_on_seen_inputs_only_keeps_results():
    kept = timing(fresh=(0.02,) * 3, seen=(1e-4,) * 3)
    assert (
        kept.fault
        == "keeps results: a call took 0.0001 s on inputs that it had seen, and 0.02 s on fresh ones"
    )
    assert not timing(fresh=(0.02,) * 3, seen=(0.02,) * 3).fault
    once = timing(fresh=(0.02, 0.02, 1e-4), seen=(1e-4,) * 3)  # another job held two of them up
    assert not once.fault
    few = timing(fresh=(0.02,) * 7 + (1e-4,) * 2, seen=(1e-4,) * 9)  # which lie where others lay
    assert few.fault
    edge = FRESH * 0.01 + BRIEF
    assert timing(fresh=(1.01 * edge,) * 3, seen=(0.01,) * 3).fault
    assert not timing(fresh=(0.99 * edge,) * 3, seen=(0.01,) * 3).fault


def test_a_clock_that_differs_from_that_of_the_process_that_asked_is_wrong():
    late = {"wholes": (0.03,) * 5, "asked": (0.3,) * 4 + (0.03 + LATE / 5,)}  # as on a busy machine
    assert not timing(**late).fault
    assert not timing(wholes=(0.01,), asked=(0.01 + LATE,)).fault
    slow = timing(wholes=(0.01,) * 5, asked=(0.03,) * 5)
    assert slow.fault == (
        "its clock is wrong: 0.15 s of sampling took 0.05 s by the clock of the process that was timed"
    )


def test_a_clock_that_differs_from_the_time_of_the_cpus_is_wrong(monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    assert not timing(cpu=(0.05,) * 5).fault  # two CPUs, and some time that is counted late
    wrong = timing(cpu=(3.0,) * 5)
    assert wrong.fault == (
        "its clock is wrong: a call took 0.02 s and 3 s of CPU time, should be at most 2 times as "
        "much on 2 CPUs"
    )
    tiny = timing(samples=(1e-6,) * 5, cpu=(1e-5,) * 5)  # the resolution of CPU time
    assert not tiny.fault


def test_ratios_are_taken_round_by_round_so_that_drift_of_the_machine_cancels():
    slower = [1.0, 2.0, 4.0, 8.0, 16.0]
    middle, low, high = ratio(timing(slower), timing([each / 2 for each in slower]))
    assert (middle, low, high) == pytest.approx((2, 2, 2))


def test_a_ratio_uses_the_rounds_that_both_took_part_in():
    short = Timing((2.0, 3.0), (0.0, 0.0), (0.0, 0.0), 1, 0.1, (1, 2))
    assert ratio(short, timing([9.0, 1.0, 1.5, 9.0]))[0] == pytest.approx(2)
    with pytest.raises(ValueError, match="should share some"):
        ratio(short, Timing((1.0,), (0.0,), (0.0,), 1, 0.1, (7,)))


def test_the_interval_of_a_ratio_holds_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(1)
    held = 0
    for _ in range(400):
        one, other = (timing(np.exp(0.05 * rng.standard_normal(11))) for _ in range(2))
        _, low, high = ratio(one, other, 0.99)
        held += low <= 1 <= high
    assert held >= 0.97 * 400


def test_series_are_named_by_their_shape():
    rng = np.random.default_rng(0)
    noise = 1 + 0.02 * rng.random(15)
    assert series(noise) == "steady"
    assert series(noise * np.linspace(1, 1.5, 15)) == "drifting"
    assert series(noise * rng.permutation([1.0] * 8 + [1.4] * 7)) == "multi-modal"
    assert series([1.0] * 15) == "steady"
    assert series([1.0, 2.0] * (LEAST // 2)) == "steady"  # too few to tell from chance


def test_a_steady_series_is_seldom_named_otherwise():
    rng = np.random.default_rng(0)
    named = sum(series(1 + rng.exponential(size=12)) != "steady" for _ in range(1000))
    assert named <= 1000 * 2 * RARE + 15


def test_the_interval_of_thousands_of_values_is_as_exact_as_that_of_few():
    values = np.arange(2001.0)
    low, high = interval(values, 0.95)
    assert 950 < low < 1000 < high < 1050 and low + high == 2000  # 1.96 √2001 / 2 to both sides
