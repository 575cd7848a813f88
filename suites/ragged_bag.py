"""Bags of word vectors of any length: sums, means and maxima over sections of one list of words.

Convention: torch's, a list of words and the offset of each bag; an empty bag is zero. TensorFlow takes the
bags as a sparse matrix (its plain lookup expects a word in each). Keras and JAX have no bag: their users look
up the vectors and add them by segment. suites/embedding_bag.py has bags of equal length. The page is long
because no two of its APIs have the same options.
"""

import math
from functools import partial

import numpy as np

from gaugeblock import Case, Contender, Refusal
from reference.ragged_bag import ragged_bag, ragged_bag_vjp


def inputs(rng, *, bags, words, vocabulary, width, weighted=False, empty=False, regime="typical", **option):
    lengths = rng.integers(1, 2 * words, size=bags)
    if empty:
        lengths *= rng.uniform(size=bags) < 0.7
        lengths[[-1, 0]] = 0, words
    ends = np.cumsum(lengths)
    ids = rng.integers(0, vocabulary, size=ends[-1])
    offsets = np.concatenate([[0], ends if option.get("include_last_offset") else ends[:-1]])
    data = {"ids": ids, "offsets": offsets}
    if weighted:
        data["alpha"] = rng.uniform(0.1, 1, size=len(ids))
    U = rng.normal(size=(vocabulary, width))
    if regime == "uneven-lengths":
        U[ids[0]] *= 1000
    return {"U": U}, data


def torch_keywords(*, mode="sum", padding=None, max_norm=None, by_frequency=False, **option):
    how = {"mode": mode, "padding_idx": padding, "max_norm": max_norm, "scale_grad_by_freq": by_frequency}
    return how | {"include_last_offset": option.get("include_last_offset", False)}


def kept(U, *, max_norm=None, **option):
    """The table, or a copy if torch rescales the table that it is given, as documented."""
    return U if max_norm is None else U.clone()


def in_torch(weights, **option):
    import torch

    def run(params, ids, offsets, alpha=None):
        call, how = torch.nn.functional.embedding_bag, torch_keywords(**option)
        return {"y": call(ids, kept(params["weight"], **option), offsets, per_sample_weights=alpha, **how)}

    return {"weight": weights["U"]}, run


def in_torch_module(weights, *, sparse=False, **option):
    import torch

    bag = torch.nn.EmbeddingBag(*weights["U"].shape, sparse=sparse, **torch_keywords(**option))

    def run(params, ids, offsets, alpha=None):
        weight = {"weight": kept(params["weight"], **option)}
        return {"y": torch.func.functional_call(bag, weight, (ids, offsets, alpha))}

    return {"weight": weights["U"]}, run


def in_tensorflow(name, weights, *, mode="sum", include_last_offset=False, default=None, **option):
    import tensorflow as tf

    how = {} if default is None else {"default_id": default}

    lookup = getattr(tf.nn, name)

    def run(params, ids, offsets, alpha=None):
        begins, last = (offsets[:-1], offsets[-1]) if include_last_offset else (offsets, len(ids))
        words, ids = len(ids), ids[:last]
        place = tf.range(last, dtype=offsets.dtype)
        bag = tf.searchsorted(begins, place, side="right", out_type=tf.int64) - 1
        places = tf.stack([bag, place - tf.gather(begins, bag)], axis=1)

        def sparse(values):
            return tf.SparseTensor(places, values, (len(begins), words))

        shares = None if alpha is None else sparse(alpha)
        return {"y": lookup(params["U"], sparse(ids), shares, combiner=mode, **how)}

    return dict(weights), run


def by_segments(ops, total, largest, *, mode="sum", padding=None, include_last_offset=False, **option):
    """Reduce the word vectors by bag; `ops` is a module with NumPy's interface, of Keras or JAX."""

    def run(params, ids, offsets, alpha=None):
        begins = offsets[:-1] if include_last_offset else offsets
        n = len(begins)
        begun = total(ops.ones_like(begins), begins, len(ids) + 1)  # the bags that start at each word
        bag = ops.cumsum(begun)[:-1] - 1
        u = ops.take(params["U"], ids, axis=0)
        counts = ops.ones_like(ids, dtype=bool) if padding is None else ids != padding
        counts = ops.cumsum(ops.ones_like(ids)) <= offsets[-1] if include_last_offset else counts
        a = ops.where(counts, ops.ones_like(u[:, 0]) if alpha is None else alpha, 0)
        if mode == "max":  # an empty bag is -∞ or the smallest finite number
            y = largest(ops.where(counts[:, None], u, -math.inf), bag, n)
            return {"y": ops.where(total(a, bag, n)[:, None] > 0, y, ops.zeros_like(y))}
        y = total(a[:, None] * u, bag, n)
        if mode != "sum":
            z = total(a, bag, n) if mode == "mean" else ops.sqrt(total(a * a, bag, n))
            y = y / ops.where(z == 0, ops.ones_like(z), z)[:, None]
        return {"y": y}

    return run


def in_keras(weights, **option):
    import keras

    ops = keras.ops
    return dict(weights), by_segments(ops, ops.segment_sum, ops.segment_max, **option)


def in_jax(weights, **option):
    import jax

    return dict(weights), by_segments(jax.numpy, jax.ops.segment_sum, jax.ops.segment_max, **option)


OPTIONS = {
    "plain": {},
    "weighted": {"weighted": True},
    "mean": {"mode": "mean"},
    "weighted-mean": {"mode": "mean", "weighted": True},
    "sqrtn": {"mode": "sqrtn"},
    "weighted-sqrtn": {"mode": "sqrtn", "weighted": True},
    "last-offset": {"mode": "mean", "include_last_offset": True},
    "empty": {"empty": True},
    "empty-mean": {"mode": "mean", "empty": True},
    "padding": {"padding": 0, "weighted": True},
    "padding-mean": {"padding": 0, "mode": "mean"},
    "max-norm": {"max_norm": 3.5, "mode": "mean"},
    "by-frequency": {"by_frequency": True},
    "max": {"mode": "max"},
    "empty-max": {"mode": "max", "empty": True},
    "padding-max": {"mode": "max", "padding": 0},
    "default-row": {"empty": True, "default": 1, "mode": "mean"},
    "default-row-weighted": {"empty": True, "default": 1, "weighted": True},
}
REGIMES = {
    "typical": "seeded normal draws",
    "uneven-lengths": "the first word a thousand times as long, which a running sum over the bags carries on",
}
SUMS, MAXIMA = (
    [name for name in OPTIONS if ("max" in name.split("-")[-1:]) == flag] for flag in (False, True)
)
UNWEIGHTED = dict.fromkeys(("weighted-mean", "weighted-sqrtn"), "takes weights in mode 'sum' only") | {
    "sqrtn": "has no such mode"
}
DENSE = dict.fromkeys(MAXIMA, "has no sparse gradient of a maximum")
TORCH_ONLY = {
    "max-norm": "differentiates through what it scales",
    "by-frequency": "has no gradient by frequency",
}
NO_MAXIMUM = dict.fromkeys(MAXIMA, "has no maximum")
NO_PADDING = dict.fromkeys(("padding", "padding-mean"), "has no row that does not count")
FULL = dict.fromkeys(("empty", "empty-mean"), "expects a word in each bag (see safe_embedding_lookup_sparse)")
BAG = TORCH_ONLY | NO_MAXIMUM | NO_PADDING
ZERO = dict.fromkeys(("default-row", "default-row-weighted"), "has no row for an empty bag")
UNWEIGHTED |= ZERO
ELSE = dict.fromkeys(SUMS, "is a maximum")
NO_XLA = [Refusal("*/xla/*", "unsupported operations")]  # for segments of a sparse matrix on a CPU
LOOKUP, SAFE = "embedding_lookup_sparse", "safe_embedding_lookup_sparse"

case = Case(
    name="ragged-bag",
    looked_up=("U",),
    title="Word embeddings: bags of any length",
    reference=ragged_bag,
    gradient=ragged_bag_vjp,
    inputs=inputs,
    sizes={
        "small": {"bags": 7, "words": 4, "vocabulary": 19, "width": 13},
        "one": {"bags": 1, "words": 1, "vocabulary": 2, "width": 1},
        "long": {"bags": 3, "words": 700, "vocabulary": 5003, "width": 5},
        "fasttext": {"bags": 128, "words": 24, "vocabulary": 5000, "width": 100},
    },
    options=OPTIONS,
    regimes=REGIMES,
    rare=("uneven-lengths",),
    minor=True,
    contenders=(
        Contender("torch", "torch.nn.functional.embedding_bag", in_torch, UNWEIGHTED),
        Contender("torch", "torch.nn.EmbeddingBag", in_torch_module, UNWEIGHTED),
        Contender(
            "torch",
            "torch.nn.EmbeddingBag",
            partial(in_torch_module, sparse=True),
            UNWEIGHTED | DENSE,
            variant="sparse",
            refuses=[
                Refusal("by-frequency/*/gradient", "not supported with sparse gradients"),
                Refusal("weighted/compile/*/gradient", "Attempting to broadcast"),  # in Inductor
            ],
        ),
        Contender(
            "tensorflow",
            f"tensorflow.nn.{LOOKUP}",
            partial(in_tensorflow, LOOKUP),
            BAG | FULL | ZERO,
            refuses=NO_XLA,
        ),
        Contender("tensorflow", f"tensorflow.nn.{SAFE}", partial(in_tensorflow, SAFE), BAG, refuses=NO_XLA),
        Contender("tensorflow", "keras.ops.segment_sum", in_keras, TORCH_ONLY | NO_MAXIMUM | ZERO),
        Contender("tensorflow", "keras.ops.segment_max", in_keras, ELSE),
        Contender("jax", "jax.ops.segment_sum", in_jax, TORCH_ONLY | NO_MAXIMUM | ZERO),
        Contender("jax", "jax.ops.segment_max", in_jax, ELSE),
    ),
    items=lambda *, bags, words, **_: bags * words,
    unit="words",
    flops=lambda *, bags, words, width, **_: 2 * bags * words * width,
)
