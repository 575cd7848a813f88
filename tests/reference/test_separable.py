"""Depthwise and separable convolution against loops and central differences."""

import numpy as np
import pytest

from reference.separable import (
    depthwise_conv2d,
    depthwise_conv2d_vjp,
    separable_conv2d,
    separable_conv2d_vjp,
)
from tests.differences import check_dtype, check_vjp

OPTIONS = {
    "plain": {},
    "padded and strided": {"stride": (2, 1), "padding": (1, 2)},
    "dilated": {"dilation": (2, 1), "padding": "same"},
    "same, strided": {"padding": "same", "stride": 2},
}


@pytest.fixture
def rng():
    return np.random.default_rng(13)


def draw(rng, *, channels=3, multiplier=2, kernel=(3, 2), kernels=5):
    x = rng.normal(size=(2, 7, 6, channels))
    D = rng.normal(size=(*kernel, channels, multiplier))
    return x, D, rng.normal(size=(channels * multiplier, kernels)), rng.normal(size=kernels)


def by_loops(x, W, *, stride=(1, 1), padding=(0, 0), dilation=(1, 1)):
    n, h, w, c = x.shape
    r, s, _, m = W.shape
    p, q = (
        (size + 2 * pad - (k - 1) * d - 1) // step + 1
        for size, pad, k, d, step in zip((h, w), padding, (r, s), dilation, stride, strict=True)
    )
    y = np.zeros((n, p, q, c * m))
    for image, i, j, channel, k, u, v in np.ndindex(n, p, q, c, m, r, s):
        row = i * stride[0] + u * dilation[0] - padding[0]
        column = j * stride[1] + v * dilation[1] - padding[1]
        if 0 <= row < h and 0 <= column < w:
            y[image, i, j, channel * m + k] += x[image, row, column, channel] * W[u, v, channel, k]
    return y


@pytest.mark.parametrize("multiplier", [1, 3])
@pytest.mark.parametrize(
    "option", [{}, {"stride": (2, 1), "padding": (1, 2)}, {"dilation": (2, 3), "padding": (2, 2)}], ids=str
)
def test_each_channel_meets_its_own_kernels_only(option, multiplier, rng):
    x, D, _, _ = draw(rng, multiplier=multiplier)
    b = rng.normal(size=3 * multiplier)
    np.testing.assert_allclose(depthwise_conv2d(x, D, b, **option), by_loops(x, D, **option) + b, atol=1e-13)


def test_a_separable_convolution_mixes_channels_pixel_by_pixel(rng):
    x, D, P, b = draw(rng)
    np.testing.assert_allclose(separable_conv2d(x, D, P, b), by_loops(x, D) @ P + b, atol=1e-13)


@pytest.mark.parametrize("option", OPTIONS.values(), ids=OPTIONS)
@pytest.mark.parametrize("shift", [True, False])
def test_the_gradient_is_that_of_finite_differences(option, shift, rng):
    x, D, P, b = draw(rng)
    deep = {"x": x, "W": D} | ({"b": rng.normal(size=6)} if shift else {})
    both = {"x": x, "D": D, "P": P} | ({"b": b} if shift else {})
    for f, f_vjp, inputs in (
        (depthwise_conv2d, depthwise_conv2d_vjp, deep),
        (separable_conv2d, separable_conv2d_vjp, both),
    ):
        check_vjp(f, f_vjp, inputs, options=option, rng=rng)
        check_dtype(f, f_vjp, inputs, options=option)


def test_one_element_axes_are_no_special_case(rng):
    x, D = rng.normal(size=(1, 1, 4, 1)), rng.normal(size=(1, 2, 1, 1))
    np.testing.assert_allclose(depthwise_conv2d(x, D), by_loops(x, D), atol=1e-14)
    check_vjp(depthwise_conv2d, depthwise_conv2d_vjp, {"x": x, "W": D}, rng=rng)
