"""Statistics of a tensor's errors, which are taken by parts, against those of the whole tensor at once."""

import numpy as np
import pytest

from bench.noise import FULL
from bench.tolerance.limit import fixed_by_formula, limit_of, nearest
from bench.tolerance.shared import equal
from bench.tolerance.spread import Expected
from bench.verdict.errors import GATE, PART, errors_of, rms, unexplained, unit

ELEMENTS = 10**6
SIZES = [(), (0,), (3, 0), (1,), (7,), (PART - 1,), (PART,), (PART + 1,), (5, PART), (2, 3, 11000)]


@pytest.mark.parametrize("lost", [np.nan, np.inf])
def test_an_element_without_a_value_takes_no_part_in_the_statistics(lost):
    """The spread of a NaN is NaN, and the ratio of a tensor with one was NaN too."""
    value = np.linspace(1, 2, 50)
    value[7] = lost
    sigma = np.where(np.isfinite(value), 1e-7, np.nan if np.isnan(lost) else 0)
    one = Expected(value, sigma, sigma / 2.0**-24, 0 * sigma if np.isinf(lost) else sigma * 0)
    got = value * np.float64(1 + 1e-6)
    found = errors_of("y", got, one, 50, "float32")
    rest = [np.delete(x, 7) for x in (value, sigma, one.sigma1, np.zeros(50))]
    alone = errors_of("y", np.delete(got, 7), Expected(*rest), 50, "float32")
    assert found.ratio == pytest.approx(alone.ratio, rel=0.02) and found.worst == alone.worst
    assert found.outside == alone.outside > 0 and found.at != 7


def whole(got, one, dtype):
    """Worst ratio and its place, number outside, count, ratio, limit, size, squares, counted, far."""
    fixed = fixed_by_formula(one)
    limit = limit_of(one, fixed, ELEMENTS, dtype)
    with np.errstate(all="ignore"):
        error = np.array(np.abs(got.astype(np.float64) - nearest(one, fixed, dtype)))
        error[(got == one.value) | (np.isnan(got) & np.isnan(one.value))] = 0
        tiny = 2.0**-126 if dtype == "float32" else 2.0**-1022
        error[((got == 0) | (one.value == 0)) & (error < tiny)] = 0
        z = np.where(error != 0, error / limit, 0)
        spread = np.hypot(one.scatter * one.sigma, one.jump)
        largest = spread.max(initial=0) or 1
        scaled = spread / largest
        mean = rms(np.square(scaled)) / rms(scaled) ** 2 if scaled.any() else np.nan
        value = np.where(np.isfinite(one.value), one.value, 0)
        counted = (one.sigma1 > 0) & (one.jump == 0) & np.isfinite(one.value)
        outside = z > 1
        size = rms(value)
        far = error[outside] / unit(error[outside], one.sigma1[outside], one.value[outside], size)
        squares = np.sum(np.square(error[counted] / one.sigma1[counted]))
        ratio = np.float64(rms(error)) / rms(spread) if error.any() else 0.0
    at = int(np.argmax(z)) if z.size else 0
    count = z.size / mean**2 / (1 + unexplained(one.draws))
    sums = (count, ratio, rms(limit), size, squares)
    return float(z.max(initial=0)), at, int(outside.sum()), sums, int(counted.sum()), np.sort(far)


def parted(found):
    sums = (found.count, found.ratio, found.limit, found.size, found.squares)
    return found.worst, found.at, found.outside, sums, found.counted, np.sort(found.far)


def drawn(shape, dtype, seed=0, scale=1.0):
    """What a contender got, with zeros, elements that are never moved, jumps, NaN and infinity."""
    rng = np.random.default_rng(seed)

    def some(share):
        return rng.random(shape) < share

    value = np.asarray(rng.standard_normal(shape) * np.exp(3 * rng.standard_normal(shape)) * scale)
    value = np.where(some(0.1), 0, value).astype(dtype).astype(np.float64)
    sigma = np.where(some(0.1), 0, np.abs(value) * 2.0**-22 * rng.random(shape))
    sigma1 = np.where(some(0.1), 0, sigma / 2.0**-23)
    jump = np.where(some(0.05), np.abs(value) * 2.0**-10, 0)
    got = value + sigma * rng.standard_normal(shape) * 5
    got = np.where(some(0.01), value * 1.001, got)
    for special in (np.nan, np.inf, -np.inf):
        here = some(0.02)
        value, got = np.where(here, special, value), np.where(here, special, got)
        sigma, sigma1, jump = (np.where(here, 0, each) for each in (sigma, sigma1, jump))
    return got.astype(dtype), Expected(value, sigma, sigma1, jump, 1.5, draws=12)


def same(got, one, dtype):
    mine, right = parted(errors_of("y", got, one, ELEMENTS, dtype)), whole(got, one, dtype)
    assert mine[:3] == pytest.approx(right[:3], rel=1e-12) and mine[4] == right[4]
    for one_of_mine, one_of_all in ((mine[3], right[3]), (mine[5], right[5])):
        np.testing.assert_allclose(one_of_mine, one_of_all, rtol=1e-9)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", SIZES, ids=str)
def test_statistics_by_parts_are_those_of_the_whole(shape, dtype):
    for seed in range(3):
        same(*drawn(shape, dtype, seed), dtype)


@pytest.mark.parametrize(
    ("dtype", "scale"), [("float32", 1e-30), ("float32", 1e30), ("float64", 1e-290), ("float64", 1e290)]
)
def test_extreme_values_neither_overflow_nor_vanish(dtype, scale):
    got, one = drawn((3, PART // 2), dtype, scale=scale)
    same(got, one, dtype)
    found = errors_of("y", got, one, ELEMENTS, dtype)
    assert 0 < found.size < np.inf and 0 < found.limit < np.inf and found.outside > 0


def test_parts_of_very_different_size_keep_their_share():
    got, one = drawn((4 * PART,), "float64")
    sizes = np.repeat([1e-200, 1.0, 1e200, 1e100], PART)
    arrays = (one.value, one.sigma, one.sigma1, one.jump)
    same(got * sizes, Expected(*(each * sizes for each in arrays), 1.5, draws=12), "float64")


@pytest.mark.parametrize("broadcast", ["sigma", "jump", "sigma1", "value"])
@pytest.mark.parametrize("shape", [(PART + 5,), (3, PART)], ids=str)
def test_a_broadcast_number_counts_for_every_element(shape, broadcast):
    got, one = drawn(shape, "float32", seed=4)
    here = np.isfinite(one.value)
    got, value = np.where(here, got, 1), np.where(here, one.value, 1)
    arrays = {"value": value, "sigma": one.sigma, "sigma1": one.sigma1, "jump": one.jump}
    number = np.full((1,) * len(shape), 0.5 if broadcast == "value" else 2.0**-12)
    flat = Expected(**arrays | {broadcast: np.broadcast_to(number, shape)}, draws=12)
    full = Expected(**arrays | {broadcast: np.full(shape, number.item())}, draws=12)
    mine, right = (parted(errors_of("y", got, each, ELEMENTS, "float32")) for each in (flat, full))
    assert mine[:3] == right[:3] and mine[3] == right[3] and np.array_equal(mine[5], right[5])
    same(got, full, "float32")


@pytest.mark.parametrize("at", [0, PART - 1, PART, 3 * PART + 1, 4 * PART])
def test_the_worst_element_is_found_in_any_part(at):
    value = np.ones(4 * PART + 1)
    one = Expected(value, value * 1e-7, value, value * 0)
    got = np.array(value)
    got[at] = 1.5
    found = errors_of("y", got, one, got.size, "float32")
    assert (found.at, found.outside, found.far.size) == (at, 1, 1)
    assert found.far[0] == 0.5 and found.worst > 1e5


@pytest.mark.parametrize("variance", [0.2, 0.5, 2.0, 10.0, 100.0])
def test_what_a_model_leaves_unexplained_is_read_off_the_draws_that_it_is_worth(variance):
    draws = equal(variance, FULL)
    assert unexplained(draws + 1) <= variance * 1.01 and variance <= unexplained(draws) * 1.01
    assert unexplained(equal(0.0, FULL)) == 0 and unexplained(3) == np.inf


def test_a_shared_spread_trips_the_gate_only_where_it_says_what_outweighs_what():
    """Of 4,000 elements one moves a thousand times as far as the spread that all share, by rounding."""
    rng = np.random.default_rng(0)
    own = np.ones(4000)
    own[7] = 1000
    shared, errors = np.full(4000, rms(own)), own * rng.standard_normal(4000)
    errors[7] = 2.5 * own[7]  # which is no rare error of a single element

    def found(draws, errors=errors):
        one = Expected(np.ones(4000), 1e-6 * shared, 1e-6 * shared, np.zeros(4000), draws=draws)
        return errors_of("y", 1 + 1e-6 * errors, one, 4000, "float64")

    assert found(FULL).ratio > GATE and found(FULL).drifts
    assert not found(equal(float(np.var(own**2 / np.mean(own**2))), FULL)).drifts
    assert found(equal(0.1, FULL), 3 * shared).drifts and not found(FULL, 1.5 * shared).drifts
