"""Huber's loss and the smooth L1: gradients against finite differences, pieces against their own formulas."""

import numpy as np
import pytest

from reference.huber import huber, huber_vjp, smooth_l1, smooth_l1_vjp
from tests.differences import check_dtype, check_vjp

FUNCTIONS = ((huber, huber_vjp, "delta"), (smooth_l1, smooth_l1_vjp, "beta"))


def draw():
    rng = np.random.default_rng(1)
    return {"p": 2 * rng.normal(size=(7, 5)), "y": rng.normal(size=(7, 5))}


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: f[0].__name__)
@pytest.mark.parametrize("bound", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_the_gradient_is_that_of_finite_differences(function, bound, reduction):
    f, f_vjp, name = function
    options = {name: bound, "reduction": reduction}
    check_vjp(f, f_vjp, draw(), options=options, rng=np.random.default_rng(2))
    check_dtype(f, f_vjp, draw(), options=options)


@pytest.mark.parametrize("bound", [0.5, 1.0, 2.0])
def test_each_error_takes_its_own_piece(bound):
    e = bound * np.array([-5.0, -1.0, -0.5, 0.0, 0.25, 1.0, 3.0])
    pieces = np.array([x**2 / 2 if abs(x) <= bound else bound * (abs(x) - bound / 2) for x in e])
    np.testing.assert_allclose(huber(e, 0 * e, delta=bound, reduction="none"), pieces, rtol=1e-15)
    np.testing.assert_allclose(smooth_l1(e, 0 * e, beta=bound, reduction="none"), pieces / bound, rtol=1e-15)


def test_the_slope_ends_at_the_bound():
    e = np.array([-5.0, -2.0, -1.0, 0.0, 1.0, 2.0, 5.0])
    assert np.array_equal(
        huber_vjp(np.ones(7), e, 0 * e, delta=2.0, reduction="none")["p"], [-2, -2, -1, 0, 1, 2, 2]
    )
    assert np.array_equal(
        smooth_l1_vjp(np.ones(7), e, 0 * e, beta=2.0, reduction="none")["p"], [-1, -1, -0.5, 0, 0.5, 1, 1]
    )


def test_without_a_bound_the_smooth_loss_is_the_size_of_the_error():
    e = np.array([-3.0, 0.0, 2.0])
    assert np.array_equal(smooth_l1(e, 0 * e, beta=0.0, reduction="none"), [3, 0, 2])
    assert np.array_equal(smooth_l1_vjp(np.ones(3), e, 0 * e, beta=0.0, reduction="none")["p"], [-1, 0, 1])
