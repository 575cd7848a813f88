"""Multi-head attention with further arguments: finite differences, and the layer without them."""

import numpy as np
import pytest

from reference.head_options import head_options, head_options_vjp
from reference.multi_head_attention import multi_head_attention
from suites.head_options import OPTIONS, SIZES, inputs
from tests.differences import check_dtype, check_vjp

HOW = ("zero", "causal", "window", "scores")


@pytest.mark.parametrize("name", OPTIONS)
def test_the_gradient_is_that_of_finite_differences(name):
    option = OPTIONS[name]
    weights, data = inputs(np.random.default_rng(1), **SIZES["small"], **option)
    how = {key: value for key, value in option.items() if key in HOW}
    f, f_vjp = head_options, head_options_vjp
    check_vjp(f, f_vjp, weights | data, options=how, rng=np.random.default_rng(2), rtol=1e-6, samples=8)
    check_dtype(f, f_vjp, weights | data, options=how)


@pytest.mark.parametrize("option", [{}, {"causal": True}, {"cross": True}, {"masking": True}], ids=str)
def test_without_arguments_it_is_the_plain_layer(option):
    weights, data = inputs(np.random.default_rng(3), **SIZES["small"], **option)
    how = {"causal": option.get("causal", False)}
    want = multi_head_attention(**data, **weights, **how)
    np.testing.assert_allclose(head_options(**data, **weights, **how), want, rtol=1e-12, atol=1e-13)
    found = head_options(**data, **weights, **how, scores="each")
    np.testing.assert_allclose(found["A"].sum(axis=-1), 1, rtol=1e-13)


def test_a_further_key_is_one_more_token_and_the_zeros_take_weight():
    weights, data = inputs(np.random.default_rng(4), **SIZES["small"], further=True)
    found = head_options(**data, **weights, zero=True, scores="each")
    W, x = weights["heads"], data["x"]
    Q = np.einsum("btc,chd->bhtd", x, W["W_Q"]) + W["b_Q"][:, None]
    K = np.einsum("btc,chd->bhtd", x, W["W_K"]) + W["b_K"][:, None]
    S = np.einsum("bhtd,bhsd->bhts", Q, K)
    S = np.concatenate([S, np.einsum("bhtd,hd->bht", Q, W["k"])[..., None], 0 * S[..., :1]], axis=-1)
    e = np.exp(S / Q.shape[-1] ** 0.5)
    np.testing.assert_allclose(found["A"], e / e.sum(axis=-1, keepdims=True), rtol=1e-12)


def test_masks_of_keys_hide_them_and_a_masked_query_has_equal_weights():
    masks = ("query_mask", "value_mask", "key_mask")
    weights, data = inputs(np.random.default_rng(5), **SIZES["small"], masks=masks)
    A = head_options(**data, **weights, scores="each")["A"]
    for b, t in np.ndindex(*data["query_mask"].shape):
        if not data["query_mask"][b, t]:
            np.testing.assert_allclose(A[b, :, t], 1 / A.shape[-1], rtol=1e-13)
        else:
            hidden = ~(data["value_mask"] & data["key_mask"])[b]
            assert not A[b, :, t][:, hidden].any()


def test_a_gate_of_one_half_halves_what_goes_out():
    weights, data = inputs(np.random.default_rng(6), **SIZES["small"], gate=True)
    W = dict(weights["heads"]) | {name: 0 * weights["heads"][name] for name in ("W_G", "b_G")}
    plain = {name: array for name, array in W.items() if not name.endswith("G")}
    got, want = head_options(**data, heads=W), multi_head_attention(**data, heads=plain)
    np.testing.assert_allclose(got - W["b_O"], (want - W["b_O"]) / 2, rtol=1e-12)


def test_a_norm_of_ones_leaves_normed_vectors_as_they_are():
    weights, data = inputs(np.random.default_rng(7), **SIZES["small"], normed=True)
    twice = dict(weights["heads"])
    scaled = twice | {name: 5 * twice[name] for name in ("W_Q", "b_Q", "W_K", "b_K")}
    one, other = head_options(**data, heads=twice), head_options(**data, heads=scaled)
    np.testing.assert_allclose(one, other, rtol=1e-4)  # but for ε
