"""Attention: gradients against finite differences, values against loops over queries and keys."""

import math

import numpy as np
import pytest

from reference.attention import attention, attention_vjp
from reference.multi_head_attention import multi_head_attention, multi_head_attention_vjp
from tests.differences import check_dtype, check_vjp

b, h, t, s, d, e = 2, 3, 5, 7, 4, 6
OPTIONS = [
    ("none", {}),
    ("none", {"causal": True}),
    ("boolean", {}),
    ("boolean", {"causal": True}),
    ("additive", {}),
    ("both", {}),
    ("rows", {"masked_rows": "zero"}),
    ("rows", {"masked_rows": "mean"}),
]


def draw(rng, masking):
    data = {"q": rng.normal(size=(b, h, t, d)), "k": rng.normal(size=(b, h, s, d))}
    data["v"] = rng.normal(size=(b, h, s, e))
    if masking in ("additive", "both"):
        data["bias"] = rng.normal(size=(h, t, s))
    if masking in ("boolean", "both", "rows"):
        data["mask"] = rng.uniform(size=(b, 1, t, s)) < 0.6
        data["mask"][..., 0] = True
    if masking == "rows":
        data["mask"][:, :, 2] = False
    return data


def by_loops(q, k, v, mask=None, bias=None, *, causal=False, masked_rows="nan"):
    y = np.zeros((b, h, t, e))
    for place in np.ndindex(b, h, t):
        image, head, i = place
        seen = [
            j
            for j in range(s)
            if (mask is None or mask[image, 0, i, j]) and not (causal and j > i)
        ]  # fmt: skip
        score = {j: sum(q[place] * k[image, head, j]) / math.sqrt(d) for j in seen}
        if bias is not None:
            score = {j: score[j] + bias[head, i, j] for j in seen}
        total = sum(math.exp(x) for x in score.values())
        if not seen:
            y[place] = {"nan": math.nan, "zero": 0, "mean": v[image, head].mean(0)}[masked_rows]
        for j in seen:
            y[place] += math.exp(score[j]) / total * v[image, head, j]
    return y


@pytest.mark.parametrize(("masking", "option"), OPTIONS, ids=str)
def test_the_gradient_is_that_of_finite_differences(masking, option):
    rng = np.random.default_rng(1)
    inputs = draw(rng, masking)
    check_vjp(attention, attention_vjp, inputs, options=option, rng=rng)
    check_dtype(attention, attention_vjp, inputs, options=option)


@pytest.mark.parametrize(("masking", "option"), [*OPTIONS, ("rows", {})], ids=str)
def test_attention_is_the_loop(masking, option):
    inputs = draw(np.random.default_rng(2), masking)
    np.testing.assert_allclose(attention(**inputs, **option), by_loops(**inputs, **option), rtol=1e-12)


@pytest.mark.parametrize("shape", [(), (s,), (t, s), (1, 1, s), (b, 1, 1, s), (b, h, t, s)], ids=str)
def test_a_bias_of_any_shape_that_broadcasts_has_a_gradient_of_that_shape(shape):
    rng = np.random.default_rng(3)
    inputs = draw(rng, "none") | {"bias": rng.normal(size=shape)}
    check_vjp(attention, attention_vjp, inputs, rng=rng)


def test_a_row_without_keys_is_nan_where_the_formula_is_taken_literally():
    inputs = draw(np.random.default_rng(4), "rows")
    grads = attention_vjp(np.ones((b, h, t, e)), **inputs)
    assert np.isnan(attention(**inputs)[:, :, 2]).all()
    assert np.isnan(grads["q"][:, :, 2]).all()
    assert np.isnan(grads["k"]).all()
    assert np.isfinite(np.delete(grads["q"], 2, axis=2)).all()


def test_a_query_sends_no_gradient_to_its_future():
    inputs = draw(np.random.default_rng(5), "none")
    dy = np.zeros((b, h, t, e))
    dy[:, :, 1] = 1
    grads = attention_vjp(dy, **inputs, causal=True)
    assert not grads["k"][:, :, 2:].any()
    assert not grads["v"][:, :, 2:].any()
    assert grads["v"][:, :, :2].all()


def test_large_logits_do_not_overflow():
    inputs = draw(np.random.default_rng(6), "none")
    y = attention(**inputs | {"q": 1e4 * inputs["q"]})
    best = np.argmax(inputs["q"] @ np.swapaxes(inputs["k"], -1, -2), axis=-1)
    np.testing.assert_allclose(y, np.take_along_axis(inputs["v"], best[..., None], axis=2), rtol=1e-12)


def draw_heads(rng, shifts=True):
    c, width = 6, {"Q": (h, d), "K": (h, d), "V": (h, e)}
    heads = {f"W_{name}": rng.normal(size=(c, *shape)) for name, shape in width.items()}
    heads["W_O"] = rng.normal(size=(h, e, c))
    if shifts:
        heads |= {f"b_{name}": rng.normal(size=shape) for name, shape in width.items()}
        heads["b_O"] = rng.normal(size=c)
    return {"x": rng.normal(size=(b, t, c)), "heads": heads}, rng.normal(size=(b, s, c))


HEADS = [
    ("self", {}),
    ("self", {"causal": True}),
    ("cross", {}),
    ("cross without shifts", {}),
    ("cross masked", {"masked_rows": "zero"}),
    ("cross masked", {"masked_rows": "mean"}),
    ("cross additive", {}),
]


def draw_layer(rng, kind):
    inputs, z = draw_heads(rng, "without" not in kind)
    if "cross" in kind:
        inputs["z"] = z
    if "masked" in kind:
        inputs["mask"] = draw(rng, "rows")["mask"]
    if "additive" in kind:
        inputs["bias"] = rng.normal(size=(h, t, s))
    return inputs


@pytest.mark.parametrize(("kind", "option"), HEADS, ids=str)
def test_the_gradient_of_all_heads_is_that_of_finite_differences(kind, option):
    rng = np.random.default_rng(7)
    inputs = draw_layer(rng, kind)
    check_vjp(multi_head_attention, multi_head_attention_vjp, inputs, options=option, rng=rng)
    check_dtype(multi_head_attention, multi_head_attention_vjp, inputs, options=option)


@pytest.mark.parametrize(("kind", "option"), HEADS, ids=str)
def test_all_heads_are_the_sum_over_each_head_of_its_projection(kind, option):
    inputs = draw_layer(np.random.default_rng(8), kind)
    x, W, z = inputs["x"], inputs["heads"], inputs.get("z", inputs["x"])
    got = multi_head_attention(**inputs, **option)
    want = np.zeros_like(got) + W.get("b_O", 0)
    for i in range(h):
        q, k, v = (
            (y @ W[f"W_{name}"][:, i] + (W[f"b_{name}"][i] if f"b_{name}" in W else 0))[:, None]
            for y, name in ((x, "Q"), (z, "K"), (z, "V"))
        )
        bias = inputs["bias"][i] if "bias" in inputs else None
        want += attention(q, k, v, inputs.get("mask"), bias, **option)[:, 0] @ W["W_O"][i]
    np.testing.assert_allclose(got, want, rtol=1e-10)
