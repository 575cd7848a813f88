"""Attention over axes of a grid: finite differences, and each sequence on its own."""

import numpy as np
import pytest

from reference.grid_attention import grid_heads, grid_heads_vjp
from reference.multi_head_attention import multi_head_attention
from suites.grid_attention import OPTIONS, SIZES, inputs
from tests.differences import check_dtype, check_vjp


def drawn(name):
    option = OPTIONS[name]
    weights, data = inputs(np.random.default_rng(1), **SIZES["small"], **option)
    return weights | data, {key: value for key, value in option.items() if key in ("axes", "causal")}


@pytest.mark.parametrize("name", OPTIONS)
def test_the_gradient_is_that_of_finite_differences(name):
    given, how = drawn(name)
    check_vjp(
        grid_heads, grid_heads_vjp, given, options=how, rng=np.random.default_rng(2), samples=10, rtol=1e-7
    )
    check_dtype(grid_heads, grid_heads_vjp, given, options=how)


@pytest.mark.parametrize("name", [name for name, how in OPTIONS.items() if len(how.get("axes", "12")) == 1])
def test_each_row_or_column_is_a_sequence_of_its_own(name):
    given, how = drawn(name)
    x, axis = given.pop("x"), how.pop("axes")[0]
    y = grid_heads(x, **given, axes=(axis,), **how)
    for i in range(x.shape[3 - axis]):
        rows, found = (a.take(i, axis=3 - axis) for a in (x, y))
        want = multi_head_attention(rows, **given, **how)
        np.testing.assert_allclose(found, want, rtol=1e-11, atol=1e-12)
