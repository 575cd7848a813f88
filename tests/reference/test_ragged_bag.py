"""Bags of any length: values against loops over words, gradients against finite differences."""

from itertools import pairwise

import numpy as np
import pytest

from reference.ragged_bag import ragged_bag, ragged_bag_vjp
from tests.differences import check_dtype, check_vjp

v, d = 7, 3
WEIGHTED = [
    (mode, weighted, option)
    for mode in ("sum", "mean", "sqrtn")
    for weighted in (False, True)
    for option in ({}, {"padding": 2}, {"include_last_offset": True}, {"max_norm": 1.5})
]
CASES = [*WEIGHTED, ("max", False, {}), ("max", False, {"padding": 2}), ("max", False, {"max_norm": 1.5})]


def draw(weighted=False, seed=3, include_last_offset=False, **_):
    rng = np.random.default_rng(seed)
    ids = np.array([2, 1, 1, 4, 2, 0, 6, 2, 2, 5, 3])
    offsets = np.array([0, 3, 3, 5, 7, 9])  # an empty bag, one of row 2 alone
    if include_last_offset:
        offsets = np.append(offsets, 10)  # and one word that no bag holds
    inputs = {"ids": ids, "offsets": offsets, "U": rng.normal(size=(v, d))}
    return rng, inputs | ({"alpha": rng.uniform(0.5, 1.5, size=len(ids))} if weighted else {})


def by_loops(ids, offsets, U, alpha=None, *, mode, padding=None, include_last_offset=False, max_norm=None):
    ends = [*offsets] if include_last_offset else [*offsets, len(ids)]
    if max_norm:
        U = np.array([row * min(1, max_norm / (np.linalg.norm(row) + 1e-7)) for row in U])
    y = []
    for begin, end in pairwise(ends):
        words = [k for k in range(begin, end) if ids[k] != padding]
        a = np.array([1 if alpha is None else alpha[k] for k in words])
        rows = U[ids[words]] if words else np.zeros((0, d))
        if not words:
            y.append(np.zeros(d))
        elif mode == "max":
            y.append(rows.max(axis=0))
        else:
            divisor = {"sum": 1, "mean": a.sum(), "sqrtn": (a**2).sum() ** 0.5}[mode]
            y.append(sum(x * row for x, row in zip(a, rows, strict=True)) / divisor)
    return np.array(y)


@pytest.mark.parametrize(("mode", "weighted", "option"), CASES, ids=str)
def test_a_bag_is_what_its_words_say(mode, weighted, option):
    _, inputs = draw(weighted, **option)
    want = by_loops(**inputs, mode=mode, **option)
    np.testing.assert_allclose(ragged_bag(**inputs, mode=mode, **option), want, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(("mode", "weighted", "option"), CASES, ids=str)
def test_the_gradient_is_that_of_finite_differences(mode, weighted, option):
    rng, inputs = draw(weighted, **option)
    options = {"mode": mode, **option}
    check_dtype(ragged_bag, ragged_bag_vjp, inputs, options=options)
    if "max_norm" in option:  # its scaling has no gradient: where it scales nothing there is one
        options["max_norm"] = 99.0
    check_vjp(ragged_bag, ragged_bag_vjp, inputs, options=options, rng=rng)


@pytest.mark.parametrize("mode", ["sum", "mean", "max"])
def test_a_longest_row_is_rescaled_outside_of_the_gradient(mode):
    rng, inputs = draw()
    norm = np.linalg.norm(inputs["U"], axis=1, keepdims=True)
    V = inputs["U"] * np.minimum(1, 0.9 / (norm + 1e-7))
    assert (norm > 0.9).any()
    dy = rng.normal(size=(6, d))
    got = ragged_bag_vjp(dy, **inputs, mode=mode, max_norm=0.9)["U"]
    want = ragged_bag_vjp(dy, **inputs | {"U": V}, mode=mode)["U"]
    np.testing.assert_allclose(got, want, rtol=1e-12)


def test_a_row_of_padding_and_an_unused_row_get_no_gradient():
    rng, inputs = draw(True)
    grads = ragged_bag_vjp(rng.normal(size=(6, d)), **inputs, padding=2)
    assert not grads["U"][2].any()
    assert grads["U"][[0, 1, 3, 4, 5, 6]].all()
    assert not grads["alpha"][inputs["ids"] == 2].any()
    assert not ragged_bag(**inputs, padding=2)[[1, 4]].any()


def test_a_frequent_row_is_divided_by_its_uses():
    rng, inputs = draw()
    dy = rng.normal(size=(6, d))
    plain = ragged_bag_vjp(dy, **inputs)["U"]
    uses = [max(np.sum(inputs["ids"] == row), 1) for row in range(v)]
    got = ragged_bag_vjp(dy, **inputs, by_frequency=True)["U"]
    np.testing.assert_allclose(got, plain / np.array(uses)[:, None], rtol=1e-12)
    assert got.dtype == plain.dtype
    single = {name: x.astype(np.float32) if x.dtype == float else x for name, x in inputs.items()}
    assert ragged_bag_vjp(dy.astype("f4"), **single, by_frequency=True)["U"].dtype == np.float32


def test_a_word_of_another_bag_may_be_no_number():
    U = np.array([[np.nan], [2.0], [4.0]])
    ids, offsets = np.array([0, 1, 1, 2]), np.array([0, 1, 1, 4])  # a bag of a NaN, of none, of three words
    for mode, want in (("sum", 8), ("mean", 8 / 3), ("max", 4)):
        np.testing.assert_allclose(ragged_bag(ids, offsets[:3], U, mode=mode)[1:], [[0], [want]])


@pytest.mark.parametrize("weighted", [False, True])
def test_an_empty_bag_is_the_default_row_which_collects_its_gradients(weighted):
    rng, inputs = draw(weighted)
    options = {"mode": "mean", "default": 4}
    y, plain = ragged_bag(**inputs, **options), ragged_bag(**inputs, mode="mean")
    np.testing.assert_array_equal(y[1], inputs["U"][4])
    np.testing.assert_array_equal(np.delete(y, 1, axis=0), np.delete(plain, 1, axis=0))
    check_vjp(ragged_bag, ragged_bag_vjp, inputs, options=options, rng=rng)
    check_dtype(ragged_bag, ragged_bag_vjp, inputs, options=options)
