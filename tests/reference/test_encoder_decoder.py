"""The Transformer under masks: gradients against finite differences, and masks that say the same twice."""

import numpy as np
import pytest

from reference.encoder_decoder import encoder_decoder, encoder_decoder_vjp
from reference.transformer import transformer
from suites.encoder_decoder import OPTIONS, SIZES, inputs
from tests.differences import check_dtype, check_vjp

OF_INPUTS = ("masks", "shifts", "times_first")


def drawn(seed, **option):
    weights, data = inputs(np.random.default_rng(seed), **SIZES["small"], **option)
    return weights | data


@pytest.mark.parametrize("name", OPTIONS)
def test_the_gradient_is_that_of_finite_differences(name):
    how = {key: value for key, value in OPTIONS[name].items() if key not in OF_INPUTS}
    if "activation" in how:
        how["activation"] = "gelu-tanh"  # erfc has no longdouble
    given = drawn(1, **OPTIONS[name])
    check_vjp(
        encoder_decoder, encoder_decoder_vjp, given, fixed=("bias_source", "bias_memory"), options=how,
        rng=np.random.default_rng(2), samples=4, rtol=1e-7,
    )  # fmt: skip
    check_dtype(encoder_decoder, encoder_decoder_vjp, given, options=how)


def test_without_masks_it_is_the_transformer():
    given = drawn(3)
    np.testing.assert_allclose(encoder_decoder(**given), transformer(**given), rtol=1e-12)


def test_keys_hidden_in_source_and_memory_are_the_padding_of_the_transformer():
    given = drawn(4, masks=("source keys",))
    mask = given.pop("mask_source")
    got = encoder_decoder(**given, mask_source=mask, mask_memory=mask)
    np.testing.assert_allclose(got, transformer(**given, mask=mask), rtol=1e-12)


def test_a_boolean_mask_is_one_of_minus_infinity():
    given = drawn(5, masks=("source pairs", "memory pairs"))
    source, memory = (np.where(given.pop(f"mask_{name}"), 0.0, -np.inf) for name in ("source", "memory"))
    want = encoder_decoder(**drawn(5, masks=("source pairs", "memory pairs")))
    np.testing.assert_allclose(
        encoder_decoder(**given, bias_source=source, bias_memory=memory), want, rtol=1e-11, atol=1e-13
    )


def test_a_target_key_that_is_hidden_moves_nothing_but_its_own_place():
    given = drawn(6, causal=False, masks=("target keys",))
    y = encoder_decoder(**given, causal=False)
    hidden = ~given["mask_target"][:, 0, 0]
    given["target"][hidden] += 1
    np.testing.assert_array_equal(encoder_decoder(**given, causal=False)[~hidden], y[~hidden])
    assert hidden.any()
