"""Log-sum-exp: gradients against finite differences, values against SciPy's."""

import numpy as np
import pytest
from scipy import special

from reference.logsumexp import logsumexp, logsumexp_vjp
from suites.logsumexp import OPTIONS, SIZES, inputs
from tests.differences import check_dtype, check_vjp

HOW = ("axis", "keepdims", "signed")


def drawn(name, **more):
    option = OPTIONS[name]
    data = inputs(np.random.default_rng(1), **SIZES["small"], **option, **more)[1]
    return data, {key: value for key, value in option.items() if key in HOW}


@pytest.mark.parametrize("name", OPTIONS)
def test_the_gradient_is_that_of_finite_differences(name):
    data, how = drawn(name)
    signed = how.get("signed")

    def value(**given):  # the sign has no slope
        return logsumexp(**given, **how)["y"] if signed else logsumexp(**given, **how)

    def slope(dy, **given):
        return logsumexp_vjp({"y": dy} if signed else dy, **given, **how)

    check_vjp(value, slope, data, rng=np.random.default_rng(2), rtol=1e-8)
    check_dtype(logsumexp, logsumexp_vjp, data, options=how)


@pytest.mark.parametrize("regime", ["typical", "overflow"])
@pytest.mark.parametrize("name", OPTIONS)
def test_it_is_scipys(name, regime):
    data, how = drawn(name, regime=regime)
    b = data.get("b", np.ones_like(data["x"])) * data.get("seen", True)
    call = {"axis": how.get("axis", -1), "keepdims": how.get("keepdims", False)}
    want = special.logsumexp(data["x"], b=b, return_sign=True, **call)
    got = logsumexp(**data, **how)
    for one, other in zip((got["y"], got["s"]) if how.get("signed") else (got,), want, strict=False):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-12)


def test_a_weight_of_zero_has_the_slope_of_its_term():
    x, b = np.array([0.0, 1.0]), np.array([1.0, 0.0])
    assert logsumexp_vjp(1.0, x, b)["b"] == pytest.approx([1, np.e])
    assert logsumexp_vjp(1.0, x, b)["x"] == pytest.approx([1, 0])
    assert logsumexp_vjp(1.0, x, b, np.array([True, False]))["b"] == pytest.approx([1, 0])


def test_an_infinite_sum_has_an_infinite_logarithm_and_no_terms_minus_infinity():
    x = np.array([[np.inf, 1.0], [0.0, -np.inf], [-np.inf, -np.inf]])
    with np.errstate(divide="ignore"):
        assert logsumexp(x).tolist() == [np.inf, 0, -np.inf]
        assert logsumexp(np.zeros((1, 2)), None, np.zeros((1, 2), bool)).tolist() == [-np.inf]


def test_the_sign_of_what_is_not_a_number_is_none():
    found = logsumexp(np.array([[0.0, np.nan], [0.0, 1.0]]), np.array([[1.0, 1.0], [1.0, -1.0]]), signed=True)
    np.testing.assert_array_equal(found["s"], [np.nan, -1])
