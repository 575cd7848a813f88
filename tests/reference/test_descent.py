"""Gradient descent against finite differences, loops over examples, and the closed form it must reach."""

from itertools import pairwise

import numpy as np
import pytest

from reference.descent import (
    OBJECTIVES,
    batch_gradient_descent,
    gradient_descent,
    minibatches,
    per_example_gradients,
    start,
    trajectory,
    value_and_gradient,
)
from reference.linear import normal_equations
from tests.differences import cast, check_vjp

STEPS = (gradient_descent, batch_gradient_descent)


@pytest.fixture
def rng():
    return np.random.default_rng(10)


def sample(rng, m=7, d=3, k=2):
    theta = {"W": rng.normal(size=(d, k)), "b": rng.normal(size=k)}
    return theta, {"x": rng.normal(size=(m, d)), "y": (rng.uniform(size=(m, k)) < 0.5).astype(float)}


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_the_gradient_is_that_of_finite_differences(rng, objective):
    theta, batch = sample(rng)
    check_vjp(
        lambda W, b: value_and_gradient({"W": W, "b": b}, **cast(batch, W.dtype), objective=objective)[0],
        lambda dy, W, b: {
            name: dy * g
            for name, g in value_and_gradient({"W": W, "b": b}, **cast(batch, W.dtype), objective=objective)[
                1
            ].items()
        },
        theta,
        rng=rng,
    )


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_the_gradient_of_an_example_is_that_of_a_batch_of_one(rng, objective):
    theta, batch = sample(rng)
    each = per_example_gradients(theta, **batch, objective=objective)
    for i in range(7):
        alone = {name: value[i : i + 1] for name, value in batch.items()}
        _, g = value_and_gradient(theta, **alone, objective=objective)
        for name in theta:
            np.testing.assert_allclose(each[name][i], g[name], rtol=1e-13)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("objective", OBJECTIVES)
def test_a_step_subtracts_the_learning_rate_times_the_mean_gradient_of_the_examples(rng, step, objective):
    theta, batch = sample(rng)
    each = per_example_gradients(theta, **batch, objective=objective)
    moved, state, loss = step(theta, start(theta), **batch, lr=0.3, objective=objective)
    for name in theta:
        mean = sum(each[name][i] for i in range(7)) / 7
        np.testing.assert_allclose(moved[name], theta[name] - 0.3 * mean, rtol=1e-13)
    assert state == {}
    assert loss == OBJECTIVES[objective][0](**batch, **theta)


@pytest.mark.parametrize("step", STEPS)
def test_descent_reaches_the_closed_form(rng, step):
    theta, batch = sample(rng, m=40)
    thetas, losses = trajectory(step, theta, start(theta), [batch] * 400, lr=0.2)
    best = normal_equations(**batch)
    for name in theta:
        np.testing.assert_allclose(thetas[-1][name], best[name], rtol=1e-9)
    assert len(thetas) == len(losses) + 1 == 401
    assert losses[0] == OBJECTIVES["least_squares"][0](**batch, **theta) > losses[-1] > 0
    assert all(later <= sooner * (1 + 1e-12) for sooner, later in pairwise(losses))


def test_minibatches_take_the_rows_in_the_given_order_and_leave_out_what_does_not_fill_one(rng):
    a, order = np.arange(14).reshape(7, 2), np.array([6, 0, 3, 1, 2, 5, 4])
    got = minibatches(a, order, size=3)
    assert got[:, :, 0].tolist() == [[12, 0, 6], [2, 4, 10]]
    assert got.shape == (2, 3, 2)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("objective", OBJECTIVES)
def test_a_step_keeps_float32(rng, step, objective):
    theta, batch = sample(rng)
    moved, _, loss = step(cast(theta, np.float32), {}, **cast(batch, np.float32), objective=objective)
    assert {loss.dtype, *(leaf.dtype for leaf in moved.values())} == {np.dtype(np.float32)}
