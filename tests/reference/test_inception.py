"""The Inception module: pixel by pixel from the paper's words, and its gradient by finite differences."""

import numpy as np
import pytest

from reference.inception import inception, inception_vjp
from suites.layers.inception import draw, named, statistics
from tests.differences import check_dtype, check_vjp

SIZE = {"one": 2, "three": (3, 4), "five": (2, 1), "pool": 2}


def given(batch=2):
    rng = np.random.default_rng(11)
    weights = draw(rng, 3, **SIZE)
    return rng, weights, {"x": rng.normal(size=(batch, 5, 4, 3))} | statistics(rng, named(weights))


def by_pixels(h, layer, mean, variance, training, eps=1e-3):
    """One unit, from windows of one pixel each; and the moments of its channels."""
    W, r = layer["W"], len(layer["W"]) // 2
    n, p, q, _ = h.shape
    wide = np.zeros((n, p + 2 * r, q + 2 * r, h.shape[3]))
    wide[:, r : r + p, r : r + q] = h
    rows = [[np.tensordot(wide[:, i : i + len(W), j : j + len(W)], W, 3) for j in range(q)] for i in range(p)]
    a = np.array(rows).transpose(2, 0, 1, 3)
    moments = a.mean(axis=(0, 1, 2)), a.var(axis=(0, 1, 2)), a.var(axis=(0, 1, 2), ddof=1)
    m, v = moments[:2] if training else (mean, variance)
    return np.maximum(layer["gamma"] * (a - m) / np.sqrt(v + eps) + layer["beta"], 0), moments


def pooled(x):
    _, p, q, _ = x.shape
    rows = [
        [x[:, max(i - 1, 0) : i + 2, max(j - 1, 0) : j + 2].max(axis=(1, 2)) for j in range(q)]
        for i in range(p)
    ]
    return np.array(rows).transpose(2, 0, 1, 3)


@pytest.mark.parametrize(("training", "unbiased"), [(True, True), (True, False), (True, None), (False, None)])
def test_each_branch_is_its_units_pixel_by_pixel(training, unbiased):
    _, weights, data = given()
    found = inception(**data, **weights, training=training, unbiased=unbiased, momentum=0.3)
    ends, means, variances, at = [], [], [], 0
    for name, branch in weights.items():
        h = pooled(data["x"]) if name == "pool" else data["x"]
        for layer in branch:
            here = slice(at, at + len(layer["beta"]))
            mean, variance = data["mean"][here], data["variance"][here]
            h, (m, biased, corrected) = by_pixels(h, layer, mean, variance, training)
            means.append(0.7 * mean + 0.3 * m)
            variances.append(0.7 * variance + 0.3 * (corrected if unbiased else biased))
            at = here.stop
        ends.append(h)
    np.testing.assert_allclose(found["y"], np.concatenate(ends, axis=3), rtol=1e-12, atol=1e-12)
    if unbiased is None:
        assert set(found) == {"y"}
        return
    np.testing.assert_allclose(found["mean"], np.concatenate(means), rtol=1e-12)
    np.testing.assert_allclose(found["variance"], np.concatenate(variances), rtol=1e-12)


@pytest.mark.parametrize(("training", "batch"), [(True, 2), (True, 1), (False, 2)])
def test_the_gradient_is_that_of_finite_differences(training, batch):
    rng, weights, data = given(batch)
    fixed = {name: data[name] for name in ("mean", "variance")}

    def y(x, **weights):
        return inception(x, **fixed, **weights, training=training)["y"]

    def slope(dy, x, **weights):
        return inception_vjp(dy, x, **fixed, **weights, training=training)

    check_vjp(y, slope, weights | {"x": data["x"]}, rng=rng)
    check_dtype(
        inception,
        lambda dy, **rest: inception_vjp(dy["y"], **rest),
        weights | data,
        options={"training": training},
    )


def test_a_blank_image_gives_the_shifts_where_kernels_are_of_one_pixel():
    _, weights, data = given()
    data["x"][:] = data["x"][:1, :1, :1]
    y = inception(**data, **weights)["y"]
    shift = np.maximum(weights["one"][0]["beta"], 0)
    np.testing.assert_allclose(y[..., :2], np.broadcast_to(shift, (2, 5, 4, 2)), atol=1e-12)
