"""Bugs of released frameworks that no cell can show, because rounding alone has no limit there."""

import numpy as np
import pytest


def test_optax_divides_zero_by_zero_where_a_gradient_of_float16_is_zero():
    """ε = 10⁻⁸ is zero in float16: the first step of a weight without a gradient is NaN, should be zero."""
    jax, optax = pytest.importorskip("jax"), pytest.importorskip("optax")
    steps = {}
    for dtype in ("float32", "float16"):
        weights, g = (jax.numpy.array(x, dtype) for x in ([1.0, 1.0], [0.5, 0.0]))
        optimizer = optax.adam(0.25)
        steps[dtype] = np.asarray(optimizer.update(g, optimizer.init(weights), weights)[0])
    assert steps["float32"][1] == 0
    assert np.isnan(steps["float16"]).tolist() == [False, True]
