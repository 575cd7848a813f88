"""The triplet loss: gradients against finite differences, values against NumPy's norms."""

import numpy as np
import pytest

from reference.triplet import triplet, triplet_vjp
from tests.differences import check_dtype, check_vjp


def draw(seed=1):
    rng = np.random.default_rng(seed)
    return {name: rng.normal(size=(9, 4)) for name in "apn"}


@pytest.mark.parametrize("degree", [1, 2, 3])
@pytest.mark.parametrize("option", [{}, {"swap": True}, {"inside": True, "eps": 1e-2}, {"margin": 0.1}])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_the_gradient_is_that_of_finite_differences(degree, option, reduction):
    options = option | {"degree": degree, "reduction": reduction}
    check_vjp(triplet, triplet_vjp, draw(), options=options, rng=np.random.default_rng(2), rtol=1e-8)
    check_dtype(triplet, triplet_vjp, draw(), options=options)


@pytest.mark.parametrize("degree", [1, 2, 3])
@pytest.mark.parametrize("swap", [False, True])
def test_the_loss_is_the_difference_of_two_norms_and_the_margin(degree, swap):
    x = draw()

    def norm(u, v):
        return np.linalg.norm(x[u] - x[v] + 1e-3, ord=degree, axis=-1)

    away = np.minimum(norm("a", "n"), norm("p", "n")) if swap else norm("a", "n")
    should_be = np.maximum(norm("a", "p") - away + 0.5, 0)
    got = triplet(**x, degree=degree, swap=swap, margin=0.5, eps=1e-3, reduction="none")
    np.testing.assert_allclose(got, should_be, rtol=1e-13)
    assert 0 < np.count_nonzero(got) < got.size


def test_epsilon_stands_in_every_difference_or_below_the_root():
    zero = np.zeros((1, 4))
    far = np.full((1, 4), 10.0)
    got = [triplet(zero, zero, far, margin=30.0, eps=0.01, inside=inside) for inside in (False, True)]
    np.testing.assert_allclose(got[0], 0.02 + 30 - 2 * 9.99, rtol=1e-13)
    np.testing.assert_allclose(got[1], 0.1 + 30 - np.sqrt(400.01), rtol=1e-13)


def test_a_triplet_beyond_the_margin_costs_nothing_and_has_no_gradient():
    a = np.zeros((1, 3))
    loss = triplet(a, a, a + 5, margin=1.0)
    assert loss == 0
    assert all(not g.any() for g in triplet_vjp(np.ones(()), a, a, a + 5, margin=1.0).values())
