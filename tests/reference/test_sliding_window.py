"""Sliding-window attention: what is seen, what is not, and finite differences."""

import numpy as np
import pytest

from reference.attention import attention
from reference.sliding_window import band, sliding_window_attention, sliding_window_attention_vjp
from tests.differences import check_dtype, check_vjp

OPTIONS = [{"left": 2}, {"left": 1, "right": 2}, {"left": 0}, {"left": None}, {"left": 3, "right": None}]


def draw(seed=1, t=6, s=6):
    rng = np.random.default_rng(seed)
    shapes = {"q": (2, 3, t, 4), "k": (2, 3, s, 4), "v": (2, 3, s, 5)}
    return rng, {name: rng.normal(size=shape) for name, shape in shapes.items()}


def test_a_query_sees_its_own_place_and_its_window():
    want = [[1, 1, 0, 0, 0], [1, 1, 1, 0, 0], [1, 1, 1, 1, 0], [0, 1, 1, 1, 1]]
    assert band(4, 5, left=2, right=1).astype(int).tolist() == want


@pytest.mark.parametrize("option", OPTIONS, ids=str)
def test_each_query_attends_to_the_keys_of_its_window(option):
    _, inputs = draw(s=8)
    y = sliding_window_attention(**inputs, **option)
    left, right = option["left"], option.get("right", 0)
    for i in range(6):
        seen = slice(0 if left is None else max(i - left, 0), None if right is None else i + right + 1)
        q, k, v = inputs["q"][:, :, i : i + 1], inputs["k"][:, :, seen], inputs["v"][:, :, seen]
        np.testing.assert_allclose(y[:, :, i : i + 1], attention(q, k, v), rtol=1e-12)


@pytest.mark.parametrize("option", OPTIONS, ids=str)
def test_the_gradient_is_that_of_finite_differences(option):
    rng, inputs = draw()
    check_vjp(sliding_window_attention, sliding_window_attention_vjp, inputs, options=option, rng=rng)
    check_dtype(sliding_window_attention, sliding_window_attention_vjp, inputs, options=option)


def test_a_window_without_ends_is_attention():
    _, inputs = draw()
    y = sliding_window_attention(**inputs, left=None, right=None)
    np.testing.assert_allclose(y, attention(**inputs), rtol=1e-14)
    y = sliding_window_attention(**inputs)
    np.testing.assert_allclose(y, attention(**inputs, causal=True), rtol=1e-14)


def test_no_gradient_leaves_the_window():
    _, inputs = draw()
    dy = np.zeros((2, 3, 6, 5))
    dy[:, :, 3] = 1
    grads = sliding_window_attention_vjp(dy, **inputs, left=1, right=1)
    for name in ("k", "v"):
        assert not grads[name][:, :, [0, 1, 5]].any()
        assert grads[name][:, :, 2:5].all()
