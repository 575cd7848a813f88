"""Word embeddings: lookup, weighted bags of vectors, and skip-gram with negative sampling.

Formula
    y_i = E[ids_i]                                                embedding
    v_w = Σ_k α_wk U[ids_wk]                                      embedding_bag
    s_k = V[center] · U[word_k],  word = (context, negatives)
    J = -1/n Σ (log σ(s_0) + Σ_{k>0} log σ(-s_k))                 skip_gram
Shapes
    ids : (n, k)    row numbers; in a lookup of any shape, in bags one bag per row
    alpha : (n, k)    weights within the bag
    E : (v, d)    the table of vectors; U for bags
    center : (n,)    words
    context : (n,)    a word near each center
    negatives : (n, k)    words drawn at random
    V : (v, d)    vectors of words as centers
    U : (v, d)    vectors of words as contexts
Source
    Mikolov, Sutskever et al. 2013, eq. (4). arXiv:1310.4546
Choices
    The gradient of a lookup sums over all uses of a row, and is dense: zero for unused rows.
    padding names a row that gets no gradient, but is looked up like any other (torch's padding_idx).
    The skip-gram loss is the mean over pairs of the sum over the words; the sum over negatives replaces
    the expectation in the paper. Negatives that equal the context are not removed.
    Conditioning of skip-gram/*, skip-gram-training/* up to 11: the loss is a sum over pairs and words, in any
    order; and a word that is a context and a negative of one center has two slopes that cancel.
"""

import numpy as np

from reference.loss import binary_cross_entropy, binary_cross_entropy_vjp
from reference.optimizer import sgd, sgd_start


def embedding(ids, E, *, padding=None):
    return E[ids]  # (n, k, d)


def embedding_vjp(dy, ids, E, *, padding=None):
    """∂y_i/∂E_r = 1 where ids_i = r: each row collects the cotangents of its uses."""
    if padding is not None:
        dy = np.where((ids == padding)[..., None], 0, dy)
    dE = np.zeros_like(E)
    np.add.at(dE, ids, dy)
    return {"E": dE}


def embedding_bag(ids, alpha, U):
    return np.einsum("nk,nkd->nd", alpha, U[ids])


def embedding_bag_vjp(dy, ids, alpha, U):
    """∂v_w/∂α_wk = U[ids_wk], and each use of a row collects α_wk dv_w."""
    dalpha = np.einsum("nd,nkd->nk", dy, U[ids])
    return {"alpha": dalpha, "U": embedding_vjp(alpha[..., None] * dy[:, None], ids, U)["E"]}


def skip_gram(center, context, negatives, V, U):
    words = np.concatenate([context[:, None], negatives], axis=1)  # (n, 1 + k)
    s = np.einsum("nd,nkd->nk", V[center], U[words])  # (n, 1 + k)
    return binary_cross_entropy(s, _first(s), reduction="sum") * (1 / len(center))


def skip_gram_vjp(dy, center, context, negatives, V, U):
    """A score is a product of two rows: ∂s_k/∂V[center] = U[word_k], ∂s_k/∂U[word_k] = V[center]."""
    words = np.concatenate([context[:, None], negatives], axis=1)  # (n, 1 + k)
    v, u = V[center], U[words]  # (n, d), (n, 1 + k, d)
    s = np.einsum("nd,nkd->nk", v, u)
    ds = binary_cross_entropy_vjp(dy * (1 / len(center)), s, _first(s), reduction="sum")["z"]
    dv = np.einsum("nk,nkd->nd", ds, u)
    du = ds[..., None] * v[:, None]  # (n, 1 + k, d)
    return {"V": embedding_vjp(dv, center, V)["E"], "U": embedding_vjp(du, words, U)["E"]}


def skip_gram_start(weights):
    return sgd_start(weights)


def skip_gram_step(weights, state, center, context, negatives, *, lr=0.1):
    """One step of gradient descent on one batch of pairs."""
    loss = skip_gram(center, context, negatives, **weights)
    g = skip_gram_vjp(np.ones_like(loss), center, context, negatives, **weights)
    weights, state = sgd(weights, g, state, lr=lr)
    return weights, state, loss


def _first(s):
    """Targets: 1 for the context, 0 for the negatives."""
    y = np.zeros_like(s)
    y[:, 0] = 1
    return y
