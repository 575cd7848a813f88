"""Products of matrices: gradients against finite differences, values against einsum."""

import numpy as np
import pytest

from reference.products import product, product_vjp
from suites.batched_product import OPTIONS, SIZES, inputs
from tests.differences import check_dtype, check_vjp


@pytest.mark.parametrize("name", OPTIONS)
def test_the_gradient_is_that_of_finite_differences(name):
    option = OPTIONS[name]
    data = inputs(np.random.default_rng(1), **SIZES["small"], **option)[1]
    how = {"turned": option.get("turned", "")}
    how |= {name: option[name] for name in ("alpha", "beta") if name in option}
    check_vjp(product, product_vjp, data, options=how, rng=np.random.default_rng(2))
    check_dtype(product, product_vjp, data, options=how)


@pytest.mark.parametrize("name", OPTIONS)
def test_each_element_is_a_sum_over_the_axis_in_common(name):
    option = OPTIONS[name]
    data = inputs(np.random.default_rng(3), **SIZES["small"], **option)[1]
    turned = option.get("turned", "")
    A = "...kn" if "A" in turned else "...nk"
    B = "...mk" if "B" in turned else "...km"
    alpha, beta = (option.get(name, 1.0) for name in ("alpha", "beta"))
    want = alpha * np.einsum(f"{A},{B}->...nm", data["A"], data["B"])
    want = want + beta * data["C"] if "C" in data and beta else want
    got = product(**data, turned=turned, alpha=alpha, beta=beta)
    np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-12)


def test_what_is_added_with_a_factor_of_zero_is_not_read():
    data = inputs(np.random.default_rng(4), **SIZES["small"], added="all")[1]
    plain = product(data["A"], data["B"])
    np.testing.assert_array_equal(product(data["A"], data["B"], np.nan * data["C"], beta=0.0), plain)
