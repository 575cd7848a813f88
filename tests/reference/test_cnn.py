"""The network's gradient and training step, against central differences, loops and Adam's own formula."""

import numpy as np
import pytest

from reference.cnn import cnn, cnn_vjp, dense, dense_vjp, flatten, flatten_vjp, start, step
from reference.optimizer import adam
from tests.differences import check_dtype, check_vjp


@pytest.fixture
def rng():
    return np.random.default_rng(15)


def weights(rng, *, c=2, kernels=(3, 4), width=5, classes=3, flat=8):
    def layer(*shape):
        return {"W": rng.normal(size=shape) / np.sqrt(np.prod(shape[:-1])), "b": rng.normal(size=shape[-1])}

    return {
        "conv1": layer(3, 3, c, kernels[0]),
        "conv2": layer(3, 3, *kernels),
        "dense1": layer(flat, width),
        "dense2": layer(width, classes),
    }


def images(rng):
    """14 by 12 pixels: convolved to 12 by 10, pooled to 6 by 5, convolved to 4 by 3, pooled to 2 by 1."""
    return rng.normal(size=(3, 14, 12, 2))


def cnn_by_loops(x, conv1, conv2, dense1, dense2):
    for layer in (conv1, conv2):
        n, h, w, _ = x.shape
        patches = [[x[:, i : i + 3, j : j + 3] for j in range(w - 2)] for i in range(h - 2)]
        a = np.array([[np.tensordot(patch, layer["W"], 3) + layer["b"] for patch in row] for row in patches])
        a = np.maximum(a.transpose(2, 0, 1, 3), 0)
        p, q = (h - 2) // 2, (w - 2) // 2
        x = a[:, : 2 * p, : 2 * q].reshape(n, p, 2, q, 2, -1).max(axis=(2, 4))
    h = np.maximum(np.array([image.ravel() for image in x]) @ dense1["W"] + dense1["b"], 0)
    e = np.exp(h @ dense2["W"] + dense2["b"])
    return e / e.sum(axis=1, keepdims=True)


def test_the_network_is_its_layers_written_out(rng):
    x, w = images(rng), weights(rng)
    assert np.abs(cnn(x, **w) - cnn_by_loops(x, **w)).max() < 1e-14


def test_the_gradient_of_the_network_is_its_slope(rng):
    inputs = {"x": images(rng), **weights(rng)}
    check_vjp(cnn, cnn_vjp, inputs, rng=rng)
    check_dtype(cnn, cnn_vjp, inputs)


def test_the_gradient_of_a_dense_layer_is_its_slope(rng):
    inputs = {"x": rng.normal(size=(3, 2, 3, 4)), "W": rng.normal(size=(24, 5)), "b": rng.normal(size=5)}
    check_vjp(dense, dense_vjp, inputs, rng=rng)
    check_dtype(dense, dense_vjp, inputs)


def test_the_gradient_of_flattening_is_its_slope(rng):
    x = {"x": rng.normal(size=(3, 2, 3, 4))}
    check_vjp(lambda x: flatten(x).copy(), flatten_vjp, x, rng=rng)  # a view would move with x
    check_dtype(flatten, flatten_vjp, x)


def test_flattening_goes_row_by_row_with_channels_together():
    x = np.arange(24.0).reshape(2, 2, 3, 2)
    assert flatten(x)[1].tolist() == list(range(12, 24))


def test_a_step_descends_the_slope_of_its_loss(rng):
    """From a fresh state Adam's first moment is 0.1 times the gradient."""
    labels = np.array([2, 0, 1])

    def loss(x, **weights):
        return step(weights, start(weights), x, labels)[2]

    def slope(dy, x, **weights):
        moment = step(weights, start(weights), x, labels)[1]["m"]
        return {name: {k: dy * m / (1 - 0.9) for k, m in tree.items()} for name, tree in moment.items()}

    check_vjp(loss, slope, {"x": images(rng), **weights(rng)}, fixed=("x",), rng=rng)


@pytest.mark.parametrize("option", [{}, {"hat": True, "eps": 1e-7}], ids=["adam", "adam-epsilon-hat"])
def test_a_step_moves_the_weights_as_adam_does(option, rng):
    w, x, labels = weights(rng), images(rng), np.array([2, 0, 1])
    after, state, _ = step(w, start(w), x, labels, lr=0.01, **option)
    for name, layer in w.items():
        for letter, value in layer.items():
            g = state["m"][name][letter] / (1 - 0.9)
            want = adam(value, g, {"m": 0 * g, "v": 0 * g, "t": 0}, lr=0.01, **option)[0]
            assert np.abs(after[name][letter] - want).max() < 1e-12


def test_a_step_in_float32_stays_there(rng):
    w, x, labels = weights(rng), images(rng), np.array([2, 0, 1])

    def arrays(x, **w):
        after, state, loss = step(w, start(w), x, labels)
        return {"weights": after, "m": state["m"], "v": state["v"], "loss": loss}

    check_dtype(arrays, None, {"x": x, **w})


def test_training_lowers_the_loss(rng):
    w, x, labels = weights(rng), images(rng), np.array([2, 0, 1])
    state, losses = start(w), []
    for _ in range(100):
        w, state, loss = step(w, state, x, labels, lr=0.01)
        losses.append(loss)
    assert losses[-1] < losses[0] / 2
