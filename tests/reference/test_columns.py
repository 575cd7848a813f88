"""Images column by column: NumPy's own order, and finite differences."""

import numpy as np

from reference.columns import flatten_columns, flatten_columns_vjp
from tests.differences import check_dtype, check_vjp


def test_each_image_is_numpys_ravel_in_the_order_of_fortran():
    x = np.random.default_rng(1).normal(size=(3, 5, 2, 7))
    np.testing.assert_array_equal(flatten_columns(x), [image.ravel(order="F") for image in x])


def test_the_gradient_is_that_of_finite_differences():
    given = {"x": np.random.default_rng(2).normal(size=(2, 3, 4, 5))}
    check_vjp(flatten_columns, flatten_columns_vjp, given, rng=np.random.default_rng(3))
    check_dtype(flatten_columns, flatten_columns_vjp, given)
