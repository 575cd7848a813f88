"""Linear regression, its loss and its closed form, against finite differences and against loops."""

import mpmath
import numpy as np
import pytest
from sklearn.datasets import load_diabetes
from sklearn.linear_model import LinearRegression

from reference.linear import (
    least_squares,
    least_squares_vjp,
    line,
    line_vjp,
    linear,
    linear_vjp,
    normal_equations,
    normal_equations_vjp,
)
from tests.differences import check_dtype, check_vjp


@pytest.fixture
def rng():
    return np.random.default_rng(7)


def sample(rng, rows=(9,), features=4, outputs=3):
    return {
        "x": rng.normal(size=(*rows, features)),
        "W": rng.normal(size=(features, outputs)),
        "b": rng.normal(size=outputs),
    }


def eliminate(A, R):
    """Gaussian elimination with pivoting, for NumPy's solve has no longdouble."""
    A, R = A.copy(), R.copy()
    for i in range(len(A)):
        pivot = i + int(abs(A[i:, i]).argmax())
        A[[i, pivot]], R[[i, pivot]] = A[[pivot, i]], R[[pivot, i]]
        for j in range(i + 1, len(A)):
            factor = A[j, i] / A[i, i]
            A[j], R[j] = A[j] - factor * A[i], R[j] - factor * R[i]
    B = np.zeros_like(R)
    for i in reversed(range(len(A))):
        B[i] = (R[i] - A[i, i + 1 :] @ B[i + 1 :]) / A[i, i]
    return B


def orthogonalise(A):
    """Gram and Schmidt's factorisation, for NumPy's qr has no longdouble."""
    Q, R = A.copy(), np.zeros_like(A, shape=(A.shape[1], A.shape[1]))
    for k in range(A.shape[1]):
        for j in range(k):
            R[j, k] = Q[:, j] @ Q[:, k]
            Q[:, k] -= R[j, k] * Q[:, j]
        R[k, k] = np.sqrt(Q[:, k] @ Q[:, k])
        Q[:, k] /= R[k, k]
    return Q, R


def test_the_line_has_the_gradient_of_finite_differences(rng):
    inputs = {"x": rng.normal(size=7), "beta0": rng.normal(size=()), "beta1": rng.normal(size=())}
    check_vjp(line, line_vjp, inputs, rng=rng)
    check_dtype(line, line_vjp, inputs)


@pytest.mark.parametrize("rows", [(9,), (1,), (2, 5), ()])
@pytest.mark.parametrize("bias", [True, False])
def test_linear_has_the_gradient_of_finite_differences(rng, rows, bias):
    inputs = sample(rng, rows)
    if not bias:
        del inputs["b"]
    check_vjp(linear, linear_vjp, inputs, rng=rng)
    check_dtype(linear, linear_vjp, inputs)


@pytest.mark.parametrize("shape", [(1, 1), (4, 1), (1, 3), (4, 3)])
def test_the_least_squares_loss_has_the_gradient_of_finite_differences(rng, shape):
    inputs = sample(rng, (9,), *shape)
    inputs["y"] = rng.normal(size=(9, shape[1]))
    check_vjp(least_squares, least_squares_vjp, inputs, fixed=("y",), rng=rng)
    check_dtype(least_squares, least_squares_vjp, inputs)


def test_the_closed_form_has_the_gradient_of_finite_differences(rng, monkeypatch):
    inputs = {"x": rng.normal(size=(11, 3)), "y": rng.normal(size=(11, 2))}
    check_dtype(normal_equations, normal_equations_vjp, inputs)
    monkeypatch.setattr(np.linalg, "solve", eliminate)
    monkeypatch.setattr(np.linalg, "qr", orthogonalise)
    check_vjp(normal_equations, normal_equations_vjp, inputs, rng=rng)


def test_linear_is_a_sum_over_features_for_each_row_and_output(rng):
    given = sample(rng)
    x, W, b = given["x"], given["W"], given["b"]
    y = [[b[j] + sum(x[i, k] * W[k, j] for k in range(4)) for j in range(3)] for i in range(9)]
    np.testing.assert_allclose(linear(**given), y, rtol=1e-14)


def test_the_line_is_linear_with_one_feature(rng):
    x, beta0, beta1 = rng.normal(size=7), rng.normal(), rng.normal()
    same = linear(x[:, None], np.array([[beta1]]), np.array([beta0]))[:, 0]
    np.testing.assert_allclose(line(x, beta0, beta1), same, rtol=1e-15)


def test_the_loss_is_the_mean_over_rows_and_outputs():
    x, W, b = np.array([[1.0], [2.0]]), np.array([[1.0, 0.0]]), np.array([0.0, 1.0])
    y = np.array([[0.0, 1.0], [2.0, 4.0]])  # residuals 1, 0, 0, -3
    assert least_squares(x, y, W, b) == (1 + 9) / 4


def test_the_closed_form_recovers_the_weights_that_made_the_targets(rng):
    given = sample(rng, (50,))
    found = normal_equations(given["x"], linear(**given))
    np.testing.assert_allclose(found["W"], given["W"], rtol=1e-12)
    np.testing.assert_allclose(found["b"], given["b"], rtol=1e-12)


def test_the_closed_form_agrees_with_an_orthogonal_factorisation_on_the_diabetes_set():
    x, y = load_diabetes(return_X_y=True)
    found, known = normal_equations(x, y[:, None]), LinearRegression().fit(x, y)
    np.testing.assert_allclose(found["W"][:, 0], known.coef_, rtol=1e-10)
    np.testing.assert_allclose(found["b"], known.intercept_, rtol=1e-12)


def test_the_closed_form_loses_the_condition_number_and_not_its_square(rng):
    """Two features differ by a millionth. XᵀX in float64 would leave four digits of the weights."""
    x, y = rng.normal(size=(20, 3)), rng.normal(size=(20, 1))
    x[:, 1] = x[:, 0] + 1e-6 * x[:, 1]
    with mpmath.workdps(50):
        X = mpmath.matrix([[1, *row] for row in x.tolist()])
        V = (X.T * X) ** -1
        B = V * X.T * mpmath.matrix(y.tolist())
        v = V * mpmath.matrix([1, 1, 1, 1])
        dX = (mpmath.matrix(y.tolist()) - X * B) * v.T - X * v * B.T
        known = [np.array(m.tolist(), dtype=float) for m in (B, dX, X * v)]
    found = normal_equations(x, y)
    np.testing.assert_allclose(np.concatenate([found["b"][None], found["W"]]), known[0], rtol=1e-8)
    g = normal_equations_vjp({"W": np.ones((3, 1)), "b": np.ones(1)}, x, y)
    for got, right in ((g["x"], known[1][:, 1:]), (g["y"], known[2])):
        assert abs(got - right).max() <= 1e-8 * abs(right).max()


def test_no_step_from_the_closed_form_lowers_the_loss(rng):
    x, y = rng.normal(size=(30, 4)), rng.normal(size=(30, 2))
    best = normal_equations(x, y)
    lowest = least_squares(x, y, **best)
    for name, leaf in best.items():
        for place in np.ndindex(leaf.shape):
            for h in (1e-3, -1e-3):
                moved = {**best, name: leaf.copy()}
                moved[name][place] += h
                assert least_squares(x, y, **moved) > lowest
