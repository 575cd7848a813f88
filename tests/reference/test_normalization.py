"""RMS, group and batch norm: gradients against finite differences, values against loops over plain floats."""

import math

import numpy as np
import pytest

from reference.batch_norm import (
    batch_norm,
    batch_norm_inference,
    batch_norm_inference_vjp,
    batch_norm_vjp,
)
from reference.group_norm import group_norm, group_norm_vjp
from reference.normalization import layer_norm
from reference.rms_norm import rms_norm, rms_norm_vjp
from tests.differences import check_dtype, check_vjp

b, t, c = 3, 2, 4
TOLD = {"rtol": 1e-12, "atol": 0}


def draw(rng, shape, *, names, weights=(c,)):
    return {"x": 3 + rng.normal(size=shape)} | {name: rng.normal(size=weights) for name in names.split()}


@pytest.mark.parametrize("axes", [1, 2])
@pytest.mark.parametrize("names", ["", "gamma"])
@pytest.mark.parametrize("eps", [1e-6, 0.5])
def test_the_gradient_of_rms_norm_is_that_of_finite_differences(axes, names, eps):
    rng = np.random.default_rng(1)
    inputs = draw(rng, (b, t, c), names=names, weights=(t, c)[-axes:])
    options = {"axes": axes, "eps": eps}
    check_vjp(rms_norm, rms_norm_vjp, inputs, options=options, rng=rng)
    check_dtype(rms_norm, rms_norm_vjp, inputs, options=options)


def test_rms_norm_is_the_loop_over_rows_and_centres_nothing():
    rng = np.random.default_rng(2)
    x, gamma = 3 + rng.normal(size=(b, c)), rng.normal(size=c)
    y = rms_norm(x, gamma, eps=0.1)
    for i in range(b):
        s = math.sqrt(sum(float(value) ** 2 for value in x[i]) / c + 0.1)
        np.testing.assert_allclose(y[i], [gamma[j] * x[i, j] / s for j in range(c)], **TOLD)


@pytest.mark.parametrize("groups", [1, 2, None])
@pytest.mark.parametrize("names", ["", "gamma", "gamma beta"])
@pytest.mark.parametrize("eps", [1e-5, 0.5])
def test_the_gradient_of_group_norm_is_that_of_finite_differences(groups, names, eps):
    rng = np.random.default_rng(3)
    inputs, options = draw(rng, (b, 2, 3, c), names=names), {"groups": groups, "eps": eps}
    check_vjp(group_norm, group_norm_vjp, inputs, options=options, rng=rng)
    check_dtype(group_norm, group_norm_vjp, inputs, options=options)


@pytest.mark.parametrize("groups", [1, 2, 4])
def test_group_norm_is_the_loop_over_groups(groups):
    rng = np.random.default_rng(4)
    x, gamma, beta = 2 + rng.normal(size=(b, t, c)), rng.normal(size=c), rng.normal(size=c)
    y, width = group_norm(x, gamma, beta, groups=groups, eps=0.1), c // groups
    for i in range(b):
        for k in range(c):
            first = k // width * width
            some = [float(x[i, p, j]) for p in range(t) for j in range(first, first + width)]
            mean = sum(some) / len(some)
            s = math.sqrt(sum((value - mean) ** 2 for value in some) / len(some) + 0.1)
            want = [gamma[k] * (x[i, p, k] - mean) / s + beta[k] for p in range(t)]
            np.testing.assert_allclose(y[i, :, k], want, **TOLD)


def test_one_group_is_layer_norm_over_places_and_channels():
    x = np.random.default_rng(5).normal(size=(b, t, c))
    both = layer_norm(x, np.ones((t, c)))
    np.testing.assert_allclose(group_norm(x, groups=1), both, **TOLD)


def test_without_groups_each_channel_is_one():
    x = np.random.default_rng(6).normal(size=(b, t, c))
    assert np.array_equal(group_norm(x), group_norm(x, groups=c))
    np.testing.assert_allclose(group_norm(x, eps=0.0).mean(axis=1), 0, atol=1e-12)


def draw_batch(rng, names="gamma beta"):
    running = {"mean": rng.normal(size=c), "variance": 1 + rng.uniform(size=c)}
    return draw(rng, (b, 2, c), names=names) | running


@pytest.mark.parametrize("names", ["", "gamma", "beta", "gamma beta"])
@pytest.mark.parametrize("eps", [1e-5, 0.5])
def test_the_gradient_of_batch_norm_is_that_of_finite_differences(names, eps):
    rng = np.random.default_rng(7)
    inputs, told = (
        draw_batch(rng, names),
        {"fixed": ("mean", "variance"), "options": {"eps": eps}, "rng": rng},
    )

    def y(**inputs):
        return batch_norm(**inputs)["y"]

    check_vjp(y, batch_norm_vjp, inputs, **told)
    check_vjp(batch_norm_inference, batch_norm_inference_vjp, inputs, **told)
    check_dtype(y, batch_norm_vjp, inputs)
    check_dtype(batch_norm_inference, batch_norm_inference_vjp, inputs)
    check_dtype(batch_norm, None, inputs)


@pytest.mark.parametrize("unbiased", [True, False])
def test_batch_norm_is_the_loop_over_channels(unbiased):
    rng = np.random.default_rng(8)
    inputs = draw_batch(rng)
    y = batch_norm(**inputs, momentum=0.3, unbiased=unbiased, eps=0.1)
    for k in range(c):
        column = inputs["x"][..., k].ravel().tolist()
        mean = sum(column) / len(column)
        squares = sum((value - mean) ** 2 for value in column)
        s = math.sqrt(squares / len(column) + 0.1)
        want = [inputs["gamma"][k] * (value - mean) / s + inputs["beta"][k] for value in column]
        np.testing.assert_allclose(y["y"][..., k].ravel(), want, **TOLD)
        new = {"mean": mean, "variance": squares / (len(column) - unbiased)}
        for name, value in new.items():
            assert y[name][k] == pytest.approx(0.7 * inputs[name][k] + 0.3 * value, rel=1e-12)


def test_inference_with_the_statistics_of_the_batch_is_training():
    inputs = draw_batch(np.random.default_rng(9))
    trained = batch_norm(**inputs, momentum=1.0, unbiased=False)
    running = {name: trained[name] for name in ("mean", "variance")}
    np.testing.assert_allclose(batch_norm_inference(**(inputs | running)), trained["y"], **TOLD)
