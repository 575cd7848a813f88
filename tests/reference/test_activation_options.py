"""Softmax over an axis and the bounded ReLU: gradients against finite differences, values by hand."""

import numpy as np
import pytest

from reference import activation_options
from reference.activation_options import bounded_relu, bounded_relu_vjp
from suites.activation_options import OPTIONS, RELUS, SIZES, inputs, relu_inputs
from tests.differences import check_dtype, check_vjp


@pytest.mark.parametrize("option", OPTIONS.values(), ids=str)
@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_the_gradient_of_a_softmax_is_that_of_finite_differences(name, option):
    f, f_vjp = (getattr(activation_options, f"axis_{name}{end}") for end in ("", "_vjp"))
    data = inputs(np.random.default_rng(1), **SIZES["small"], **option)[1]
    how = {"axis": option.get("axis", -1)}
    seen = data.get("seen", True)

    def value(**given):  # what is −∞ has no difference
        return np.where(seen, f(**given, **how), 0)

    check_vjp(value, lambda dy, **given: f_vjp(dy, **given, **how), data, rng=np.random.default_rng(2))
    check_dtype(f, f_vjp, data, options=how)


@pytest.mark.parametrize("option", OPTIONS.values(), ids=str)
def test_a_softmax_sums_to_one_over_its_axis_and_is_the_power_of_its_logarithm(option):
    data = inputs(np.random.default_rng(3), **SIZES["small"], **option)[1]
    axis, seen = option.get("axis", -1), data.get("seen", np.ones_like(data["x"], bool))
    y = activation_options.axis_softmax(**data, axis=axis)
    np.testing.assert_allclose(y.sum(axis=axis), 1, rtol=1e-13)
    e = np.exp(data["x"]) * seen
    np.testing.assert_allclose(y, e / e.sum(axis=axis, keepdims=True), rtol=1e-12)
    np.testing.assert_allclose(np.exp(activation_options.axis_log_softmax(**data, axis=axis)), y, rtol=1e-12)


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")  # of −∞ and NaN on the way
def test_what_is_not_seen_is_zero_beside_a_nan_and_where_nothing_is_seen():
    x = np.array([[1.0, np.nan, 2.0], [1.0, 2.0, 3.0]])
    seen = np.array([[True, True, False], [False, False, False]])
    y, log = activation_options.axis_softmax(x, seen), activation_options.axis_log_softmax(x, seen)
    assert not y[~seen].any()
    assert (log[~seen] == -np.inf).all()
    assert np.isnan(y[seen]).all()


@pytest.mark.parametrize("option", RELUS.values(), ids=str)
def test_the_gradient_of_a_relu_is_that_of_finite_differences(option):
    data = relu_inputs(np.random.default_rng(4), **SIZES["small"])[1]
    check_vjp(bounded_relu, bounded_relu_vjp, data, options=option, rng=np.random.default_rng(5))
    check_dtype(bounded_relu, bounded_relu_vjp, data, options=option)


def test_each_piece_of_a_relu():
    x = np.array([-2.0, 0.0, 0.5, 1.0, 3.0])
    got = bounded_relu(x, slope=0.25, bound=1.5, threshold=0.5)
    np.testing.assert_array_equal(got, [-0.625, -0.125, 0.5, 1.0, 1.5])
