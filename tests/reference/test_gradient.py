"""Accumulated gradients are those of the whole batch; clipped ones are as long as the norm says."""

import numpy as np
import pytest

from reference.descent import value_and_gradient
from reference.gradient import accumulate, clip_by_column_norm, clip_by_global_norm, clip_by_value


@pytest.fixture
def rng():
    return np.random.default_rng(12)


def draw(rng, k=3, m=4, d=2, o=2, dtype=float):
    theta = {"W": rng.normal(size=(d, o)).astype(dtype), "b": rng.normal(size=o).astype(dtype)}
    return theta, rng.normal(size=(k, m, d)).astype(dtype), rng.normal(size=(k, m, o)).astype(dtype)


def norm(g):
    return np.sqrt(sum((leaf**2).sum() for leaf in g.values()))


def test_micro_batches_of_one_size_have_the_gradient_of_the_whole_batch(rng):
    theta, x, y = draw(rng)
    loss, g = accumulate(theta, x, y)
    whole, should_be = value_and_gradient(theta, np.concatenate(x), np.concatenate(y))
    np.testing.assert_allclose(loss, whole, rtol=1e-14)
    for name in theta:
        np.testing.assert_allclose(g[name], should_be[name], rtol=1e-13)


def test_their_total_is_the_sum_over_the_batches(rng):
    theta, x, y = draw(rng)
    loss, g = accumulate(theta, x, y, total=True)
    parts = [value_and_gradient(theta, *batch) for batch in zip(x, y, strict=True)]
    np.testing.assert_allclose(loss, sum(part[0] for part in parts), rtol=1e-14)
    for name in theta:
        np.testing.assert_allclose(g[name], sum(part[1][name] for part in parts), rtol=1e-13)


def test_values_beyond_the_bound_take_it(rng):
    got = clip_by_value({"W": np.array([-3.0, -0.5, 0.0, 0.5, 0.6])}, most=0.5)
    assert np.array_equal(got["W"], [-0.5, -0.5, 0, 0.5, 0.5])


@pytest.mark.parametrize("eps", [0.0, 1e-2])
def test_a_longer_gradient_is_as_long_as_the_bound_and_keeps_its_direction(rng, eps):
    g = {"W": np.array([[3.0, 0.0]]), "b": np.array([4.0])}
    got = clip_by_global_norm(g, most=2.0, eps=eps)
    np.testing.assert_allclose(norm(got), 2 * 5 / (5 + eps), rtol=1e-14)
    np.testing.assert_allclose(got["b"] / got["W"][0, 0], [4 / 3], rtol=1e-14)


@pytest.mark.parametrize("option", [{}, {"each": True}, {"infinity": True}])
def test_a_shorter_gradient_stays_as_it_is(rng, option):
    g, _, _ = draw(rng)
    got = clip_by_global_norm(g, most=100.0, **option)
    assert all(np.array_equal(got[name], g[name]) for name in g)


def test_each_tensor_may_have_a_norm_of_its_own():
    g = {"W": np.array([[3.0, 4.0]]), "b": np.array([0.5])}
    got = clip_by_global_norm(g, most=1.0, each=True)
    np.testing.assert_allclose(got["W"], [[0.6, 0.8]], rtol=1e-15)
    assert got["b"] == 0.5


def test_each_column_may_have_a_norm_of_its_own():
    g = {"W": np.array([[3.0, 0.3], [4.0, 0.4]]), "b": np.array([6.0, 8.0])}
    got = clip_by_column_norm(g, most=1.0)
    np.testing.assert_allclose(got["W"], [[0.6, 0.3], [0.8, 0.4]], rtol=1e-15)
    np.testing.assert_allclose(got["b"], [0.6, 0.8], rtol=1e-15)


@pytest.mark.parametrize("size", [1e-200, 1e200])
def test_the_norm_of_a_column_has_no_square_out_of_range(size):
    g = {"W": np.array([[3 * size, 0.3 * size], [4 * size, 0.4 * size]])}
    got = clip_by_column_norm(g, most=size)
    np.testing.assert_allclose(got["W"], [[0.6 * size, 0.3 * size], [0.8 * size, 0.4 * size]], rtol=1e-15)


def test_the_infinity_norm_is_the_largest_size():
    g = {"W": np.array([[3.0, -8.0]]), "b": np.array([2.0])}
    got = clip_by_global_norm(g, most=2.0, infinity=True)
    assert np.array_equal(got["W"], [[0.75, -2.0]]) and np.array_equal(got["b"], [0.5])


def test_gradients_keep_float32(rng):
    theta, x, y = draw(rng, dtype=np.float32)
    for total in (False, True):
        loss, g = accumulate(theta, x, y, total=total)
        assert loss.dtype == np.float32
    for got in (g, clip_by_value(g, most=0.1), clip_by_global_norm(g, most=0.1, eps=1e-6)):
        assert {leaf.dtype for leaf in got.values()} == {np.dtype(np.float32)}
    got = clip_by_global_norm(g, most=0.1, infinity=True) | {"c": clip_by_column_norm(g, most=0.1)["W"]}
    assert {leaf.dtype for leaf in got.values()} == {np.dtype(np.float32)}
