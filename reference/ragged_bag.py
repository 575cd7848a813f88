"""Bags of word vectors of any length: one list of words, and the offset of each bag in it.

Formula
    bag i has the words K_i = {k : offsets_i ≤ k < offsets_{i+1}, ids_k ≠ padding}, u_k = V[ids_k]
    y_i = Σ_{K_i} α_k u_k                              sum
    y_i = Σ_{K_i} α_k u_k / Σ_{K_i} α_k                mean
    y_i = Σ_{K_i} α_k u_k / √(Σ_{K_i} α_k²)            sqrtn
    y_i = max_{K_i} u_k, element by element            max
    α_k = 1 by default. V = U, or with max_norm U with longer rows scaled to that norm.
    Gradient: y = S / Z, where S is a weighted bag (embedding.py) with dS = dy / Z; with ∂Z/∂α_k = 1 (mean) or
    α_k / Z (sqrtn), dα_k = dy · (u_k − y ∂Z/∂α_k) / Z. A maximum passes dy to the word it took.
Shapes
    ids : (k,)    row numbers, bag by bag
    offsets : (n,)    the start of each bag; (n + 1,) with include_last_offset
    U : (v, d)    the table of vectors
    alpha : (k,)    weights within the bags, or none
    y : (n, d)
Source
    The documentation of torch.nn.EmbeddingBag and tensorflow.nn.embedding_lookup_sparse.
    Joulin et al. 2017, Bag of tricks for efficient text classification, section 2. arXiv:1607.01759
Choices
    A bag that is empty or has only padding is zero in every mode, or the row `default` (TensorFlow).
    A maximum takes no weights.
    include_last_offset: the last offset is the number of words that are used.
    max_norm: the table is rescaled before the lookup, and the gradient ignores this scaling; 1e-7 is added
    to the norm. This is torch's convention; TensorFlow differentiates through its clipping.
    by_frequency divides the gradient of a use by how often the batch uses that row (torch's
    scale_grad_by_freq). The result is not a gradient of y.
"""

import numpy as np

from reference.embedding import embedding_bag_vjp, embedding_vjp

SHIFT = 1e-7  # of the norm


def ragged_bag(
    ids,
    offsets,
    U,
    alpha=None,
    *,
    mode="sum",
    padding=None,
    include_last_offset=False,
    max_norm=None,
    default=None,
):
    place, inside = _matrix(ids, offsets, padding, include_last_offset)  # (n, k)
    words, V = ids[place], _rescaled(U, max_norm)
    if mode == "max":
        return _maximum(V[words], inside)[0]
    a = _weights(alpha, place, inside)
    filled, b, counted = _filled(words, a, inside, default)
    return _sum(filled, b, counted, V) / _divisor(alpha, a, inside, U, mode)


def ragged_bag_vjp(
    dy,
    ids,
    offsets,
    U,
    alpha=None,
    *,
    mode="sum",
    padding=None,
    include_last_offset=False,
    max_norm=None,
    by_frequency=False,
    default=None,
):
    place, inside = _matrix(ids, offsets, padding, include_last_offset)
    words, V = ids[place], _rescaled(U, max_norm)
    if mode == "max":
        _, first = _maximum(V[words], inside)
        du = np.zeros_like(U, shape=(*words.shape, U.shape[1]))  # (n, k, d)
        np.put_along_axis(du, first, np.where(_empty(inside), 0.0, dy)[:, None], axis=1)
        return {"U": embedding_vjp(du, words, U)["E"]}
    a = _weights(alpha, place, inside)
    Z = _divisor(alpha, a, inside, U, mode)
    filled, b, _ = _filled(words, a, inside, default)
    grads = {"U": embedding_bag_vjp(dy / Z, filled, b, V)["U"]}
    if alpha is not None:
        grads["alpha"] = np.zeros_like(alpha)
        rest = _rest(words, a, V, inside, Z, mode)
        grads["alpha"][place[inside]] = np.einsum("nd,nkd->nk", dy / Z, rest)[inside]
    if by_frequency:
        uses = np.maximum(np.bincount(ids, minlength=len(U)), 1)
        grads["U"] = grads["U"] / _narrow(uses)[:, None]
    return grads


def _matrix(ids, offsets, padding, include_last_offset):
    """The bags as rows of a matrix of positions in `ids`, and a mask of those with a word."""
    ends = offsets if include_last_offset else np.append(offsets, len(ids))
    begins, ends = ends[:-1, None], ends[1:, None]
    place = begins + np.arange(max(np.max(ends - begins), 1))  # (n, k)
    inside = place < ends
    place = np.where(inside, place, 0)
    return place, inside if padding is None else inside & (ids[place] != padding)


def _weights(alpha, place, inside):
    return inside if alpha is None else np.where(inside, alpha[place], 0.0)


def _filled(words, a, inside, default):
    """Words, weights and mask with the row `default` once in each empty bag."""
    if default is None:
        return words, a, inside
    lone = _empty(inside) & (np.arange(inside.shape[1]) == 0)
    b = inside | lone if a is inside else np.where(lone, 1.0, a)
    return np.where(lone, default, words), b, inside | lone


def _divisor(alpha, a, inside, U, mode):
    if mode == "sum":
        return 1.0
    if alpha is not None:
        Z = a.sum(axis=1, keepdims=True) if mode == "mean" else np.sqrt((a * a).sum(axis=1, keepdims=True))
        return np.where(_empty(inside), 1.0, Z)  # (n, 1)
    count = np.maximum(inside.sum(axis=1, keepdims=True), 1)
    if mode == "mean":
        return _narrow(count)
    root = np.empty_like(U, shape=count.shape)
    root[...] = count
    return np.sqrt(root)


def _sum(words, a, inside, V):
    """Σ α_k u_k of the words that are inside: elsewhere u_k may be no number."""
    return np.einsum("nk,nkd->nd", a, np.where(inside[..., None], V[words], 0))


def _rest(words, a, V, inside, Z, mode):
    """Z ∂y/∂α: u_k itself, or what y ∂Z/∂α leaves of it: (n, k, d)."""
    if mode == "sum":
        return V[words]
    y = (_sum(words, a, inside, V) / Z)[:, None]  # (n, 1, d)
    return V[words] - (y if mode == "mean" else y * (a / Z)[..., None])


def _narrow(count):
    """Counts in the smallest dtype that fits, which does not promote float32, nor float16 up to 255."""
    return count.astype(np.min_scalar_type(count.max()))


def _maximum(u, inside):
    """The maximum of each bag, and the first word that attains it."""
    u = np.where(inside[..., None], u, -np.inf)  # (n, k, d)
    first = u.argmax(axis=1)[:, None]  # (n, 1, d)
    return np.where(_empty(inside), 0.0, np.take_along_axis(u, first, axis=1)[:, 0]), first


def _empty(inside):
    return ~inside.any(axis=1, keepdims=True)  # (n, 1)


def _rescaled(U, max_norm):
    if max_norm is None:
        return U
    norm = np.sqrt(np.sum(U * U, axis=1, keepdims=True))  # (v, 1)
    return np.where(norm > max_norm, U * (max_norm / (norm + SHIFT)), U)
