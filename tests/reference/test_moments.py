"""Mean and variance: gradients against finite differences, values against NumPy's."""

import numpy as np
import pytest

from reference.moments import moments, moments_vjp
from suites.moments import OPTIONS, SIZES, inputs
from tests.differences import check_dtype, check_vjp

HOW = ("axis", "correction", "keepdims")


def drawn(name):
    data = inputs(np.random.default_rng(1), **SIZES["small"], **OPTIONS[name])[1]
    return data, {key: value for key, value in OPTIONS[name].items() if key in HOW}


@pytest.mark.parametrize("name", OPTIONS)
def test_the_gradient_is_that_of_finite_differences(name):
    data, how = drawn(name)
    check_vjp(moments, moments_vjp, data, fixed=("w",), options=how, rng=np.random.default_rng(2), rtol=1e-8)
    check_dtype(moments, moments_vjp, data, options=how)


@pytest.mark.parametrize("name", OPTIONS)
def test_it_is_numpys(name):
    data, how = drawn(name)
    got = moments(**data, **how)
    axis, keep, x = how.get("axis", -1), how.get("keepdims", False), data["x"]
    if "w" in data:
        mean = np.average(x, axis, data["w"], keepdims=True)
        mean, variance = mean, np.average((x - mean) ** 2, axis, data["w"], keepdims=keep)
        mean = mean if keep else mean.squeeze(axis)
    else:
        where = {"where": data["seen"]} if "seen" in data else {}
        mean = np.mean(x, axis, keepdims=keep, **where)
        variance = np.var(x, axis, ddof=how.get("correction", 0), keepdims=keep, **where)
    np.testing.assert_allclose(got["mean"], mean, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(got["variance"], variance, rtol=1e-12)


def test_what_is_left_out_may_be_no_number():
    x, seen = np.array([1.0, np.nan, 3.0, np.inf]), np.array([True, False, True, False])
    assert moments(x, seen=seen) == {"mean": 2, "variance": 1}
    slopes = moments_vjp({"mean": np.array(2.0), "variance": np.array(1.0)}, x, seen=seen)["x"]
    assert slopes.tolist() == [0, 0, 2, 0]
