"""Embeddings: gradients against finite differences, values against loops over words."""

from math import exp, log

import numpy as np
import pytest

from reference.embedding import (
    embedding,
    embedding_bag,
    embedding_bag_vjp,
    embedding_vjp,
    skip_gram,
    skip_gram_start,
    skip_gram_step,
    skip_gram_vjp,
)
from tests.differences import check_dtype, check_vjp

n, k, v, d = 6, 3, 5, 4  # fewer words than places: rows repeat


def draw(seed=1):
    rng = np.random.default_rng(seed)
    ids = rng.integers(0, v, size=(n, k))
    words = {"center": ids[:, 0], "context": ids[:, 1], "negatives": rng.integers(0, v, size=(n, 2))}
    return rng, ids, words, rng.normal(size=(v, d)), rng.normal(size=(v, d))


@pytest.mark.parametrize("name", ["embedding", "bag", "skip-gram"])
def test_the_gradient_is_that_of_finite_differences(name):
    rng, ids, words, U, V = draw()
    f, f_vjp, inputs = {
        "embedding": (embedding, embedding_vjp, {"ids": ids, "E": U}),
        "bag": (embedding_bag, embedding_bag_vjp, {"ids": ids, "alpha": rng.normal(size=(n, k)), "U": U}),
        "skip-gram": (skip_gram, skip_gram_vjp, words | {"V": V, "U": U}),
    }[name]
    check_vjp(f, f_vjp, inputs, rng=rng)
    check_dtype(f, f_vjp, inputs)


def test_every_use_of_a_row_adds_to_its_gradient_and_padding_gets_none():
    rng, ids, _, E, _ = draw()
    dy = rng.normal(size=(n, k, d))
    should_be = np.zeros((v, d))
    for place in np.ndindex(n, k):
        should_be[ids[place]] += dy[place]
    np.testing.assert_allclose(embedding_vjp(dy, ids, E)["E"], should_be, rtol=1e-14)
    got = embedding_vjp(dy, ids, E, padding=2)["E"]
    should_be[2] = 0
    np.testing.assert_allclose(got, should_be, rtol=1e-14)
    assert np.array_equal(embedding(ids, E, padding=2), embedding(ids, E))


def test_a_bag_is_the_weighted_sum_of_its_words():
    rng, ids, _, U, _ = draw()
    alpha = rng.normal(size=(n, k))
    should_be = [sum(alpha[w, i] * U[ids[w, i]] for i in range(k)) for w in range(n)]
    np.testing.assert_allclose(embedding_bag(ids, alpha, U), should_be, rtol=1e-13)


def test_the_skip_gram_loss_is_the_paper_s_mean_over_pairs():
    _, _, words, U, V = draw()
    total = 0.0
    for w, c, negatives in zip(words["center"], words["context"], words["negatives"], strict=True):
        total -= log(1 / (1 + exp(-V[w] @ U[c])))
        total -= sum(log(1 / (1 + exp(V[w] @ U[j]))) for j in negatives)
    np.testing.assert_allclose(skip_gram(**words, V=V, U=U), total / n, rtol=1e-13)


def test_a_step_goes_down_the_gradient_and_lowers_the_loss():
    _, _, words, U, V = draw()
    weights = {"V": V, "U": U}
    state = skip_gram_start(weights)
    g = skip_gram_vjp(np.float64(1), **words, **weights)
    after, state, loss = skip_gram_step(weights, state, **words, lr=0.25)
    for name, array in weights.items():
        assert np.array_equal(after[name], array - 0.25 * g[name])
    assert loss == skip_gram(**words, **weights)
    assert skip_gram(**words, **after) < loss


def test_a_step_keeps_float32():
    _, _, words, U, V = draw()
    weights = {"V": V.astype(np.float32), "U": U.astype(np.float32)}
    after, _, loss = skip_gram_step(weights, {}, **words, lr=0.1)
    assert loss.dtype == after["V"].dtype == after["U"].dtype == np.float32
