"""Dropout: what is kept is scaled, what its rows tell of it, and finite differences."""

import numpy as np
import pytest

from reference.dropout import dropout, dropout_vjp, dropped_rows, dropped_rows_vjp
from suites.dropout import moments
from tests.differences import check_dtype, check_vjp

OPTIONS = [{"p": 0.3}, {"p": 0.8}, {"p": 0}, {"p": 1}, {"p": 0.5, "training": False}]


def draw(p=0.3, rows=4, n=300, seed=5, **_):
    rng = np.random.default_rng(seed)
    mask = rng.uniform(size=(rows, n)) >= p
    return rng, {"v": np.array([1.0, -2.0, 0.5, 3.0]), "c": rng.uniform(0.5, 2, size=(rows, n)), "mask": mask}


def test_what_is_kept_is_scaled_and_the_rest_is_zero():
    x, mask = np.array([1.0, -3.0, 5.0]), np.array([True, False, True])
    assert dropout(x, mask, p=0.5).tolist() == [2, 0, 10]
    assert dropout(x, mask, p=0.5, training=False).tolist() == [1, -3, 5]
    assert dropout(x, mask, p=1).tolist() == [0, 0, 0]


@pytest.mark.parametrize("option", OPTIONS, ids=str)
def test_the_gradient_is_that_of_finite_differences(option):
    rng, inputs = draw(**option)
    x = {"x": rng.normal(size=inputs["mask"].shape), "mask": inputs["mask"]}
    check_vjp(dropout, dropout_vjp, x, options=option, rng=rng)
    check_dtype(dropout, dropout_vjp, x, options=option)
    check_vjp(dropped_rows, dropped_rows_vjp, inputs, fixed=("c",), options=option, rng=rng)
    check_dtype(dropped_rows, dropped_rows_vjp, inputs, options=option)


@pytest.mark.parametrize("p", [0.1, 0.5, 0.8])
def test_moments_of_what_is_kept_do_not_depend_on_the_mask(p):
    for seed in range(5):
        _, inputs = draw(p, seed=seed)
        found = dropped_rows(**inputs, p=p)
        np.testing.assert_allclose(found["first"], inputs["v"] / (1 - p), rtol=1e-13)
        np.testing.assert_allclose(found["second"], (inputs["v"] / (1 - p)) ** 2, rtol=1e-13)


FAULTS = {
    "unscaled": lambda y, x, mask: y * 0.7,
    "a leak": lambda y, x, mask: np.where(mask, y, 1e-6),
    "one element": lambda y, x, mask: y * np.where(np.arange(y.shape[1]) == np.argmax(mask[0]), 1.001, 1),
    "two that cancel": lambda y, x, mask: y * (1 + 1e-3 * np.random.default_rng(1).normal(size=y.shape)),
    "neighbours": lambda y, x, mask: np.where(mask, np.roll(x, 1, axis=1), 0) / 0.7,
    "half as many dropped": lambda y, x, mask: np.where(mask | (np.arange(y.shape[1]) % 2 == 0), x, 0) / 0.7,
    "nothing dropped": lambda y, x, mask: x / 0.7,
}


@pytest.mark.parametrize("fault", FAULTS)
def test_moments_tell_a_fault(fault):
    _, inputs = draw()
    x = inputs["v"][:, None] * inputs["c"]
    y = dropout(x, inputs["mask"], p=0.3)
    honest = dropped_rows(**inputs, p=0.3)
    for name, value in moments(np, y, inputs["c"], 0.3).items():
        np.testing.assert_allclose(value, honest[name], rtol=1e-13)
    found = moments(np, FAULTS[fault](y, x, inputs["mask"]), inputs["c"], 0.3)
    assert not all(np.allclose(found[name], honest[name], rtol=1e-9) for name in found)


@pytest.mark.parametrize("other", ["another draw", "rolled", "everything"])
def test_a_gradient_by_another_mask_is_told(other):
    rng, inputs = draw(0.5)
    mask, c = inputs["mask"], inputs["c"]
    dy = {"first": rng.normal(size=4), "second": rng.normal(size=4)}
    wrong = {
        "another draw": rng.uniform(size=mask.shape) >= 0.5,
        "rolled": np.roll(mask, 1, axis=1),  # keeps as many in each row
        "everything": np.ones_like(mask),
    }[other]
    kept = c * mask
    y = dropout(inputs["v"][:, None] * c, mask)
    back = (dy["first"] / kept.sum(axis=1))[:, None] + 2 * y * (dy["second"] / (kept**2).sum(axis=1))[:, None]
    honest = dropped_rows_vjp(dy, **inputs)["v"]
    np.testing.assert_allclose(np.sum(dropout(back, mask) * c, axis=1), honest, rtol=1e-12)
    assert (abs(np.sum(dropout(back, wrong) * c, axis=1) / honest - 1) > 1e-5).all()
