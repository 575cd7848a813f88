"""The spread of a formula's outputs: seeds, trees, worst cases, and storage on disk."""

import io
import operator
import tracemalloc
from dataclasses import fields
from functools import reduce

import numpy as np
import pytest

from bench import noise
from bench.noise import EXACT_SUMS, FULL
from bench.tolerance import spread as spread_module
from bench.tolerance.spread import Expected, from_arrays, spread, to_arrays


def inputs(seed=0, shape=(6, 40)):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def total(x):
    return x.sum(axis=1)


def same(a, b):
    return all(np.array_equal(getattr(a, f.name), getattr(b, f.name)) for f in fields(Expected))


def test_the_same_seed_gives_the_same_spread_and_another_one_another():
    first, again = (spread(total, (inputs(),), dtype="float32", seed=7)[""] for _ in range(2))
    other = spread(total, (inputs(),), dtype="float32", seed=8)[""]
    assert same(first, again)
    assert not np.array_equal(first.sigma, other.sigma) and np.array_equal(first.value, other.value)


def test_the_value_is_what_the_reference_gives_in_float64():
    x = inputs()
    assert np.allclose(spread(total, (x,), dtype="float32", seed=0)[""].value, total(x.astype(float)), 1e-14)


def test_trees_go_in_and_dotted_paths_come_out():
    def layers(weights, data):
        assert type(data["n"]) is np.ndarray and data["k"] == 3 and weights["none"] is None
        return {"h": [layer["W"] * data["k"] for layer in weights["layers"]], "y": data["x"] + data["n"]}

    weights = {"layers": [{"W": inputs()}, {"W": inputs(1)}], "none": None}
    found = spread(layers, (weights, {"x": inputs(), "n": np.arange(40), "k": 3}), dtype="float32", seed=0)
    assert list(found) == ["h.0", "h.1", "y"]


def test_an_output_that_no_rounding_touches_is_its_input():
    expected = spread(lambda x, i: {"x": x[1:], "i": i}, (inputs(), np.arange(3)), dtype="float32", seed=0)
    assert np.array_equal(expected["x"].value, inputs()[1:]) and not expected["x"].sigma.any()
    assert np.array_equal(expected["i"].value, np.arange(3)) and not expected["i"].sigma.any()


@pytest.mark.parametrize(("dtype", "smallest"), [("float64", 5e-324), ("float32", 1e-45)])
def test_a_subnormal_may_be_off_by_its_size_in_every_dtype_unless_nothing_touches_it(dtype, smallest):
    x = np.array([2 * smallest, -9 * smallest, 0.0, 1.0], dtype)
    found = spread(lambda x: x[:], (x,), dtype=dtype, seed=0)[""]
    assert not found.sigma.any()
    flushed = spread(lambda x: x * 0.3, (10 * x,), dtype=dtype, seed=0)[""]
    assert np.array_equal(flushed.sigma[:3], np.abs(flushed.value[:3])) and 0 < flushed.sigma[3] < 1e-6


def test_the_inputs_stay_as_they_are():
    x = inputs()
    kept = x.copy()
    spread(lambda x: np.multiply(x * 1.1, 2.2, out=np.empty_like(x)), (x,), dtype="float32", seed=0)
    assert np.array_equal(x, kept)


def test_the_worst_case_of_a_sum_is_wider_by_what_its_order_can_do():
    x = inputs(shape=(200, 400))
    usual = spread(total, (x,), dtype="float32", seed=0)[""]
    worst = spread(total, (x,), dtype="float32", seed=0, worst=True)[""]
    expected = 2**-24 * 400 * np.abs(x).astype(float).sum(axis=1) / np.sqrt(3)
    assert 0.9 < np.median(worst.sigma / expected) < 1.1
    assert np.median(worst.sigma / usual.sigma) > 30


def test_the_spread_per_unit_is_unbiased_in_the_square():
    """The mean of (error / sigma1)² over honest errors is one, for any number of draws.

    The correction is that of normal draws, as sums of many roundings are; a uniform one reads a little low.
    """
    x = np.random.default_rng(0).uniform(1, 2, (2, 20000)).astype(np.float32)
    expected = spread(np.multiply, tuple(x), dtype="float32", seed=0)[""]
    error = x[0] * x[1] - expected.value
    assert 0.85 < np.mean(np.square(error / expected.sigma1)) * 2**48 < 1.1
    assert FULL // 10 * 10 == FULL and EXACT_SUMS == 10  # runs share them evenly


def test_exact_sums_leave_a_rounding_of_each_term():
    x, y = np.random.default_rng(0).standard_normal((2, 300, 1000)).astype(np.float32)
    expected = spread(lambda x, y: (x[:, None] @ y[:, :, None])[:, 0, 0], (x, y), dtype="float32", seed=0)[""]
    terms = np.sqrt(np.square(x.astype(float) * y).sum(axis=1))
    assert 0.4 < np.median(expected.sigma1 / terms) < 0.9
    assert np.median(expected.sigma / expected.sigma1) * 2**24 > 8


def test_scatter_is_one_where_elements_round_alone_and_wider_where_they_share_a_rounding():
    x = inputs(shape=(5000,))
    alone = spread(lambda x: x * 1.5, (x,), dtype="float32", seed=0)[""]
    shared = spread(lambda x: np.sign(x) * x.sum(), (x,), dtype="float32", seed=0)[""]
    assert 1 < alone.scatter < 1.05 and shared.scatter > 1.4


def test_the_jump_is_zero_where_nothing_is_undecided():
    expected = spread(lambda x: x * (x * 0.1 > 0), (inputs(),), dtype="float32", seed=0)[""]
    assert expected.undecided == 0 and not expected.jump.any()


@pytest.mark.parametrize("dtype", ["float64", "float32", "bfloat16", "float16"])
def test_every_dtype_is_kept_on_disk_and_back(dtype):
    def formula(x):
        return {"a.b": x.sum(axis=1) * 0.3, "c/d": x * (x.sum(axis=1, keepdims=True) > 0), "scalar": x.sum()}

    found = spread(formula, (inputs(),), dtype=dtype, seed=0)
    file = io.BytesIO()
    np.savez(file, **to_arrays(found))
    file.seek(0)
    back = from_arrays(dict(np.load(file, allow_pickle=False)))
    assert list(back) == list(found)
    assert all(same(back[path], found[path]) for path in found)
    assert all(type(one.undecided) is int and type(one.scatter) is float for one in back.values())


def network(x, W, dy):
    h = x @ W
    return {"y": np.tanh(h).mean(axis=0), "dx": (dy * (h > 0)) @ W.T}


@pytest.mark.parametrize("runs", [5, 10])
def test_draws_that_do_not_fit_in_one_run_are_shared_among_several(runs, monkeypatch):
    """All draws are used, and give the same result."""
    g = np.random.default_rng(0)
    x, W, dy = (g.standard_normal(shape).astype(np.float32) for shape in ((300, 40), (40, 60), (300, 60)))
    x[0] = np.where(np.arange(40) < 2, 1, 0)
    W[1] = -W[0] * np.float32(1 + 2**-23)  # a choice that rounding turns
    one = spread(network, (x, W, dy), dtype="float32", seed=0)
    monkeypatch.setattr(spread_module, "_runs", lambda *_: runs)
    several = spread(network, (x, W, dy), dtype="float32", seed=0)
    for name in one:
        assert np.array_equal(one[name].value, several[name].value)
        assert 0.9 < np.median(several[name].sigma / one[name].sigma) < 1.1
        assert 0.8 < np.median(several[name].sigma1 / one[name].sigma1) < 1.25
        assert 0.8 < several[name].scatter / one[name].scatter < 1.25
    assert one["dx"].undecided > 0 and several["dx"].undecided > 0
    assert np.array_equal(one["dx"].jump[0] > 0, several["dx"].jump[0] > 0) and one["dx"].jump[0].any()


def test_two_runs_are_joined_as_they_come():
    one, other = (
        spread_module.Part(
            np.array([5.0, 7.0]), np.array(sigma), np.array(sigma), np.array(jump), np.array(draws), undecided
        )
        for sigma, jump, draws, undecided in (
            ([3.0, 0.0], [1.0, 4.0], [1.0], 2),
            ([4.0, 1.0], [2.0, 3.0], [2.0], 9),
        )
    )
    for first, second in ((one, other), (other, one)):
        both = spread_module._both(first, second)
        assert both.sigma.tolist() == both.sigma1.tolist() == [5.0, 1.0]
        assert both.jump.tolist() == [2.0, 4.0] and sorted(both.draws) == [1.0, 2.0] and both.undecided == 9


def test_many_runs_take_the_memory_of_one(monkeypatch):
    """For a table with few uses, keeping all runs would need too much: ten times the rows, not five."""
    monkeypatch.setattr(spread_module, "_runs", lambda *_: 10)
    table, ids = inputs(shape=(2**14, 8)), np.arange(0, 2**14, 64)

    def scatter(E):
        dE = np.zeros_like(E)
        np.add.at(dE, ids, E[ids])
        return dE

    tracemalloc.start()
    spread(scatter, (table,), dtype="float32", seed=0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 7 * noise.layouts("float32")[10].rows * 8 * table.size


@pytest.mark.parametrize(("memory", "runs"), [(2**32, 1), (2**24, 5), (2**20, 10)])
def test_the_number_of_runs_follows_from_what_one_takes(memory, runs, monkeypatch):
    monkeypatch.setattr(spread_module, "MEMORY", memory)
    x = inputs(shape=(400, 200))
    assert spread_module._runs(lambda x: np.tanh(x) * 2, (x,), "float32") == runs
    assert spread_module._runs(lambda x: np.tanh(x) * 2, (x[:10],), "float32") == 1


def test_few_draws_are_all_if_they_fit_in_three_times_the_memory(monkeypatch):
    x = inputs(shape=(400, 200))
    for memory, draws in ((2**32, 30), (3 * 2**23, 6), (2**20, 3)):
        monkeypatch.setattr(spread_module, "MEMORY", memory // 3)
        how = {"dtype": "float32", "accumulator": "float32", "seed": 0, "few": True}
        found, runs, rounding = spread_module.parts(lambda x: np.tanh(x) * 2, (x,), **how)
        assert runs == 1 and rounding.layout.full == found[""].draws.size == draws
        sigma = np.sqrt(np.mean(np.square(found[""].thirds), axis=0))
        assert np.allclose(sigma, found[""].sigma)


# ---- below float32 ----

LOW = ["bfloat16", "float16"]


def to(x, dtype):
    """x rounded to a dtype of few bits, in float64."""
    return noise.to_bits(np.asarray(x, np.float64), noise.precision(dtype).bits)


@pytest.mark.parametrize("dtype", LOW)
def test_float32_inside_is_one_rounding_of_the_results(dtype):
    x = to(inputs(shape=(40, 300)), dtype)

    def chain(x):
        return np.tanh(np.exp(x) - 1.5 * x)

    once = spread(chain, (x,), dtype=dtype, accumulator=noise.INSIDE, seed=0)[""]
    each = spread(chain, (x,), dtype=dtype, seed=0)[""]
    error = to(chain(x), dtype) - once.value
    assert 0.8 < noise.rms(error.ravel()) / noise.rms(once.sigma.ravel()) < 1.2
    assert np.median(each.sigma / once.sigma) > 1.5


def test_float32_inside_leaves_what_is_moved_as_it_is():
    x = to(inputs(), "float16")
    for function in (lambda x: x[::2], lambda x: np.concatenate([x[:1], x[3:]]), lambda x: x.max(axis=0)):
        assert not spread(function, (x,), dtype="float16", accumulator=noise.INSIDE, seed=0)[""].sigma.any()


def test_a_formula_that_leaves_the_range_of_float16_on_its_way_has_its_limit():
    x = np.float32([300, 2])
    for dtype, accumulator in [("float16", None), ("float16", noise.INSIDE), ("bfloat16", None)]:
        found = spread(lambda x: x * x / x, (x,), dtype=dtype, accumulator=accumulator, seed=0)[""]
        assert found.value[0] == 300 and (found.sigma < 4 * noise.precision(dtype).u * found.value).all()


@pytest.mark.parametrize("accumulator", [None, "float16", noise.INSIDE])
def test_a_result_out_of_the_range_of_float16_is_infinite(accumulator):
    x = np.float32([[200, -300], [-400, 200], [1, 1]])
    for function in (lambda x: x[:, 0] * x[:, 0] * x[:, 1], lambda x: x @ x.T[:, :1] @ x[:1, :1] * x[:, :1]):
        found = spread(function, (x,), dtype="float16", accumulator=accumulator, seed=0)[""]
        assert np.array_equal(found.value, np.where(np.abs(y := function(x)) > 65504, np.sign(y) * np.inf, y))
        assert np.isinf(found.value[:2]).all() and np.isfinite(found.value[2])
        assert not found.sigma[:2].any()


def test_a_zero_by_formula_is_not_flushed_for_the_little_that_float64_leaves_of_it():
    x, y = (to(inputs(seed, (300, 40)), "float16") for seed in (0, 1))

    def cancels(x, y):  # one sum from both ends: an order that is given leaves the same bits on every machine
        products = (x / 3.0 * y[:1]).T
        d = reduce(operator.add, products) - reduce(operator.add, products[::-1])
        return {"once": d, "later": d * 1.5 * 1.5 * 1.5 * 1.5}

    found = spread(cancels, (x, y), dtype="float16", seed=0)
    left = (np.abs(found["once"].value) < 1e-12) & (found["once"].value != 0)
    assert left.sum() > 100
    assert 0.9 < np.median((found["later"].sigma / found["once"].sigma)[left]) / 1.5**4 < 1.1


def test_few_bits_leave_choices_open_and_no_pair_of_them_hides_the_other():
    """If both choices flip, their changes cancel: only a draw that flips one of them shows its change."""
    x = to(inputs(shape=(2, 500)) * 1e-3, "bfloat16")

    def differ(x):
        margin = (x + 1.1) * 1.3 - 1.1 * 1.3
        return np.where(margin[0] > 0, 1.0, 0.0) - np.where(margin[1] > 0, 1.0, 0.0)

    found = spread(differ, (x,), dtype="bfloat16", seed=0)[""]
    assert found.undecided == 1000 and (found.jump >= 1).all()
