"""Logistic regression against finite differences, the naive formula, and its limits at large logits."""

import math
from itertools import pairwise

import mpmath
import numpy as np
import pytest

from reference.descent import gradient_descent, trajectory
from reference.logistic import logistic_loss, logistic_loss_vjp, probability, probability_vjp
from tests.differences import check_dtype, check_vjp


@pytest.fixture
def rng():
    return np.random.default_rng(8)


def sample(rng, rows=9, features=4, outputs=1):
    return {
        "x": rng.normal(size=(rows, features)),
        "W": rng.normal(size=(features, outputs)),
        "b": rng.normal(size=outputs),
    }


def targets(rng, rows=9, outputs=1):
    return (rng.uniform(size=(rows, outputs)) < 0.5).astype(float)


@pytest.mark.parametrize("shape", [(1, 1, 1), (9, 4, 1), (5, 1, 3)])
def test_the_probability_has_the_gradient_of_finite_differences(rng, shape):
    inputs = sample(rng, *shape)
    check_vjp(probability, probability_vjp, inputs, rng=rng)
    check_dtype(probability, probability_vjp, inputs)


@pytest.mark.parametrize("shape", [(1, 1, 1), (9, 4, 1), (5, 1, 3)])
def test_the_loss_has_the_gradient_of_finite_differences(rng, shape):
    inputs = sample(rng, *shape)
    inputs["y"] = targets(rng, shape[0], shape[2])
    check_vjp(logistic_loss, logistic_loss_vjp, inputs, fixed=("y",), rng=rng)
    check_dtype(logistic_loss, logistic_loss_vjp, inputs)


@pytest.mark.parametrize("z", [-100.0, -38.0, 38.0, 100.0])
def test_the_slope_of_a_right_and_certain_prediction_does_not_cancel(z):
    given = {"x": np.array([[z]]), "W": np.array([[1.0]]), "b": np.zeros(1)}
    y = np.array([[float(z > 0)]])
    slope = -math.copysign(math.exp(-abs(z)), z)
    got = logistic_loss_vjp(np.ones(()), y=y, **given)["b"][0]
    assert got == pytest.approx(slope, rel=1e-15, abs=0)


def test_the_probability_is_the_formula_as_printed(rng):
    given = sample(rng)
    for i, row in enumerate(given["x"]):
        z = sum(row[k] * given["W"][k, 0] for k in range(4)) + given["b"][0]
        assert probability(**given)[i, 0] == pytest.approx(1 / (1 + math.exp(-z)), rel=1e-14)


def test_the_loss_is_the_mean_negative_log_likelihood(rng):
    given, y = sample(rng), targets(rng)
    p = probability(**given)
    likelihood = np.where(y == 1, p, 1 - p)
    assert logistic_loss(y=y, **given) == pytest.approx(-np.log(likelihood).mean(), rel=1e-13)


@pytest.mark.parametrize("z", [-800.0, -40.0, -1e-9, 0.0, 17.0, 40.0, 800.0])
@pytest.mark.parametrize("y", [0.0, 1.0])
def test_the_loss_keeps_its_digits_at_any_logit_and_the_gradient_those_of_a_probability(z, y):
    mpmath.mp.dps = 400
    one, weight, bias = np.ones((1, 1)), np.array([[z]]), np.zeros(1)
    target = np.array([[y]])
    p = 1 / (1 + mpmath.exp(-mpmath.mpf(z)))
    loss = -mpmath.log(p if y else 1 - p)
    assert float(logistic_loss(one, target, weight, bias)) == pytest.approx(
        float(loss), rel=4e-16, abs=1e-300
    )
    gradient = logistic_loss_vjp(1.0, one, target, weight, bias)["b"][0]
    assert gradient == pytest.approx(float(p - y), rel=4e-16, abs=2**-52)


def test_training_finds_the_classes_of_separable_data(rng):
    x = rng.normal(size=(60, 2))
    y = (x[:, :1] + x[:, 1:] > 0).astype(float)
    start = {"W": np.zeros((2, 1)), "b": np.zeros(1)}
    thetas, losses = trajectory(
        gradient_descent, start, {}, [{"x": x, "y": y}] * 200, lr=1.0, objective="logistic"
    )
    assert losses[0] == pytest.approx(math.log(2))
    assert all(later < sooner for sooner, later in pairwise(losses))
    assert np.mean((probability(x, **thetas[-1]) > 0.5) == y) > 0.95
