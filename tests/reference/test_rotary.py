"""Rotary positions: angles against mpmath, relative positions, pairs of both kinds, and the gradient."""

import mpmath
import numpy as np
import pytest

from reference.rotary import rotary, rotary_vjp
from suites.rotary import OPTIONS, inputs
from tests.differences import check_dtype, check_vjp

SIZE = {"batch": 2, "heads": 3, "time": 5, "width": 8}


@pytest.mark.parametrize("position", [0, 1, 4095, 131_071, 2**31 - 1])
@pytest.mark.parametrize("base", [10000.0, 500000.0])
def test_an_angle_loses_no_digit_at_any_position(position, base):
    x = np.array([[[[1.0, 1, 1, 1, 0, 0, 0, 0]]]])  # halves: each pair is (1, 0)
    y = rotary(x, np.array([[position]]), base=base)[0, 0, 0]
    with mpmath.workdps(60):
        angles = [position * mpmath.mpf(base) ** (mpmath.mpf(-i) / 4) for i in range(4)]
        want = [float(turn(each)) for turn in (mpmath.cos, mpmath.sin) for each in angles]
    np.testing.assert_allclose(y, want, rtol=0, atol=4e-16)


@pytest.mark.parametrize("name", OPTIONS)
def test_products_depend_on_the_distance_of_positions_alone(name):
    rng = np.random.default_rng(3)
    q, k = rng.normal(size=(2, 1, 1, 1, 16))

    def score(p, s):
        turned = (rotary(x, np.array([[at]]), **OPTIONS[name]) for x, at in ((q, p), (k, s)))
        return np.sum(np.multiply(*turned))

    assert score(7, 3) == pytest.approx(score(1007, 1003), rel=1e-13)
    assert score(7, 3) != pytest.approx(score(8, 3), rel=1e-6)


def test_neighbours_are_halves_in_another_order():
    x, positions = np.random.default_rng(4).normal(size=(2, 3, 5, 8)), np.arange(10).reshape(2, 5)
    order = np.arange(8).reshape(4, 2).T.ravel()  # 0 2 4 6 1 3 5 7
    halves = rotary(x[..., order], positions)
    np.testing.assert_array_equal(rotary(x, positions, halves=False)[..., order], halves)


def test_what_is_behind_the_share_stays():
    x = np.random.default_rng(5).normal(size=(1, 1, 4, 12))
    y = rotary(x, np.array([[0, 1, 2, 3]]), share=0.5)
    np.testing.assert_array_equal(y[..., 6:], x[..., 6:])
    assert (y[:, :, 1:, :6] != x[:, :, 1:, :6]).all() and (y[:, :, 0] == x[:, :, 0]).all()


@pytest.mark.parametrize("name", OPTIONS)
def test_the_gradient_is_that_of_finite_differences(name):
    option = OPTIONS[name]
    data = inputs(np.random.default_rng(1), **SIZE, regime="apart", **option)[1]
    check_vjp(rotary, rotary_vjp, data, options=option, rng=np.random.default_rng(2), rtol=1e-7)
    check_dtype(rotary, rotary_vjp, data, options=option)
