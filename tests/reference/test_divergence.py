"""The divergences: gradients against finite differences, values against loops of plain Python floats."""

from math import log

import numpy as np
import pytest

from reference import divergence
from tests.differences import check_dtype, check_vjp

n, c = 7, 5
NAMES = ("kl_divergence", "kl_divergence_log_targets", "kl_divergence_floored")
REDUCTIONS = ("batch mean", "mean", "sum", "each", "none")


def draw(seed=1):
    rng = np.random.default_rng(seed)
    q, p = rng.dirichlet(np.full(c, 20.0), size=n), rng.dirichlet(np.ones(c), size=n)
    p[0] = np.eye(c)[2]  # five of its logarithms are none
    return q, p


def arguments(name, q, p):
    if name == "kl_divergence_floored":
        return {"q": q, "p": p}
    if name == "kl_divergence":
        return {"z": np.log(q), "p": p}
    return {"z": np.log(q), "t": np.log(np.maximum(p, 1e-3))}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_the_gradient_is_that_of_finite_differences(name, reduction):
    inputs, option = arguments(name, *draw()), {"reduction": reduction}
    f, f_vjp = getattr(divergence, name), getattr(divergence, name + "_vjp")
    check_vjp(f, f_vjp, inputs, fixed=("p",), options=option, rng=np.random.default_rng(2))
    check_dtype(f, f_vjp, inputs, options=option)


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_the_divergence_is_the_loop_in_which_a_target_of_zero_costs_nothing(reduction):
    q, p = draw()
    each = np.array(
        [[b * log(b / a) if b else 0.0 for a, b in zip(*row, strict=True)] for row in zip(q, p, strict=True)]
    )
    should_be = {
        "batch mean": each.sum() / n,
        "mean": each.sum() / (n * c),
        "sum": each.sum(),
        "each": each.sum(axis=1),
        "none": each,
    }[reduction]
    np.testing.assert_allclose(
        divergence.kl_divergence(np.log(q), p, reduction=reduction), should_be, rtol=1e-13
    )


def test_targets_and_their_logarithms_give_one_divergence():
    q, p = draw()
    a = divergence.kl_divergence(np.log(q[1:]), p[1:])
    b = divergence.kl_divergence_log_targets(np.log(q[1:]), np.log(p[1:]))
    np.testing.assert_allclose(a, b, rtol=1e-13)


def test_a_floor_below_every_probability_changes_nothing():
    q, p = draw()
    a = divergence.kl_divergence(np.log(q[1:]), p[1:], reduction="each")
    np.testing.assert_allclose(
        divergence.kl_divergence_floored(q[1:], p[1:], reduction="each"), a, rtol=1e-13
    )


def test_a_floored_target_of_zero_costs_what_the_floor_says():
    loss = divergence.kl_divergence_floored(
        np.array([[0.25, 0.75]]), np.array([[0.0, 1.0]]), reduction="each"
    )
    np.testing.assert_allclose(loss, [1e-7 * log(1e-7 / 0.25) + log(1 / 0.75)], rtol=1e-14)


def test_a_prediction_below_the_floor_gets_no_gradient_and_one_at_it_does():
    q, p = np.array([[1e-9, 1e-7, 1.0, 1.5]]), np.full((1, 4), 0.25)
    got = divergence.kl_divergence_floored_vjp(np.ones(1), q, p, reduction="each")["q"]
    np.testing.assert_allclose(got, [[0, -0.25 / 1e-7, -0.25, 0]], rtol=1e-14)


def test_a_distribution_diverges_from_itself_by_nothing():
    _, p = draw()
    assert abs(divergence.kl_divergence_floored(p, p, reduction="each")).max() == 0
    assert abs(divergence.kl_divergence(np.log(p[1:]), p[1:], reduction="each")).max() == 0
