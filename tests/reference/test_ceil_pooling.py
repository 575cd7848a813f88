"""Pooling over the end: gradients against finite differences, values against loops over windows."""

import math

import numpy as np
import pytest

from reference.ceil_pooling import ceil_max, ceil_max_vjp, ceil_mean, ceil_mean_vjp
from reference.convolution import pair
from suites.ceil_pool import COUNTS, HOLES, OPTIONS, SIZES, inputs
from tests.differences import check_dtype, check_vjp

CASES = [
    *((ceil_max, ceil_max_vjp, option) for option in (OPTIONS | HOLES).values()),
    *((ceil_mean, ceil_mean_vjp, option) for option in (OPTIONS | COUNTS).values()),
]


@pytest.mark.parametrize("size", ["small", "left-out", "thin"])
@pytest.mark.parametrize(
    ("f", "f_vjp", "option"), CASES, ids=lambda each: getattr(each, "__name__", str(each))
)
def test_the_gradient_is_that_of_finite_differences(f, f_vjp, option, size):
    data = inputs(np.random.default_rng(1), **SIZES[size])[1]
    check_vjp(f, f_vjp, data, options=option, rng=np.random.default_rng(2))
    check_dtype(f, f_vjp, data, options=option)


@pytest.mark.parametrize("size", ["small", "left-out", "thin"])
@pytest.mark.parametrize(
    ("f", "f_vjp", "option"), CASES, ids=lambda each: getattr(each, "__name__", str(each))
)
def test_each_window_is_the_loop(f, f_vjp, option, size):
    x = inputs(np.random.default_rng(3), **SIZES[size])[1]["x"]
    got = f(x, **option)
    k, s = pair(option["size"]), pair(option["stride"])
    m, d = pair(option.get("margin", 0)), pair(option.get("dilation", 1))
    counts = []
    for n, kk, ss, mm, dd in zip(x.shape[1:3], k, s, m, d, strict=True):
        out = math.ceil((n + 2 * mm - (kk - 1) * dd - 1) / ss) + 1
        counts.append(out - 1 if (out - 1) * ss >= n + mm else out)
    assert got.shape[1:3] == tuple(counts)
    for p, q in np.ndindex(*counts):
        places = [
            (p * s[0] - m[0] + i * d[0], q * s[1] - m[1] + j * d[1]) for i in range(k[0]) for j in range(k[1])
        ]
        inside = [x[:, i, j] for i, j in places if 0 <= i < x.shape[1] and 0 <= j < x.shape[2]]
        if f is ceil_max:
            want = np.max(inside, axis=0)
        else:
            margin = [(i, j) for i, j in places if i < x.shape[1] + m[0] and j < x.shape[2] + m[1]]
            n = len(margin) if option.get("count_margin", True) else len(inside)
            want = np.sum(inside, axis=0) / (option.get("divisor") or n)
        np.testing.assert_allclose(got[:, p, q], want, rtol=1e-13, atol=1e-13)
