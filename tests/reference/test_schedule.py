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


def test_stairs_stay_on_each_step_and_a_floor_ends_the_decay():
    got = schedule.exponential_decay(T, lr=0.5, gamma=0.25, steps=4, stairs=3)
    close(got, 0.5 * 0.25 ** (T // 4))
    plain = schedule.exponential_decay(T, lr=0.5, gamma=0.5)
    close(schedule.exponential_decay(T, lr=0.5, gamma=0.5, floor=0.1), np.maximum(plain, 0.1))


@pytest.mark.parametrize(
    ("decay", "option"),
    [("exponential_decay", {"gamma": 0.5}), ("polynomial_decay", {"end": 0.1, "steps": 5})],
)
def test_a_decay_that_begins_later_is_the_same_decay_later(decay, option):
    plain = getattr(schedule, decay)(T, lr=0.5, **option)
    later = getattr(schedule, decay)(T, lr=0.5, begin=3, **option)
    close(later[3:], plain[:-3])
    close(later[:3], 0.5)


@pytest.mark.parametrize("power", [1.0, 2.0])
def test_each_cycle_of_a_polynomial_is_longer_by_its_steps(power):
    got = schedule.polynomial_decay(T, lr=0.5, end=0.1, steps=4, power=power, cycles=3)
    spans = 4 * np.maximum(np.ceil(T / 4), 1)
    close(got, 0.1 + 0.4 * (1 - T / spans) ** power)
    close(got[[4, 8, 12]], 0.1)


def test_a_power_of_a_cosine():
    got = schedule.cosine_decay(T, lr=0.5, end=0.1, steps=8, power=3.0)
    close(got[:9], [0.1 + 0.4 * ((1 + cos(pi * t / 8)) / 2) ** 3 for t in range(9)])
    warm = schedule.warm_up_cosine(T, lr=0.5, steps=12, warm=4, begin=0.1, end=0.1, power=3.0)
    close(warm[4:], got[:9])


@pytest.mark.parametrize("linear", [False, True])
def test_a_cycle_of_three_phases_comes_back_to_where_it_began(linear):
    option = {"lr": 0.5, "steps": 13, "share": 4 / 13, "last": True, "linear": linear}
    got = schedule.one_cycle(T, phases=3, **option)
    close(got[[0, 3, 6, 12]], [0.02, 0.5, 0.02, 0.02 / 1e4])
    if linear:
        close(got[:4], np.linspace(0.02, 0.5, 4))
        close(got[6:], np.linspace(0.02, 0.02 / 1e4, 7))


@pytest.mark.parametrize(("phases", "end"), [(2, 12), (3, 6)])
def test_the_momentum_of_a_cycle_moves_against_the_rate(phases, end):
    got = schedule.one_cycle(T, lr=0.5, steps=13, share=4 / 13, last=True, phases=phases, momentum=(0.8, 0.9))
    close(got[[0, 3, end, 12]], [0.9, 0.8, 0.9, 0.9])
    assert np.all(np.diff(got[:4]) < 0) and np.all(np.diff(got[3 : end + 1]) > 0)


OPTIONS = {
    "step_decay": {"gamma": 0.1, "milestones": (3, 7)},
    "exponential_decay": {"gamma": 0.9},
    "polynomial_decay": {"end": 0.01, "steps": 8, "power": 2.0},
    "cosine_decay": {"steps": 8},
    "warm_up_cosine": {"steps": 12, "warm": 4},
    "one_cycle": {"steps": 12},
}
MORE = {
    "exponential_decay": {"gamma": 0.9, "steps": 3, "stairs": 4, "begin": 2, "floor": 0.05},
    "polynomial_decay": {"end": 0.01, "steps": 3, "power": 2.0, "begin": 2, "cycles": 3},
    "cosine_decay": {"steps": 8, "end": 0.01, "power": 1.5},
    "one_cycle": {"steps": 12, "linear": True, "phases": 3, "momentum": (0.8, 0.9)},
}


@pytest.mark.parametrize(("name", "option"), [*OPTIONS.items(), *MORE.items()])
def test_rates_keep_float32(name, option):
    assert getattr(schedule, name)(T.astype(np.float32), lr=0.1, **option).dtype == np.float32
