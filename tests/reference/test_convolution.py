"""Convolution and pooling against loops, known answers and central differences."""

import numpy as np
import pytest

from reference.convolution import conv2d, conv2d_vjp
from reference.pooling import avg_pool, avg_pool_vjp, max_pool, max_pool_vjp
from tests.differences import check_dtype, check_vjp

CONVOLUTIONS = {
    "plain": {},
    "padded": {"padding": (1, 2)},
    "strided": {"stride": (2, 3), "padding": 1},
    "dilated": {"dilation": (2, 1), "padding": (2, 0)},
    "dilated and strided": {"dilation": 2, "stride": 2, "padding": 2},
    "same": {"padding": "same"},
    "same, strided": {"padding": "same", "stride": 2},
    "grouped": {"groups": 2},
    "depthwise": {"groups": 4, "padding": 1},
}
POOLS = {
    "plain": {},
    "window": {"size": (3, 2)},
    "overlapping": {"size": 3, "stride": 2},
    "padded": {"size": 3, "stride": (2, 1), "padding": 1},
    "same": {"size": 2, "padding": "same"},
    "gaps": {"size": 1, "stride": 2},
    "ceil": {"size": (3, 2), "stride": (3, 2), "padding": "ceil"},
}
MAXIMA = POOLS | {
    "dilated": {"size": (2, 3), "stride": 1, "dilation": (3, 2)},
    "dilated and strided": {"size": 2, "stride": 2, "padding": 1, "dilation": 2},
}
AVERAGES = POOLS | {
    "margin left out": {"size": 3, "stride": 2, "padding": 1, "count_margin": False},
    "divisor": {"size": 3, "stride": 2, "padding": 1, "divisor": 4},
}


@pytest.fixture
def rng():
    return np.random.default_rng(12)


def weights(rng, *, groups=1, kernel=(3, 2), c=4, o=8, **_):
    return {"W": rng.normal(size=(*kernel, c // groups, o)), "b": rng.normal(size=o)}


def both(value):
    return (value, value) if isinstance(value, int) else value


def ends(padding, shape, size, stride, dilation=(1, 1)):
    """Zeros before each axis, and how many windows fit, from the definitions alone."""
    before, count = [], []
    for axis in (0, 1):
        n, k, s, d = shape[axis], size[axis], stride[axis], dilation[axis]
        reach = (k - 1) * d + 1
        if padding == "same":
            count.append(-(-n // s))
            before.append(max((count[-1] - 1) * s + reach - n, 0) // 2)
        elif padding == "ceil":
            count.append(-(-(n - reach) // s) + 1)
            before.append(0)
        else:
            before.append(both(padding)[axis])
            count.append((n + 2 * before[-1] - reach) // s + 1)
    return before, count


def conv2d_by_loops(x, W, b, *, stride=1, padding=0, dilation=1, groups=1):
    n, h, w, _ = x.shape
    r, s, e, o = W.shape
    stride, dilation = both(stride), both(dilation)
    (top, left), (p, q) = ends(padding, (h, w), (r, s), stride, dilation)
    y = np.zeros((n, p, q, o))
    for index in np.ndindex(*y.shape):
        m, i, j, k = index
        y[index] = b[k]
        for u, v, c in np.ndindex(r, s, e):
            row, column = i * stride[0] + u * dilation[0] - top, j * stride[1] + v * dilation[1] - left
            if 0 <= row < h and 0 <= column < w:
                y[index] += x[m, row, column, k // (o // groups) * e + c] * W[u, v, c, k]
    return y


def pool_by_loops(x, choose, *, size=2, stride=None, padding=0, dilation=1, count_margin=True, divisor=None):
    n, h, w, c = x.shape
    size, stride, dilation = both(size), both(stride or size), both(dilation)
    (top, left), (p, q) = ends(padding, (h, w), size, stride, dilation)
    y = np.zeros((n, p, q, c))
    for m, i, j, k in np.ndindex(*y.shape):
        window = [
            x[m, row, column, k]
            for row in (i * stride[0] - top + u * dilation[0] for u in range(size[0]))
            for column in (j * stride[1] - left + v * dilation[1] for v in range(size[1]))
            if 0 <= row < h and 0 <= column < w
        ]
        whole = size[0] * size[1] if count_margin else len(window)
        y[m, i, j, k] = choose(window, divisor or whole)
    return y


@pytest.mark.parametrize("option", CONVOLUTIONS.values(), ids=CONVOLUTIONS)
@pytest.mark.parametrize("shape", [(2, 7, 6, 4), (1, 8, 5, 4)], ids=str)
def test_a_convolution_is_its_seven_loops(option, shape, rng):
    x, w = rng.normal(size=shape), weights(rng, **option)
    want = conv2d_by_loops(x, **w, **option)
    got = conv2d(x, **w, **option)
    assert got.shape == want.shape
    assert np.abs(got - want).max() < 1e-13


@pytest.mark.parametrize("option", CONVOLUTIONS.values(), ids=CONVOLUTIONS)
@pytest.mark.parametrize("shape", [(2, 7, 6, 4), (1, 8, 5, 4)], ids=str)
def test_the_gradient_of_a_convolution_is_its_slope(option, shape, rng):
    inputs = {"x": rng.normal(size=shape), **weights(rng, **option)}
    check_vjp(conv2d, conv2d_vjp, inputs, options=option, rng=rng)
    check_dtype(conv2d, conv2d_vjp, inputs, options=option)


@pytest.mark.parametrize(
    "shape, kernel", [((1, 1, 1, 1), (1, 1)), ((1, 5, 1, 3), (2, 1)), ((3, 1, 4, 1), (1, 4))]
)
def test_one_element_axes_are_no_special_case(shape, kernel, rng):
    inputs = {"x": rng.normal(size=shape), **weights(rng, kernel=kernel, c=shape[3], o=1)}
    assert np.abs(conv2d(**inputs) - conv2d_by_loops(**inputs)).max() < 1e-13
    check_vjp(conv2d, conv2d_vjp, inputs, rng=rng)


def test_no_images_have_no_result_and_kernels_no_gradient(rng):
    x, kernels = np.empty((0, 4, 5, 4)), weights(rng, groups=2)
    y = conv2d(x, **kernels, groups=2)
    found = conv2d_vjp(y, x, **kernels, groups=2)
    assert y.shape == (0, 2, 4, 8) and found["x"].shape == x.shape
    assert found["W"].shape == kernels["W"].shape and not found["W"].any() and not found["b"].any()


def test_a_convolution_without_bias_has_no_gradient_of_it(rng):
    inputs = {"x": rng.normal(size=(2, 4, 5, 4)), "W": weights(rng)["W"]}
    check_vjp(conv2d, conv2d_vjp, inputs, rng=rng)


def test_kernels_are_not_flipped():
    x = np.array([3.0, 2.0, 1.0]).reshape(1, 1, 3, 1)
    W = np.array([1.0, 10.0, 100.0]).reshape(1, 3, 1, 1)
    assert conv2d(x, W).item() == 123


def test_same_padding_puts_the_odd_zero_last():
    """Kernel 3, stride 2, six pixels: TensorFlow has 210, 432, 54; one zero at both ends 100, 321, 543."""
    x = np.array([0.0, 1, 2, 3, 4, 5]).reshape(1, 1, 6, 1)
    W = np.array([1.0, 10.0, 100.0]).reshape(1, 3, 1, 1)
    assert conv2d(x, W, padding="same", stride=(1, 2)).ravel().tolist() == [210, 432, 54]
    assert conv2d(x, W, padding=(0, 1), stride=(1, 2)).ravel().tolist() == [100, 321, 543]


@pytest.mark.parametrize("option", MAXIMA.values(), ids=MAXIMA)
def test_max_pooling_takes_the_largest_pixel(option, rng):
    x = rng.normal(size=(2, 7, 6, 3)) - 9
    want = pool_by_loops(x, lambda window, size: max(window), **option)
    assert np.array_equal(max_pool(x, **option), want)
    check_vjp(max_pool, max_pool_vjp, {"x": x}, options=option, rng=rng)
    check_dtype(max_pool, max_pool_vjp, {"x": x}, options=option)


@pytest.mark.parametrize("option", AVERAGES.values(), ids=AVERAGES)
def test_average_pooling_is_the_mean_of_its_pixels(option, rng):
    x = rng.normal(size=(2, 7, 6, 3))
    want = pool_by_loops(x, lambda window, size: sum(window) / size, **option)
    assert np.abs(avg_pool(x, **option) - want).max() < 1e-14
    check_vjp(avg_pool, avg_pool_vjp, {"x": x}, options=option, rng=rng)
    check_dtype(avg_pool, avg_pool_vjp, {"x": x}, options=option)


def test_of_equal_pixels_the_first_gets_the_whole_gradient():
    x = np.array([[1.0, 1.0], [1.0, 0.0]]).reshape(1, 2, 2, 1)
    dx = max_pool_vjp(np.ones((1, 1, 1, 1)), x)["x"]
    assert dx.ravel().tolist() == [1, 0, 0, 0]
