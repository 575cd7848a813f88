"""The losses: gradients against finite differences, values against loops of plain Python floats."""

from math import exp, log, log1p

import numpy as np
import pytest

from reference import loss
from tests.differences import check_dtype, check_vjp

n, c = 7, 5
REDUCTIONS = ("mean", "sum", "none")


def draw(rng, name):
    z = 3 * rng.normal(size=(n, c))
    w = rng.uniform(0.5, 2, size=c)
    if name == "sparse_cross_entropy":
        return {"z": z, "y": rng.integers(0, c, size=n), "w": w}
    if name == "cross_entropy":
        return {"z": z, "y": rng.dirichlet(np.ones(c), size=n), "w": w}
    if name == "binary_cross_entropy":
        return {"z": z, "y": rng.uniform(size=(n, c)), "w": w}
    return {"p": z, "y": rng.normal(size=(n, c))}


FUNCTIONS = ("mean_squared_error", "binary_cross_entropy", "cross_entropy", "sparse_cross_entropy")
OPTIONS = [
    (name, {"reduction": reduction} | smoothing, weighted)
    for name in FUNCTIONS
    for reduction in REDUCTIONS
    for smoothing in ([{}] if name == "mean_squared_error" else [{}, {"smoothing": 0.1}])
    for weighted in ([False] if name == "mean_squared_error" else [False, True])
] + [
    ("sparse_cross_entropy", {"reduction": "weighted mean"} | smoothing, True)
    for smoothing in ({}, {"smoothing": 0.1})
]


@pytest.mark.parametrize(("name", "option", "weighted"), OPTIONS, ids=str)
def test_the_gradient_is_that_of_finite_differences(name, option, weighted):
    rng = np.random.default_rng(1)
    inputs = draw(rng, name)
    if not weighted:
        inputs.pop("w", None)
    f, f_vjp = getattr(loss, name), getattr(loss, name + "_vjp")
    check_vjp(f, f_vjp, inputs, fixed=("y", "w"), options=option, rng=rng)
    check_dtype(f, f_vjp, inputs, options=option)


def reduce(elements, reduction, weights=None):
    if reduction == "none":
        return np.array(elements)
    total = sum(np.ravel(elements))
    return total / {"sum": 1, "mean": np.size(elements), "weighted mean": weights}[reduction]


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_squared_error_is_the_loop(reduction):
    a = draw(np.random.default_rng(2), "mean_squared_error")
    elements = [(a["p"][i, j] - a["y"][i, j]) ** 2 for i, j in np.ndindex(n, c)]
    elements = np.reshape(elements, (n, c))
    got = loss.mean_squared_error(**a, reduction=reduction)
    np.testing.assert_allclose(got, reduce(elements, reduction), rtol=1e-14)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_binary_cross_entropy_is_the_loop_over_probabilities(reduction, smoothing):
    a = draw(np.random.default_rng(3), "binary_cross_entropy")
    elements = np.empty((n, c))
    for i, j in np.ndindex(n, c):
        t = a["y"][i, j] * (1 - smoothing) + smoothing / 2
        p = 1 / (1 + exp(-a["z"][i, j]))
        elements[i, j] = -a["w"][j] * t * log(p) - (1 - t) * log(1 - p)
    got = loss.binary_cross_entropy(**a, smoothing=smoothing, reduction=reduction)
    np.testing.assert_allclose(got, reduce(elements, reduction), rtol=1e-12)


@pytest.mark.parametrize("reduction", [*REDUCTIONS, "weighted mean"])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_cross_entropies_are_the_loop_over_probabilities(reduction, smoothing):
    a = draw(np.random.default_rng(4), "sparse_cross_entropy")
    elements = []
    for z, y in zip(a["z"], a["y"], strict=True):
        p = [exp(k) / sum(map(exp, z)) for k in z]
        t = [(1 - smoothing) * (k == y) + smoothing / c for k in range(c)]
        elements.append(-sum(w * s * log(q) for w, s, q in zip(a["w"], t, p, strict=True)))
    should_be = reduce(elements, reduction, sum(a["w"][y] for y in a["y"]))
    got = loss.sparse_cross_entropy(**a, smoothing=smoothing, reduction=reduction)
    np.testing.assert_allclose(got, should_be, rtol=1e-13)
    if reduction != "weighted mean":
        a["y"] = np.eye(c)[a["y"]]
        got = loss.cross_entropy(**a, smoothing=smoothing, reduction=reduction)
        np.testing.assert_allclose(got, should_be, rtol=1e-13)


@pytest.mark.parametrize("z", [-1000.0, -40.0, 40.0, 1000.0])
def test_saturated_logits_neither_overflow_nor_cancel(z):
    logits = np.array([z])
    for y in (0.0, 1.0):
        got = loss.binary_cross_entropy(logits, np.array([y]))
        right = (z > 0) == (y == 1)
        np.testing.assert_allclose(got, log1p(exp(-abs(z))) if right else abs(z), rtol=1e-15)
    got = loss.sparse_cross_entropy(np.array([[0.0, z]]), np.array([0]))
    np.testing.assert_allclose(got, max(z, 0.0) + log1p(exp(-abs(z))), rtol=1e-15)


@pytest.mark.parametrize("z", [0.5, 17.0, 38.0, 100.0, 700.0])
def test_slopes_of_right_and_certain_predictions_do_not_cancel(z):
    """p − 1 of the target is −1/(1 + e^z), for each loss from logits."""
    slope, logits = -exp(-z) / (1 + exp(-z)), np.array([[z, 0.0]])
    one, first, both = np.ones(()), np.array([[1.0, 0.0]]), np.array([slope, -slope])
    binary = [
        loss.binary_cross_entropy_vjp(one, np.array([[sign * z]]), np.array([[y]]))["z"]
        for sign, y in ((1, 1.0), (-1, 0.0))
    ]
    np.testing.assert_allclose(np.ravel(binary), both, rtol=1e-15)
    np.testing.assert_allclose(loss.cross_entropy_vjp(one, logits, first)["z"][0], both, rtol=1e-15)
    sparse = loss.sparse_cross_entropy_vjp(one, logits, np.array([0]))["z"][0]
    np.testing.assert_allclose(sparse, both, rtol=1e-15)
