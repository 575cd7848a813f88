"""The activations: gradients against finite differences, values against mpmath."""

import mpmath
import numpy as np
import pytest

from reference.activation import ACTIVATIONS
from tests.differences import check_dtype, check_vjp


def argument(x):
    """That of the tanh in a GELU, and its slope."""
    a, k = mpmath.sqrt(2 / mpmath.pi), mpmath.mpf("0.044715")
    return a * (x + k * x**3), a * (1 + 3 * k * x**2)


def one_plus_tanh(x):
    return 2 / (1 + mpmath.exp(-2 * argument(x)[0]))


ELEMENTWISE = {
    "identity": (lambda x: x, lambda x: mpmath.mpf(1)),
    "sigmoid": (
        lambda x: 1 / (1 + mpmath.exp(-x)),
        lambda x: 1 / ((1 + mpmath.exp(-x)) * (1 + mpmath.exp(x))),
    ),
    "tanh": (mpmath.tanh, lambda x: 1 / mpmath.cosh(x) ** 2),
    "relu": (lambda x: max(x, mpmath.mpf(0)), lambda x: mpmath.mpf(x > 0)),
    "gelu": (
        lambda x: x * mpmath.ncdf(x),
        lambda x: mpmath.ncdf(x) + x * mpmath.npdf(x),
    ),
    "gelu-tanh": (
        lambda x: x / 2 * one_plus_tanh(x),
        lambda x: one_plus_tanh(x) / 2 + x / 2 / mpmath.cosh(argument(x)[0]) ** 2 * argument(x)[1],
    ),
}


# the identity returns its argument, which the differences move in place
@pytest.mark.parametrize("name", sorted(set(ACTIVATIONS) - {"identity"}))
@pytest.mark.parametrize("shape", [(7, 5), (3, 1), (2, 3, 4)], ids=str)
def test_the_gradient_is_that_of_finite_differences(name, shape):
    rng = np.random.default_rng(1)
    x = {"x": 2 * rng.normal(size=shape)}
    # SciPy's erfc has no longdouble; the samples of mpmath below make up for it
    extended = {} if name != "gelu" else {"dtype": np.float64, "rtol": 1e-6}
    check_vjp(*ACTIVATIONS[name], x, rng=rng, **extended)
    check_dtype(*ACTIVATIONS[name], x)


TAILS = [-100.0, -37.0, -30.0, -12.0, -9.0, 1e-8, -1e-8, 9.0, 12.0, 30.0, 37.0, 100.0]


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_values_and_slopes_are_those_of_extended_precision_in_the_tails_too(name):
    """The error is a few roundings, or what one rounding of x and of its cube does to the result."""
    f, f_vjp = ACTIVATIONS[name]
    x = np.concatenate([np.linspace(-5, 8, 27), TAILS])
    x = x[x != 0]
    with mpmath.workdps(50):
        value, slope = ([float(g(mpmath.mpf(a))) for a in x] for g in ELEMENTWISE[name])
    power = {"gelu": x * x, "gelu-tanh": abs(x) + abs(x) ** 3}.get(name, abs(x))
    for got, should_be in ((f(x), value), (f_vjp(np.ones_like(x), x)["x"], slope)):
        error = abs(got - should_be) / np.maximum(np.abs(should_be), 1e-290)
        assert (error <= 4e-16 * (4 + 2 * power)).all()


@pytest.mark.parametrize("name", ["softmax", "log-softmax"])
@pytest.mark.parametrize("gap", [0.0, 1.0, 17.0, 38.0, 300.0])
def test_softmaxes_and_their_gradients_do_not_cancel_near_one(name, gap):
    """Also where all but one probability are below the rounding of that one."""
    x, dy = np.array([gap, 0.5, -1.0, 0.25]), np.array([0.7, -1.3, 0.4, 2.1])
    f, f_vjp = ACTIVATIONS[name]
    with mpmath.workdps(400):
        e = [mpmath.exp(a) for a in x]
        p = [a / sum(e) for a in e]
        inner = sum(mpmath.mpf(a) * b for a, b in zip(dy, p, strict=True))
        value = {"softmax": p, "log-softmax": [mpmath.log(a) for a in p]}[name]
        slope = {
            "softmax": [b * (mpmath.mpf(a) - inner) for a, b in zip(dy, p, strict=True)],
            "log-softmax": [a - b * sum(map(mpmath.mpf, dy)) for a, b in zip(dy, p, strict=True)],
        }[name]
        value, slope = [float(a) for a in value], [float(a) for a in slope]
    np.testing.assert_allclose(f(x[None])[0], value, rtol=1e-15)
    np.testing.assert_allclose(f_vjp(dy[None], x[None])["x"][0], slope, rtol=3e-15)


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
