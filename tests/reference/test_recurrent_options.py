"""Recurrent layers with further arguments: finite differences, and the layers without them."""

import numpy as np
import pytest

from reference.gru import gru
from reference.lstm import lstm
from reference.rnn import rnn
from suites.recurrent_options import GATED, LONG, SIMPLE, SIZES, formula, inputs, slope
from tests.differences import check_dtype, check_vjp

OF_INPUTS = ("masked", "projected")
SETTINGS = [
    (kind, option)
    for kind, options in (("simple", SIMPLE), ("lstm", LONG), ("gru", GATED))
    for option in options.values()
]


@pytest.mark.parametrize(("kind", "option"), SETTINGS, ids=str)
def test_the_gradient_is_that_of_finite_differences(kind, option):
    weights, data = inputs(np.random.default_rng(1), kind=kind, **SIZES["small"], **option)
    how = {key: value for key, value in option.items() if key not in OF_INPUTS}
    f, f_vjp = formula(kind), slope(kind)
    check_vjp(f, f_vjp, weights | data, options=how, rng=np.random.default_rng(2), rtol=1e-7, samples=15)
    check_dtype(f, f_vjp, weights | data, options=how)


@pytest.mark.parametrize(("kind", "plain"), [("simple", rnn), ("lstm", lstm), ("gru", gru)])
def test_without_arguments_it_is_the_plain_layer_and_backwards_that_of_turned_steps(kind, plain):
    weights, data = inputs(np.random.default_rng(3), kind=kind, **SIZES["small"])
    x = data["x"]
    np.testing.assert_allclose(formula(kind)(x, **weights), plain(x, [[weights]]), rtol=1e-12)
    turned = plain(x[:, ::-1], [[weights]])
    np.testing.assert_allclose(formula(kind)(x, **weights, back=True), turned, rtol=1e-12)


@pytest.mark.parametrize("kind", ["simple", "lstm", "gru"])
def test_a_step_that_is_left_out_is_as_if_it_were_not_there(kind):
    weights, data = inputs(np.random.default_rng(4), kind=kind, **SIZES["small"], masked=True)
    y, zeros = (formula(kind)(**data, **weights, zero=zero) for zero in (False, True))
    for n, seen in enumerate(data["seen"]):
        kept = formula(kind)(data["x"][n : n + 1, seen], **weights)[0] if seen.any() else np.empty((0,))
        np.testing.assert_allclose(y[n, seen], kept.reshape(y[n, seen].shape), rtol=1e-12)
        assert not zeros[n, ~seen].any()
        for t in np.flatnonzero(~seen):
            before = y[n, t - 1] if t else 0 * y[n, t]
            np.testing.assert_array_equal(y[n, t], before)


@pytest.mark.parametrize("kind", ["simple", "lstm", "gru"])
def test_a_step_that_is_left_out_gives_zeros_even_after_a_nan(kind):
    weights, data = inputs(np.random.default_rng(4), kind=kind, **SIZES["small"], masked=True)
    data["x"][:, 0], data["seen"][:, 0], data["seen"][:, 1] = np.nan, True, False
    y = formula(kind)(**data, **weights, zero=True)
    assert np.isnan(y[:, 0]).all() and not y[:, 1].any()


def test_a_projection_that_is_not_narrower_than_the_state_is_refused():
    with pytest.raises(ValueError, match="projected is 3, should be less than hidden, 2"):
        inputs(np.random.default_rng(0), kind="lstm", batch=3, time=5, features=7, hidden=2, projected=3)
