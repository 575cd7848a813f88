"""Losses of pixels: gradients against finite differences, values against the losses of a last axis."""

import numpy as np
import pytest

from reference.loss import cross_entropy, sparse_cross_entropy
from reference.pixel_loss import pixel, pixel_vjp, sparse_pixel, sparse_pixel_vjp
from suites.pixel_loss import ALL_SPARSE, EVERY, SIZES, inputs, sparse_inputs
from tests.differences import check_dtype, check_vjp

HOW = ("axis", "smoothing", "ignored", "reduction")
CASES = [
    (f, f_vjp, draw, name, options[name])
    for f, f_vjp, draw, options in (
        (pixel, pixel_vjp, inputs, EVERY),
        (sparse_pixel, sparse_pixel_vjp, sparse_inputs, ALL_SPARSE),
    )
    for name in options
]


@pytest.mark.parametrize(
    ("f", "f_vjp", "draw", "name", "option"), CASES, ids=lambda each: getattr(each, "__name__", str(each))
)
def test_the_gradient_is_that_of_finite_differences(f, f_vjp, draw, name, option):
    data = draw(np.random.default_rng(1), **SIZES["small"], **option)[1]
    how = {key: value for key, value in option.items() if key in HOW}
    fixed = ("y", "w", "v")
    check_vjp(f, f_vjp, data, fixed=fixed, options=how, rng=np.random.default_rng(2), rtol=1e-8)
    check_dtype(f, f_vjp, data, options=how)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("axis", [1, -1])
def test_a_pixel_is_an_example(axis, smoothing):
    z = np.random.default_rng(3).normal(size=(4, 5, 3))
    y = np.random.default_rng(4).dirichlet(np.ones(z.shape[axis]), size=(4, z.size // 4 // z.shape[axis]))
    rows = np.moveaxis(z, axis, -1).reshape(-1, z.shape[axis])
    dense = pixel(z, np.moveaxis(y, -1, axis), axis=axis, smoothing=smoothing)
    want = cross_entropy(rows, y.reshape(rows.shape), smoothing=smoothing)
    np.testing.assert_allclose(dense, want, rtol=1e-13)
    w, numbers = np.random.default_rng(5).uniform(1, 2, size=z.shape[axis]), y.argmax(axis=-1)
    how = {"smoothing": smoothing, "reduction": "weighted mean"}
    got = sparse_pixel(z, numbers, w, axis=axis, **how)
    np.testing.assert_allclose(got, sparse_cross_entropy(rows, numbers.ravel(), w, **how), rtol=1e-13)


def test_what_is_left_out_is_as_if_it_were_not_there():
    data = sparse_inputs(np.random.default_rng(6), **SIZES["small"], ignored=0)[1]
    z, y = data["z"], data["y"]
    rows, kept = np.moveaxis(z, 1, -1)[y != 0], y[y != 0]
    np.testing.assert_allclose(sparse_pixel(z, y, ignored=0), sparse_cross_entropy(rows, kept), rtol=1e-13)
    dense = inputs(np.random.default_rng(7), **SIZES["small"], masking="classes")[1]
    l = pixel(**dense, reduction="none")
    at = np.flatnonzero(dense["seen"][1, :, 2])
    row, t = dense["z"][1, at, 2][None], dense["y"][1, at, 2][None]
    np.testing.assert_allclose(l[1, 2], cross_entropy(row, t), rtol=1e-13)
    assert not pixel_vjp(1.0, **dense)["z"][~dense["seen"]].any()


def test_a_pixel_without_classes_has_no_loss_and_no_gradient():
    dense = inputs(np.random.default_rng(7), **SIZES["small"], masking="classes")[1]
    dense["seen"][1, :, 2] = False
    assert pixel(**dense, reduction="none")[1, 2] == 0
    dz = pixel_vjp(1.0, **dense)["z"]
    assert np.isfinite(dz).all() and not dz[~dense["seen"]].any()
