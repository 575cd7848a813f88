"""The encoder under masks: gradients against finite differences, and masks that say the same twice."""

import numpy as np
import pytest

from reference.masked_encoder import masked_encoder, masked_encoder_vjp
from reference.transformer import encoder
from suites.masked_encoder import OPTIONS, SIZES, inputs
from tests.differences import check_dtype, check_vjp


@pytest.mark.parametrize("name", OPTIONS)
def test_the_gradient_is_that_of_finite_differences(name):
    option = OPTIONS[name]
    weights, data = inputs(np.random.default_rng(1), **SIZES["small"], **option)
    how = {key: value for key, value in option.items() if key in ("norm_first", "eps")}
    if "activation" in option:
        how["activation"] = "gelu-tanh"  # erfc has no longdouble
    check_vjp(
        masked_encoder, masked_encoder_vjp, weights | data, fixed=("bias",), options=how,
        rng=np.random.default_rng(2), samples=6, rtol=1e-7,
    )  # fmt: skip
    check_dtype(masked_encoder, masked_encoder_vjp, weights | data, options=how)


def test_a_boolean_mask_is_one_of_minus_infinity_and_none_is_the_encoder():
    weights, data = inputs(np.random.default_rng(3), **SIZES["small"], masking="boolean")
    x, mask = data["x"], data["mask"]
    added = masked_encoder(x, **weights, bias=np.where(mask, 0.0, -np.inf))
    np.testing.assert_allclose(masked_encoder(x, **weights, mask=mask), added, rtol=1e-12)
    np.testing.assert_allclose(masked_encoder(x, **weights), encoder(x, **weights), rtol=1e-15)


def test_shifts_that_are_left_out_are_shifts_of_zero():
    weights, data = inputs(np.random.default_rng(4), **SIZES["small"], shifts=False, masking="pairs")

    def shifted(W):
        if isinstance(W, list):
            return [shifted(each) for each in W]
        if "gamma" in W:
            return W | {"beta": 0 * W["gamma"]}
        if "W_Q" in W:
            zeros = {f"b_{name}": 0 * W[f"W_{name}"][0] for name in "QKV"}
            return W | zeros | {"b_O": 0 * W["W_O"][0, 0]}
        more = {f"b{i}": 0 * W[f"W{i}"][0] for i in (1, 2)} if "W1" in W else {}
        inner = {name: shifted(each) for name, each in W.items() if isinstance(each, dict | list)}
        return W | inner | more

    zeros = shifted(weights["W"])
    np.testing.assert_allclose(masked_encoder(**data, W=zeros), masked_encoder(**data, **weights), rtol=1e-12)
