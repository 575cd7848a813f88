"""Norms of whole numbers: those of the same floats, and finite differences of the weights."""

import numpy as np
import pytest

from reference.normalization import layer_norm
from reference.whole_norm import whole_norm, whole_norm_vjp
from suites.whole_norm import OPTIONS, inputs
from tests.differences import check_dtype, check_vjp


@pytest.mark.parametrize("option", OPTIONS.values(), ids=OPTIONS)
def test_the_gradient_of_the_weights_is_that_of_finite_differences(option):
    weights, data = inputs(np.random.default_rng(1), batch=3, time=5, width=8, **option)
    check_vjp(whole_norm, whole_norm_vjp, weights | data, options=option, rng=np.random.default_rng(2))
    check_dtype(whole_norm, whole_norm_vjp, weights | data, options=option)


def test_it_is_the_norm_of_the_same_floats():
    weights, data = inputs(np.random.default_rng(3), batch=3, time=5, width=8)
    want = layer_norm(1.0 * data["x"], **weights)
    np.testing.assert_allclose(whole_norm(**data, **weights), want, rtol=1e-14)
