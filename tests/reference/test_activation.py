"""The activations: gradients against finite differences, values against mpmath."""

import mpmath
import numpy as np
import pytest

from reference.activation import ACTIVATIONS
from tests.differences import check_dtype, check_vjp

ELEMENTWISE = {
    "identity": lambda x: x,
    "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)),
    "tanh": mpmath.tanh,
    "relu": lambda x: x if x > 0 else mpmath.mpf(0),
    "gelu": lambda x: x * mpmath.ncdf(x),
    "gelu-tanh": lambda x: (
        x / 2 * (1 + mpmath.tanh(mpmath.sqrt(2 / mpmath.pi) * (x + mpmath.mpf("0.044715") * x**3)))
    ),
}


# the identity returns its argument, which the differences move in place
@pytest.mark.parametrize("name", sorted(set(ACTIVATIONS) - {"identity"}))
@pytest.mark.parametrize("shape", [(7, 5), (3, 1), (2, 3, 4)], ids=str)
def test_the_gradient_is_that_of_finite_differences(name, shape):
    rng = np.random.default_rng(1)
    x = {"x": 2 * rng.normal(size=shape)}
    # SciPy's erf has no longdouble; the samples of mpmath below make up for it
    extended = {} if name != "gelu" else {"dtype": np.float64, "rtol": 1e-6}
    check_vjp(*ACTIVATIONS[name], x, rng=rng, **extended)
    check_dtype(*ACTIVATIONS[name], x)


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_values_and_slopes_are_those_of_extended_precision(name):
    f, f_vjp = ACTIVATIONS[name]
    x = np.concatenate([np.linspace(-5, 8, 27), [1e-8, -1e-8, 30.0]])
    x = x[x != 0]
    with mpmath.workdps(50):
        value = [float(ELEMENTWISE[name](mpmath.mpf(a))) for a in x]
        slope = [float(mpmath.diff(ELEMENTWISE[name], mpmath.mpf(a))) for a in x]
    # 1 + erf and 1 - s cancel by design: their rounding is one of the size of 1
    np.testing.assert_allclose(f(x), value, rtol=1e-14, atol=1e-15)
    np.testing.assert_allclose(f_vjp(np.ones_like(x), x)["x"], slope, rtol=1e-14, atol=4e-15)


def test_relu_has_no_slope_at_zero():
    relu, relu_vjp = ACTIVATIONS["relu"]
    x = np.array([-1.0, -0.0, 0.0, 1.0])
    assert relu(x).tolist() == [0, 0, 0, 1]
    assert relu_vjp(np.ones(4), x)["x"].tolist() == [0, 0, 0, 1]


def test_softmax_is_the_quotient_of_exponentials():
    x = np.random.default_rng(2).normal(size=(3, 4))
    should_be = [[np.exp(a) / sum(np.exp(row)) for a in row] for row in x]
    np.testing.assert_allclose(ACTIVATIONS["softmax"][0](x), should_be, rtol=1e-14)
    np.testing.assert_allclose(ACTIVATIONS["log-softmax"][0](x), np.log(should_be), rtol=1e-13)


@pytest.mark.parametrize("shift", [-1e4, 1e4])
def test_softmaxes_of_large_logits_do_not_overflow(shift):
    x = np.array([[0.0, 1.0, 3.0]])
    for name in ("softmax", "log-softmax"):
        f, f_vjp = ACTIVATIONS[name]
        assert np.array_equal(f(x + shift), f(x))
        dy = np.array([[1.0, 2.0, -1.0]])
        assert np.array_equal(f_vjp(dy, x + shift)["x"], f_vjp(dy, x)["x"])


@pytest.mark.parametrize("x", [-1000.0, 1000.0])
def test_saturated_activations_are_finite(x):
    with np.errstate(all="raise", under="ignore"):
        for f, f_vjp in ACTIVATIONS.values():
            assert np.isfinite(f(np.array([x]))).all()
            assert np.isfinite(f_vjp(np.array([1.0]), np.array([x]))["x"]).all()
