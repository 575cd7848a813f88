"""Normalisation over an axis: gradients against finite differences, values against those of a last axis."""

import numpy as np
import pytest

from reference.masked_norm import masked_norm, masked_norm_vjp
from reference.normalization import layer_norm
from reference.rms_norm import rms_norm
from suites.masked_norm import OPTIONS, SIZES, inputs
from tests.differences import check_dtype, check_vjp

HOW = ("axis", "centred")


def drawn(name):
    option = OPTIONS[name]
    weights, data = inputs(np.random.default_rng(1), **SIZES["small"], **option)
    return weights | data, {key: value for key, value in option.items() if key in HOW}


@pytest.mark.parametrize("name", OPTIONS)
def test_the_gradient_is_that_of_finite_differences(name):
    data, how = drawn(name)
    check_vjp(masked_norm, masked_norm_vjp, data, options=how, rng=np.random.default_rng(2), rtol=1e-8)
    check_dtype(masked_norm, masked_norm_vjp, data, options=how)


@pytest.mark.parametrize("name", [name for name, how in OPTIONS.items() if "masked" not in how])
def test_of_all_elements_it_is_the_norm_of_a_last_axis(name):
    data, how = drawn(name)
    axis = how.get("axis", -1)
    x, weights = np.moveaxis(data["x"], axis, -1), {k: data[k] for k in ("gamma", "beta") if k in data}
    want = layer_norm(x, **weights) if how.get("centred", True) else rms_norm(x, **weights, eps=1e-5)
    np.testing.assert_allclose(
        masked_norm(**data, **how), np.moveaxis(want, -1, axis), rtol=1e-11, atol=1e-13
    )


def test_more_than_255_elements_are_counted():
    x = np.random.default_rng(3).normal(size=(1, 1, 300))
    np.testing.assert_allclose(masked_norm(x, seen=np.ones(x.shape, bool)), masked_norm(x), rtol=1e-12)


@pytest.mark.parametrize("name", [name for name, how in OPTIONS.items() if "masked" in how])
def test_mean_and_variance_are_those_of_what_is_seen(name):
    data, how = drawn(name)
    axis = how.get("axis", -1)
    y = masked_norm(data["x"], seen=data["seen"], **how)
    rows, seen, found = (np.moveaxis(a, axis, -1) for a in (data["x"], data["seen"], y))
    for i in np.ndindex(rows.shape[:2]):
        some = rows[i][seen[i]]
        mean = some.mean() if how.get("centred", True) else 0
        want = (rows[i] - mean) / np.sqrt(((some - mean) ** 2).mean() + 1e-5)
        np.testing.assert_allclose(found[i], want, rtol=1e-11)
