"""What a cell is compared with, where no rounding changes the value."""

import numpy as np
import pytest

from bench.noise import precision
from bench.tolerance.limit import fixed_by_formula, limit_of, nearest
from bench.tolerance.spread import Expected
from bench.tree import numpy_dtype


@pytest.mark.parametrize("dtype", ["float64", "float32", "bfloat16", "float16"])
def test_a_fixed_value_is_the_nearest_number_of_the_dtype_subnormal_ones_too(dtype):
    rng, kind = np.random.default_rng(0), precision(dtype)
    usual = rng.normal(size=400)
    small = kind.tiny * rng.uniform(-1, 1, size=400) * 2.0 ** rng.integers(-12, 1, size=400)
    value = np.concatenate([usual, small, [0.0, -0.0, kind.tiny, np.inf, np.nan]])
    one = Expected(value, *(np.zeros_like(value) for _ in range(3)))
    found = nearest(one, fixed_by_formula(one), dtype)
    np.testing.assert_array_equal(found, value.astype(numpy_dtype(dtype)).astype(np.float64))


def test_a_value_that_rounding_changes_keeps_all_bits():
    value, sigma = np.array([0.1, 1e-40, 0.5]), np.array([1e-50, 1e-50, 0])
    one = Expected(value, sigma, sigma, np.zeros(3))
    np.testing.assert_array_equal(nearest(one, fixed_by_formula(one), "float32"), value)


def test_the_other_way_of_a_choice_is_rounded_too():
    zero = np.zeros(2)
    one = Expected(zero, zero, zero, np.array([1.0, 0.0]))
    limit = limit_of(one, fixed_by_formula(one), 273, "bfloat16")
    assert limit[0] > 1 + 3 * 2.0**-8 and limit[1] == 0
