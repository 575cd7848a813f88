"""Transposed convolution against loops, its defining identity and central differences."""

import numpy as np
import pytest

from reference.convolution import conv2d
from reference.transposed import conv_transpose2d, conv_transpose2d_vjp
from tests.differences import check_dtype, check_vjp

OPTIONS = {
    "plain": {},
    "strided": {"stride": 2},
    "gaps": {"stride": (4, 3)},
    "padded": {"stride": (1, 2), "padding": (2, 1)},
    "output padding": {"stride": 3, "padding": 1, "output_padding": (2, 1)},
    "output padding alone": {"stride": 2, "output_padding": 1},
    "dilated": {"stride": 2, "dilation": (2, 3), "padding": (1, 0)},
    "room for one more window": {"dilation": 2, "output_padding": 1, "padding": 1},
    "same": {"padding": "same", "stride": 2},
    "same, kernels of gaps": {"padding": "same", "stride": 4},
    "same, dilated": {"padding": "same", "dilation": 2},
    "grouped": {"groups": 2, "stride": 2},
}


@pytest.fixture
def rng():
    return np.random.default_rng(14)


def draw(rng, *, groups=1, shape=(2, 4, 3, 4), kernel=(3, 2), outputs=6, **_):
    W = rng.normal(size=(*kernel, outputs // groups, shape[3]))
    return {"x": rng.normal(size=shape), "W": W, "b": rng.normal(size=outputs)}


def both(value):
    return (value, value) if isinstance(value, int) else value


def by_loops(x, W, b, *, stride=1, padding=0, output_padding=0, dilation=1, groups=1):
    """Each pixel stamps its kernels on the output, which is then cut."""
    (n, *shape, c), (r, s, e, _) = x.shape, W.shape
    stride, dilation, more = both(stride), both(dilation), both(output_padding)
    reach = [(k - 1) * d + 1 for k, d in zip((r, s), dilation, strict=True)]
    if padding == "same":
        size = [p * step for p, step in zip(shape, stride, strict=True)]
        cut = [max(k - step, 0) // 2 for k, step in zip(reach, stride, strict=True)]
    else:
        cut = both(padding)
        size = [(shape[i] - 1) * stride[i] + reach[i] - 2 * cut[i] + more[i] for i in (0, 1)]
    y = np.zeros((n, *size, e * groups)) + b
    for image, p, q, i, u, v, o in np.ndindex(n, *shape, c, r, s, e):
        row = p * stride[0] + u * dilation[0] - cut[0]
        column = q * stride[1] + v * dilation[1] - cut[1]
        if 0 <= row < size[0] and 0 <= column < size[1]:
            y[image, row, column, i // (c // groups) * e + o] += x[image, p, q, i] * W[u, v, o, i]
    return y


@pytest.mark.parametrize("option", OPTIONS.values(), ids=OPTIONS)
def test_every_pixel_stamps_its_kernels(option, rng):
    inputs = draw(rng, **option)
    want = by_loops(**inputs, **option)
    got = conv_transpose2d(**inputs, **option)
    assert got.shape == want.shape
    assert np.abs(got - want).max() < 1e-13


@pytest.mark.parametrize("option", OPTIONS.values(), ids=OPTIONS)
def test_the_gradient_is_that_of_finite_differences(option, rng):
    inputs = draw(rng, **option)
    check_vjp(conv_transpose2d, conv_transpose2d_vjp, inputs, options=option, rng=rng)
    check_dtype(conv_transpose2d, conv_transpose2d_vjp, inputs, options=option)
    del inputs["b"]
    check_vjp(conv_transpose2d, conv_transpose2d_vjp, inputs, options=option, rng=rng)


def test_it_is_the_transpose_of_a_convolution(rng):
    x, W, _ = draw(rng).values()
    option = {"stride": 2, "padding": (1, 0)}
    image = rng.normal(size=conv_transpose2d(x, W, **option).shape)
    there, back = np.sum(conv2d(image, W, **option) * x), np.sum(image * conv_transpose2d(x, W, **option))
    assert abs(there - back) < 1e-12


def test_one_pixel_becomes_the_kernel():
    W = np.array([1.0, 10.0, 100.0]).reshape(1, 3, 1, 1)
    x = np.ones((1, 1, 1, 1))
    assert conv_transpose2d(x, W).ravel().tolist() == [1, 10, 100]
    assert conv_transpose2d(x, W, stride=(1, 2), padding="same").ravel().tolist() == [1, 10]
    torch_s = conv_transpose2d(x, W, stride=(1, 2), padding=(0, 1), output_padding=(0, 1))
    assert torch_s.ravel().tolist() == [10, 100]


def test_one_element_axes_are_no_special_case(rng):
    inputs = draw(rng, shape=(1, 1, 5, 1), kernel=(1, 1), outputs=1)
    assert np.abs(conv_transpose2d(**inputs) - by_loops(**inputs)).max() < 1e-14
    check_vjp(conv_transpose2d, conv_transpose2d_vjp, inputs, rng=rng)
