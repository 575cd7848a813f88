"""Schedules against what their papers say of single steps, and each convention against the one beside it."""

from math import cos, pi

import numpy as np
import pytest

from reference import schedule

T = np.arange(13.0)


def close(got, should_be):
    np.testing.assert_allclose(got, should_be, rtol=1e-14, atol=1e-18)


@pytest.mark.parametrize("late", [False, True])
def test_a_milestone_cuts_the_rate_at_its_step_or_after_it(late):
    got = schedule.step_decay(T, lr=0.5, gamma=0.1, milestones=(3, 7), late=late)
    close(got, [0.5 * 0.1 ** ((t >= 3 + late) + (t >= 7 + late)) for t in range(13)])


def test_exponential_decay_multiplies_by_gamma_every_so_many_steps():
    got = schedule.exponential_decay(T, lr=0.5, gamma=0.25, steps=4)
    close(got[::4], 0.5 * 0.25 ** np.arange(4))
    close(got[1:] / got[:-1], np.full(12, 0.25**0.25))


@pytest.mark.parametrize("power", [1.0, 2.0])
def test_polynomial_decay_goes_to_its_end_and_stays(power):
    got = schedule.polynomial_decay(T, lr=0.5, end=0.1, steps=8, power=power)
    close(got, [0.1 + 0.4 * max(0, 1 - t / 8) ** power for t in range(13)])


def test_a_cosine_passes_its_middle_half_way_and_stays_or_rises_again():
    got = schedule.cosine_decay(T, lr=0.5, end=0.1, steps=8)
    close(got[[0, 4, 8, 12]], [0.5, 0.3, 0.1, 0.1])
    again = schedule.cosine_decay(T, lr=0.5, end=0.1, steps=8, periodic=True)
    close(again[:9], got[:9])
    close(again[9:], again[[7, 6, 5, 4]])


def test_a_warm_up_is_straight_and_meets_the_cosine_at_its_peak():
    got = schedule.warm_up_cosine(T, lr=0.5, steps=12, warm=4, begin=0.1, end=0.05)
    close(got[:5], [0.1, 0.2, 0.3, 0.4, 0.5])
    close(got[4:], [0.05 + 0.45 * (1 + cos(pi * t / 8)) / 2 for t in range(9)])


@pytest.mark.parametrize(("last", "steps", "share", "top"), [(False, 12, 0.3, 3), (True, 13, 4 / 13, 3)])
def test_one_cycle_peaks_where_its_convention_says(last, steps, share, top):
    got = schedule.one_cycle(T, lr=0.5, steps=steps, share=share, last=last)
    close(got[[0, top, 12]], [0.5 / 25, 0.5, 0.5 / 25 / 1e4])
    assert got.argmax() == top and np.all(np.diff(got[: top + 1]) > 0) and np.all(np.diff(got[top:]) < 0)


OPTIONS = {
    "step_decay": {"gamma": 0.1, "milestones": (3, 7)},
    "exponential_decay": {"gamma": 0.9},
    "polynomial_decay": {"end": 0.01, "steps": 8, "power": 2.0},
    "cosine_decay": {"steps": 8},
    "warm_up_cosine": {"steps": 12, "warm": 4},
    "one_cycle": {"steps": 12},
}


@pytest.mark.parametrize(("name", "option"), OPTIONS.items())
def test_rates_keep_float32(name, option):
    assert getattr(schedule, name)(T.astype(np.float32), lr=0.1, **option).dtype == np.float32
