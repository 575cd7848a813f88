"""The steering network: layer by layer from the paper's figure, and its gradient by finite differences."""

import numpy as np
import pytest

from reference.steering import steering, steering_vjp
from suites.steering import PILOTNET, ROWS, SMALL, inputs, road
from tests.differences import check_dtype, check_vjp


def given(**option):
    rng = np.random.default_rng(21)
    weights, data = inputs(rng, batch=2, **SMALL, **option)
    return rng, weights, data


def by_windows(h, layer, stride):
    side = len(layer["W"])
    _, p, q, _ = h.shape
    rows = [
        [
            np.tensordot(h[:, i : i + side, j : j + side], layer["W"], 3)
            for j in range(0, q - side + 1, stride)
        ]
        for i in range(0, p - side + 1, stride)
    ]
    return np.array(rows).transpose(2, 0, 1, 3) + layer.get("b", 0)


@pytest.mark.parametrize("bias", [True, False])
def test_the_command_is_that_of_the_layers_written_out(bias):
    _, weights, data = given(bias=bias)
    h = data["x"] / 127.5 - 1
    for layer, stride in zip(weights["convolutions"], (2, 2, 2, 1, 1), strict=True):
        h = np.maximum(by_windows(h, layer, stride), 0)
    g = np.array([image.ravel() for image in h])
    *hidden, last = weights["dense"]
    for layer in hidden:
        g = np.maximum(g @ layer["W"] + layer.get("b", 0), 0)
    s = g @ last["W"] + last.get("b", 0)
    found = steering(**data, **weights)
    np.testing.assert_allclose(found["s"], s, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(found["loss"], np.mean((s - data["command"]) ** 2), rtol=1e-12)


@pytest.mark.parametrize("bias", [True, False])
def test_the_gradient_is_that_of_finite_differences(bias):
    rng, weights, data = given(bias=bias)
    check_vjp(steering, steering_vjp, data | weights, fixed=("command",), rng=rng, samples=8)
    check_dtype(steering, steering_vjp, data | weights)


def test_the_paper_s_network_has_a_quarter_of_a_million_weights_and_27_million_connections():
    weights, data = inputs(np.random.default_rng(0), batch=1, **PILOTNET)
    assert data["x"].shape == (1, ROWS, 200, 3)
    layers = [*weights["convolutions"], *weights["dense"]]
    assert 250_000 < sum(layer["W"].size + layer["b"].size for layer in layers) < 253_000
    h, connections = data["x"], 0
    for layer, stride in zip(weights["convolutions"], (2, 2, 2, 1, 1), strict=True):
        h = by_windows(h, layer, stride)
        connections += h[0, ..., 0].size * layer["W"].size
    assert h.shape == (1, 1, 18, 64)  # as in figure 4
    assert 26e6 < connections + sum(layer["W"].size for layer in weights["dense"]) < 28e6


def test_a_road_is_of_whole_numbers_and_goes_where_the_command_says():
    x, command = road(np.random.default_rng(3), batch=64, width=200)
    assert (x == np.round(x)).all() and x.min() >= 0 and x.max() <= 255
    asphalt = (x[:, 28, :, 1] < 110).astype(float)  # a row below the horizon
    middle = (asphalt * np.linspace(-1, 1, 200)).sum(axis=1) / asphalt.sum(axis=1)
    assert np.corrcoef(middle, command[:, 0])[0, 1] > 0.8


def test_no_kernel_reads_the_last_five_rows_and_three_columns():
    _, weights, data = given()
    dx = steering_vjp({"s": np.ones_like(data["command"]), "loss": np.float64(1)}, **data, **weights)["x"]
    assert not dx[:, 61:].any() and dx[:, 60].any()
    assert not dx[:, :, -3:].any() and dx[:, :, -4].any()
