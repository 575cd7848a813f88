"""Lookups and updates of rows: gradients against finite differences, values against loops."""

import numpy as np
import pytest

from reference.rows import add_rows, add_rows_vjp, lookup, lookup_vjp, set_rows, set_rows_vjp
from suites.rows import LOOKUPS, SIZES, UPDATES, inputs, set_inputs, update_inputs
from tests.differences import check_dtype, check_vjp

CHANGES = ((add_rows, add_rows_vjp, update_inputs), (set_rows, set_rows_vjp, set_inputs))


@pytest.mark.parametrize("name", [name for name in LOOKUPS if name != "by-frequency"])
def test_the_gradient_of_a_lookup_is_that_of_finite_differences(name):
    option = LOOKUPS[name]
    weights, data = inputs(np.random.default_rng(1), **SIZES["small"], **option)
    how = {key: value for key, value in option.items() if key in ("mode", "fill")}
    check_vjp(lookup, lookup_vjp, weights | data, options=how, rng=np.random.default_rng(2))
    check_dtype(lookup, lookup_vjp, weights | data, options=how)


def test_by_frequency_each_row_gets_the_mean_of_its_uses():
    ids, dy = np.array([2, 0, 2, 2]), np.arange(8.0).reshape(4, 2)
    got = lookup_vjp(dy, ids, np.zeros((3, 2)), by_frequency=True)["E"]
    np.testing.assert_allclose(got, [dy[1], [0, 0], dy[[0, 2, 3]].mean(axis=0)])


@pytest.mark.parametrize("mode", ["clip", "wrap"])
def test_a_number_out_of_range_is_numpys_take(mode):
    E, ids = np.arange(15.0).reshape(5, 3), np.arange(-11, 12)
    np.testing.assert_array_equal(lookup(ids, E, mode=mode), np.take(E, ids, axis=0, mode=mode))


def test_a_fill_is_for_what_is_out_of_range_from_both_ends():
    E = np.arange(3.0)[:, None]
    got = lookup(np.arange(-4, 4), E, mode="fill", fill=9.0)
    np.testing.assert_array_equal(got[:, 0], [9, 0, 1, 2, 0, 1, 2, 9])


@pytest.mark.parametrize("name", UPDATES)
@pytest.mark.parametrize(("f", "f_vjp", "draw"), CHANGES, ids=["add", "set"])
def test_the_gradient_of_a_change_is_that_of_finite_differences(f, f_vjp, draw, name):
    data = draw(np.random.default_rng(3), **SIZES["small"], **UPDATES[name])[1]
    check_vjp(f, f_vjp, data, rng=np.random.default_rng(4))
    check_dtype(f, f_vjp, data)


@pytest.mark.parametrize("name", UPDATES)
@pytest.mark.parametrize(("f", "f_vjp", "draw"), CHANGES, ids=["add", "set"])
def test_a_change_is_the_loop(f, f_vjp, draw, name):
    data = draw(np.random.default_rng(5), **SIZES["small"], **UPDATES[name])[1]
    want, n = data["x"].copy(), len(data["x"])
    for r, new in zip(data["ids"], data["new"], strict=True):
        if -n <= r < n:
            want[r] = want[r] + new if f is add_rows else new
    np.testing.assert_allclose(f(**data), want, rtol=1e-14)


def test_a_gradient_by_frequency_of_no_uses_is_zero():
    E, ids = np.ones((3, 2)), np.zeros((0,), int)
    found = lookup_vjp(np.zeros((0, 2)), ids, E, by_frequency=True)
    assert np.array_equal(found["E"], np.zeros_like(E))


def test_a_factor_scales_what_is_added_and_its_gradient():
    data = update_inputs(np.random.default_rng(6), **SIZES["small"])[1]
    got, scaled = add_rows(**data, alpha=-0.7), data | {"new": -0.7 * data["new"]}
    np.testing.assert_allclose(got, add_rows(**scaled), rtol=1e-14)
    check_vjp(add_rows, add_rows_vjp, data, options={"alpha": -0.7}, rng=np.random.default_rng(7))
