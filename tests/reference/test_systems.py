"""Systems of linear equations: what is solved, and gradients against finite differences."""

import numpy as np
import pytest

from reference.systems import solve, solve_vjp
from suites.linear_system import OPTIONS, SIZES, inputs
from tests.differences import check_dtype, check_vjp


@pytest.mark.parametrize("option", OPTIONS.values(), ids=str)
def test_the_gradient_is_that_of_finite_differences(option):
    data = inputs(np.random.default_rng(1), **SIZES["small"], **option)[1]
    how = {"options": option, "rng": np.random.default_rng(2)}
    check_vjp(solve, solve_vjp, data, dtype=np.float64, rtol=1e-6, **how)
    check_dtype(solve, solve_vjp, data, options=option)


@pytest.mark.parametrize("option", OPTIONS.values(), ids=str)
def test_what_it_gives_solves_the_system(option):
    data = inputs(np.random.default_rng(3), **SIZES["small"], **option)[1]
    A, X = np.swapaxes(data["A"], 1, 2) if option.get("turned") else data["A"], solve(**data, **option)
    np.testing.assert_allclose(X @ A if option.get("right") else A @ X, data["B"], rtol=1e-12, atol=1e-12)
