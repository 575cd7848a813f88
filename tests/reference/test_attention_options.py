"""Attention with further arguments: gradients against finite differences, values against loops of rows."""

import numpy as np
import pytest

from reference.attention_options import (
    grouped_attention,
    grouped_attention_vjp,
    scored_attention,
    scored_attention_vjp,
)
from suites.attention_options import GROUPED, SCORED, grouped_inputs, scored_inputs
from tests.differences import check_dtype, check_vjp

SIZE = {"batch": 3, "heads": 4, "time": 5, "keys": 6, "width": 3}
HOW = ("scale", "causal", "concat")


@pytest.mark.parametrize("name", GROUPED)
def test_the_gradient_of_grouped_attention_is_that_of_finite_differences(name):
    option = GROUPED[name]
    data = grouped_inputs(np.random.default_rng(1), **SIZE, **option)[1]
    how = {key: value for key, value in option.items() if key in HOW}
    f, f_vjp = grouped_attention, grouped_attention_vjp
    check_vjp(f, f_vjp, data, options=how, rng=np.random.default_rng(2), rtol=1e-7)
    check_dtype(f, f_vjp, data, options=how)


def test_a_batch_of_none_has_gradients_and_groups_divide_the_heads():
    option = GROUPED["grouped"]
    data = grouped_inputs(np.random.default_rng(1), **SIZE | {"batch": 0}, **option)[1]
    grads = grouped_attention_vjp(np.zeros_like(data["q"]), **data)
    assert {name: g.shape for name, g in grads.items()} == {name: x.shape for name, x in data.items()}
    with pytest.raises(ValueError, match="2 groups do not divide 3 heads"):
        grouped_inputs(np.random.default_rng(1), **SIZE | {"heads": 3}, **option)


def test_the_log_sum_of_an_infinite_score_is_infinite():
    q, k = np.array([[[[np.inf]]]]), np.ones((1, 1, 1, 1))
    with np.errstate(all="ignore"):  # the softmax is ∞ − ∞
        assert grouped_attention(q, k, k, sums=True)["lse"] == np.inf
        assert grouped_attention(-q, k, k, sums=True)["lse"] == -np.inf


@pytest.mark.parametrize("name", SCORED)
def test_the_gradient_of_scored_attention_is_that_of_finite_differences(name):
    option = SCORED[name]
    weights, data = scored_inputs(np.random.default_rng(1), **SIZE, **option)
    how = {key: value for key, value in option.items() if key in (*HOW, "scores")}
    f, f_vjp = scored_attention, scored_attention_vjp
    check_vjp(f, f_vjp, weights | data, options=how, rng=np.random.default_rng(2), rtol=1e-7)
    check_dtype(f, f_vjp, weights | data, options=how)


@pytest.mark.parametrize("name", GROUPED)
def test_each_query_is_a_softmax_over_the_keys_of_its_group(name):
    option = GROUPED[name]
    data = grouped_inputs(np.random.default_rng(3), **SIZE, **option)[1]
    q, k, v = (data[x] for x in "qkv")
    c = option.get("scale", q.shape[-1] ** -0.5)
    how = {key: option[key] for key in ("scale", "causal", "sums") if key in option}
    found = grouped_attention(**data, **how)
    y = found["y"] if option.get("sums") else found
    for b, h, t in np.ndindex(*q.shape[:3]):
        head = h * k.shape[1] // q.shape[1]
        S = c * k[b, head] @ q[b, h, t]
        seen = np.arange(len(S)) < (data["keys"][b] if "keys" in data else len(S))
        seen &= data["mask"][b, 0, t] if "mask" in data else True
        seen &= np.arange(len(S)) <= t if option.get("causal") else True
        if "asks" in data and t >= data["asks"][b]:
            assert not y[b, h, t].any()
            continue
        e = np.exp(S) * seen
        np.testing.assert_allclose(y[b, h, t], e @ v[b, head] / e.sum(), rtol=1e-12, atol=1e-14)
        if option.get("sums"):
            assert found["lse"][b, h, t] == pytest.approx(np.log(e.sum()), rel=1e-12)


@pytest.mark.parametrize("name", SCORED)
def test_each_score_is_a_product_or_a_sum_of_tanh(name):
    option = SCORED[name]
    weights, data = scored_inputs(np.random.default_rng(4), **SIZE, **option)
    how = {key: option[key] for key in ("concat", "causal") if key in option}
    got = scored_attention(**weights, **data, **how, scores=True)
    s, w = weights.get("scale", 1), weights.get("w", 1)
    for b, t in np.ndindex(*data["q"].shape[:2]):
        q, k = data["q"][b, t], data["k"][b]
        S = w * np.tanh(s * (q + k)).sum(axis=-1) if option.get("concat") else s * k @ q
        e = np.exp(S) * (data["value_mask"][b] if "value_mask" in data else 1)
        e = e * (np.arange(len(e)) <= t) if option.get("causal") else e
        shown = data["query_mask"][b, t] if "query_mask" in data else 1
        np.testing.assert_allclose(got["A"][b, t], e / e.sum(), rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(
            got["y"][b, t], shown * (e @ data["v"][b]) / e.sum(), rtol=1e-12, atol=1e-13
        )
