"""The LSTM model: its gradient against finite differences, its step against its parts, its training."""

import numpy as np
import pytest

from bench.tree import flatten, tree_map
from reference.lstm import lstm
from reference.lstm_model import lstm_model, start, step, value_and_gradient
from reference.optimizer import adam
from tests.differences import check_dtype, check_vjp

n, t, d, m, o = 3, 4, 3, 2, 2


def draw(rng, biases="b"):
    layers = []
    for width in (d, m):
        shapes = {"W": (width, 4 * m), "U": (m, 4 * m)} | {name: (4 * m,) for name in biases}
        layers.append([{name: rng.normal(size=shape) for name, shape in shapes.items()}])
    weights = {"layers": layers, "head": {"W": rng.normal(size=(m, o)), "b": rng.normal(size=o)}}
    return weights, {"x": rng.normal(size=(n, t, d)), "y": rng.normal(size=(n, o))}


def loss(x, y, layers, head):
    return value_and_gradient(x, y, layers, head)[0]


def loss_vjp(dy, x, y, layers, head):
    return tree_map(lambda g: dy * g, value_and_gradient(x, y, layers, head)[1])


@pytest.mark.parametrize("biases", ["", "b", "bc"])
def test_the_gradient_is_that_of_the_loss(biases):
    rng = np.random.default_rng(1)
    weights, batch = draw(rng, biases)
    check_vjp(loss, loss_vjp, weights | batch, fixed=("x", "y"), rng=rng)


def test_float32_stays_float32():
    weights, batch = draw(np.random.default_rng(2))
    check_dtype(loss, loss_vjp, weights | batch)
    weights, batch = tree_map(lambda a: a.astype(np.float32), (weights, batch))
    weights, state, _ = step(weights, start(weights), **batch)
    assert {leaf.dtype for leaf in flatten((weights, state["m"], state["v"])).values()} == {
        np.dtype("float32")
    }


def test_the_forecast_reads_the_last_step_alone():
    weights, batch = draw(np.random.default_rng(3))
    h = lstm(batch["x"], weights["layers"])[:, -1]
    p = lstm_model(batch["x"], **weights)
    np.testing.assert_allclose(p, h @ weights["head"]["W"] + weights["head"]["b"], rtol=1e-12)
    np.testing.assert_allclose(loss(**batch, **weights), np.mean((p - batch["y"]) ** 2), rtol=1e-12)


@pytest.mark.parametrize("option", [{}, {"lr": 0.1, "eps": 1e-3}, {"eps": 1e-3, "hat": True}])
def test_a_step_is_adam_on_the_gradient(option):
    weights, batch = draw(np.random.default_rng(4))
    state = start(weights)
    for _ in range(3):
        _, g = value_and_gradient(**batch, **weights)
        want = adam(weights, g, state, **option)
        weights, state, _ = step(weights, state, **batch, **option)
        assert state["t"] == want[1]["t"]
        for got, should in zip(flatten((weights, state)).values(), flatten(want).values(), strict=True):
            assert np.array_equal(got, should)


def test_a_second_bias_moves_the_sum_twice_as_far():
    weights, batch = draw(np.random.default_rng(5))
    two = {
        **weights,
        "layers": [[{**cell, "c": np.zeros(4 * m)} for cell in layer] for layer in weights["layers"]],
    }
    one, *_ = step(weights, start(weights), **batch)
    both, *_ = step(two, start(two), **batch)
    for before, single, double in zip(weights["layers"], one["layers"], both["layers"], strict=True):
        moved = double[0]["b"] + double[0]["c"] - before[0]["b"]
        np.testing.assert_allclose(moved, 2 * (single[0]["b"] - before[0]["b"]), rtol=1e-9)


def test_training_lowers_the_loss():
    weights, batch = draw(np.random.default_rng(6))
    state, losses = start(weights), []
    for _ in range(100):
        weights, state, loss = step(weights, state, **batch, lr=0.01)
        losses.append(loss)
    assert losses[-1] < losses[0] / 2
