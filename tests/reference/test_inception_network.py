"""The Inception network: its parts one by one, its gradient by finite differences, and its training step."""

import numpy as np
import pytest

from reference.inception import inception
from reference.inception_network import inception_network, inception_network_vjp, start, step, width
from suites import inception_network as page
from tests.differences import check_dtype, check_vjp

SIZE = page.SMALL | {"channels": 2, "classes": 3}


def given(training=True, batch=3):
    rng = np.random.default_rng(5)
    weights, data = page.inputs(rng, batch=batch, training=training, **SIZE)
    return rng, weights, data


def normalised(a, gamma, beta, mean, variance):
    return np.maximum(gamma * (a - mean) / np.sqrt(variance + 1e-3) + beta, 0)


def cross_entropy(z, labels):
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    return -np.mean([np.log(row[label]) for row, label in zip(p, labels, strict=True)])


def windows(x, size, stride, reduce):
    n, h, w, c = x.shape
    p, q = ((m - size) // stride + 1 for m in (h, w))
    y = np.empty((n, p, q, c))
    for i in range(p):
        for j in range(q):
            here = x[:, i * stride : i * stride + size, j * stride : j * stride + size]
            y[:, i, j] = reduce(here, axis=(1, 2))
    return y


@pytest.mark.parametrize("training", [True, False])
def test_the_network_is_its_parts_one_after_the_other(training):
    _, weights, data = given(training)
    x, mean, variance = data["x"], data["mean"], data["variance"]
    n, h, w, _ = x.shape
    i = weights["stem"]["W"].shape[3]
    j = i + width(weights["first"])
    k = j + width(weights["second"])
    wide = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    a = sum(wide[:, r : r + h, s : s + w] @ weights["stem"]["W"][r, s] for r in range(3) for s in range(3))
    m, v = (a.mean(axis=(0, 1, 2)), a.var(axis=(0, 1, 2))) if training else (mean[:i], variance[:i])
    h0 = normalised(a, weights["stem"]["gamma"], weights["stem"]["beta"], m, v)
    h1 = inception(h0, mean[i:j], variance[i:j], **weights["first"], training=training)["y"]
    u = windows(h1, 3, 2, np.max)
    h2 = inception(u, mean[j:k], variance[j:k], **weights["second"], training=training)["y"]
    z = h2.mean(axis=(1, 2)) @ weights["head"]["W"] + weights["head"]["b"]
    found = inception_network(**data, **weights, training=training)
    np.testing.assert_allclose(found["z"], z, rtol=1e-11)
    if not training:
        assert set(found) == {"z"}
        return
    side = weights["auxiliary"]
    a = windows(h1, 5, 3, np.mean) @ side["unit"]["W"][0, 0]
    c = normalised(
        a, side["unit"]["gamma"], side["unit"]["beta"], a.mean(axis=(0, 1, 2)), a.var(axis=(0, 1, 2))
    )
    b = np.maximum(c.reshape(n, -1) @ side["hidden"]["W"] + side["hidden"]["b"], 0)
    auxiliary = b @ side["out"]["W"] + side["out"]["b"]
    loss = cross_entropy(z, data["labels"]) + 0.3 * cross_entropy(auxiliary, data["labels"])
    np.testing.assert_allclose(found["loss"], loss, rtol=1e-11)


@pytest.mark.parametrize("training", [True, False])
def test_the_gradient_is_that_of_finite_differences(training):
    rng, weights, data = given(training)
    x = data.pop("x")

    def y(x, **weights):
        return inception_network(x, **data, **weights, training=training)

    def slope(dy, x, **weights):
        return inception_network_vjp(dy, x, **data, **weights, training=training)

    check_vjp(y, slope, weights | {"x": x}, rng=rng)
    check_dtype(
        inception_network, inception_network_vjp, weights | data | {"x": x}, options={"training": training}
    )


@pytest.mark.parametrize("inside", [False, True])
def test_a_training_step_moves_all_weights_against_the_gradient_of_the_loss(inside):
    _, weights, data = given()
    x, labels = data["x"], data["labels"]
    theta, state, loss = step(weights, start(weights), x, labels, inside=inside)
    found = inception_network(**data, **weights)
    g = inception_network_vjp({"z": np.zeros_like(found["z"]), "loss": np.float64(1)}, **data, **weights)
    assert loss == found["loss"]
    for name in weights:
        compare(theta[name], weights[name], g[name])
    again, _, _ = step(theta, state, x, labels, inside=inside)
    other, _, _ = step(theta, start(weights), x, labels, inside=inside)
    difference = again["head"]["W"] - other["head"]["W"]
    np.testing.assert_allclose(difference, -0.05 * 0.9 * g["head"]["W"], rtol=1e-8, atol=1e-12)


def compare(new, old, slope):
    """Each array has moved by a twentieth of its slope."""
    pairs = old.keys() if isinstance(old, dict) else range(len(old)) if isinstance(old, list) else None
    if pairs is None:
        np.testing.assert_allclose(new, old - 0.05 * slope, rtol=1e-12)
        return
    for each in pairs:
        compare(new[each], old[each], slope[each])


def test_training_on_the_digits_lowers_the_loss():
    from suites import inception_training

    rng = np.random.default_rng(3)
    size = page.SMALL | {"batch": 64, "steps": 40}
    weights, batches = inception_training.inputs(rng, **size)
    state, losses = start(weights), []
    for x, labels in zip(batches["x"], batches["labels"], strict=True):
        weights, state, loss = step(weights, state, x, labels)
        losses.append(loss)
    assert np.mean(losses[-5:]) < 0.7 * losses[0]
