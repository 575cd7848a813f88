"""Causal convolutions: loops over steps, finite differences, and nothing from the future."""

import numpy as np
import pytest

from reference.causal import causal_convolution, causal_convolution_vjp
from tests.differences import check_dtype, check_vjp

OPTIONS = [{}, {"dilation": 3}, {"stride": 2}, {"groups": 2}, {"stride": 3, "dilation": 2, "groups": 2}]


def draw(k=3, groups=1, bias=True, t=8):
    rng = np.random.default_rng(4)
    given = {"x": rng.normal(size=(2, t, 4)), "W": rng.normal(size=(k, 4 // groups, 6))}
    return rng, given | ({"b": rng.normal(size=6)} if bias else {})


def by_steps(x, W, b=0.0, *, stride=1, dilation=1, groups=1):
    (n, t, _), (k, _, o) = x.shape, W.shape
    y = np.zeros((n, -(-t // stride), o))
    for s in range(y.shape[1]):
        for j in range(k):
            if (step := s * stride - (k - 1 - j) * dilation) >= 0:
                parts = np.split(x[:, step], groups, axis=1), np.split(W[j], groups, axis=1)
                y[:, s] += np.concatenate([u @ w for u, w in zip(*parts, strict=True)], axis=1)
    return y + b


@pytest.mark.parametrize("option", OPTIONS, ids=str)
@pytest.mark.parametrize(("k", "bias"), [(1, True), (2, False), (3, True)])
def test_it_is_a_sum_over_the_steps_behind_and_its_gradient_that_of_finite_differences(option, k, bias):
    rng, given = draw(k, option.get("groups", 1), bias)
    y = causal_convolution(**given, **option)
    np.testing.assert_allclose(y, by_steps(**given, **option), rtol=1e-12, atol=1e-13)
    check_vjp(causal_convolution, causal_convolution_vjp, given, options=option, rng=rng)
    check_dtype(causal_convolution, causal_convolution_vjp, given, options=option)


def test_a_sequence_may_be_shorter_than_the_reach_of_its_kernel():
    _, given = draw(t=2)
    np.testing.assert_allclose(
        causal_convolution(**given, dilation=5), given["x"] @ given["W"][2] + given["b"], rtol=1e-13
    )


def test_no_gradient_goes_to_the_future():
    _, given = draw()
    dy = np.zeros((2, 8, 6))
    dy[:, 5] = 1
    dx = causal_convolution_vjp(dy, **given, dilation=2)["x"]
    assert not dx[:, [0, 2, 4, 6, 7]].any() and dx[:, [1, 3, 5]].all()
