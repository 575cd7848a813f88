"""Convolution beyond the edges: gradients against finite differences, images against numpy.pad."""

import numpy as np
import pytest

from reference.convolution import conv2d
from reference.edges import edge_convolution, edge_convolution_vjp
from suites.conv2d import inputs
from suites.edge_convolution import OPTIONS, SIZES
from tests.differences import check_dtype, check_vjp

MODES = {"circular": "wrap", "reflect": "reflect", "replicate": "edge"}


def drawn(name, size="small"):
    option = OPTIONS[name]
    weights, data = inputs(np.random.default_rng(1), **SIZES[size], **option)
    return weights | data, {key: value for key, value in option.items() if key != "bias"}


@pytest.mark.parametrize("name", OPTIONS)
def test_the_gradient_is_that_of_finite_differences(name):
    data, how = drawn(name)
    check_vjp(edge_convolution, edge_convolution_vjp, data, options=how, rng=np.random.default_rng(2))
    check_dtype(edge_convolution, edge_convolution_vjp, data, options=how)


@pytest.mark.parametrize("size", ["small", "wide-kernel"])
@pytest.mark.parametrize("name", OPTIONS)
def test_it_is_the_convolution_of_the_image_that_numpy_pads(name, size):
    data, how = drawn(name, size)
    padding, dilation = how.pop("padding", "same"), how.get("dilation", 1)
    dilation = (dilation,) * 2 if isinstance(dilation, int) else dilation
    padding = (padding,) * 2 if isinstance(padding, int) else padding
    reach = [(k - 1) * d for k, d in zip(data["W"].shape[:2], dilation, strict=True)]
    ends = [(n // 2, n - n // 2) for n in reach] if padding == "same" else [(p, p) for p in padding]
    x = np.pad(data["x"], [(0, 0), *ends, (0, 0)], MODES[how["edge"]])
    plain = {key: value for key, value in how.items() if key != "edge"}
    want = conv2d(x, data["W"], data.get("b"), **plain)
    given = {} if padding == "same" else {"padding": padding}
    np.testing.assert_array_equal(edge_convolution(**data, **how, **given), want)


@pytest.mark.parametrize("edge", ["circular", "reflect", "replicate"])
def test_a_margin_is_narrower_than_the_image_unless_it_repeats_the_edge(edge):
    x, W = np.ones((1, 2, 5, 1)), np.ones((3, 3, 1, 1))
    assert edge_convolution(x, W, edge=edge).shape == (1, 2, 5, 1)
    if edge == "replicate":
        assert edge_convolution(x, W, edge=edge, padding=2).shape == (1, 4, 7, 1)
    else:
        with pytest.raises(ValueError, match="a margin of 2 pixels: should be narrower than the image, 2"):
            edge_convolution(x, W, edge=edge, padding=2)
