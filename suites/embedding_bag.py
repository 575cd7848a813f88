"""Weighted bags of word vectors: v_w = Σ α_wi u_i, against each framework's bag.

Convention: bags of equal length, as a matrix of words; a shorter bag has zero weights. torch.nn.EmbeddingBag
takes weights in mode "sum"; tf.nn.embedding_lookup_sparse takes words and weights as two sparse tensors.
Keras and JAX have no bag: their users multiply an embedding by its weights and sum.
"""

from gaugeblock import Case, Contender, Headline, Refusal
from reference.embedding import embedding_bag, embedding_bag_vjp

SIZES = {
    "small": {"bags": 11, "words": 6, "vocabulary": 19, "width": 13},
    "one": {"bags": 1, "words": 1, "vocabulary": 2, "width": 1},
    "fasttext": {"bags": 4096, "words": 24, "vocabulary": 50000, "width": 300},
}


def inputs(rng, *, bags, words, vocabulary, width, short=False):
    alpha = rng.uniform(0.1, 1, size=(bags, words))
    if short:
        alpha *= rng.integers(0, words + 1, size=(bags, 1)) > range(words)
    ids = rng.integers(0, vocabulary, size=(bags, words))
    return {"U": rng.normal(size=(vocabulary, width))}, {"ids": ids, "alpha": alpha}


def in_torch(weights, **option):
    import torch

    def run(params, ids, alpha):
        call = torch.nn.functional.embedding_bag
        return {"y": call(ids, params["weight"], mode="sum", per_sample_weights=alpha)}

    return {"weight": weights["U"]}, run


def in_torch_module(weights, **option):
    import torch

    bag = torch.nn.EmbeddingBag(*weights["U"].shape, mode="sum")

    def run(params, ids, alpha):
        return {"y": torch.func.functional_call(bag, params, (ids, None, alpha))}

    return {"weight": weights["U"]}, run


def in_tensorflow(weights, **option):
    import tensorflow as tf

    def run(params, ids, alpha):
        n, k = ids.shape
        places = tf.constant([(bag, word) for bag in range(n) for word in range(k)], tf.int64, (n * k, 2))
        words = tf.SparseTensor(places, tf.reshape(ids, [-1]), (n, k))
        shares = tf.SparseTensor(places, tf.reshape(alpha, [-1]), (n, k))
        return {"y": tf.nn.embedding_lookup_sparse(params["U"], words, shares, combiner="sum")}

    return dict(weights), run


def in_keras(weights, **option):
    import keras

    layer = keras.layers.Embedding(*weights["U"].shape)
    layer.build((None, None))

    def run(params, ids, alpha):
        u = layer.stateless_call(params, [], ids)[0]  # (n, k, d)
        return {"y": keras.ops.sum(u * alpha[..., None], axis=1)}

    return [weights["U"]], run


def in_flax(weights, **option):
    import flax.linen
    import jax.numpy as jnp

    layer = flax.linen.Embed(*weights["U"].shape, param_dtype=weights["U"].dtype)

    def run(params, ids, alpha):
        return {"y": jnp.einsum("nk,nkd->nd", alpha, layer.apply({"params": params}, ids))}

    return {"embedding": weights["U"]}, run


case = Case(
    name="embedding-bag",
    looked_up=("U",),
    title="Word embeddings: weighted bags",
    reference=embedding_bag,
    gradient=embedding_bag_vjp,
    inputs=inputs,
    sizes=SIZES,
    options={"plain": {}, "short-bags": {"short": True}},
    rare=("short-bags",),
    headlines=(
        Headline(
            "fasttext",
            "embedding bag, 4,096 bags of 24 words from 50,000 × 300",
            "the width of the published fastText and word2vec vectors",
            direction="forward",
            growth=({"bags": 64}, {"bags": 256}, {"bags": 1024}),
            gpu={"bags": 65_536},
            bits=8,
        ),
    ),
    integers={"plain": 12, "short-bags": 12},
    contenders=(
        Contender("torch", "torch.nn.functional.embedding_bag", in_torch),
        Contender("torch", "torch.nn.EmbeddingBag", in_torch_module),
        Contender(
            "tensorflow",
            "tensorflow.nn.embedding_lookup_sparse",
            in_tensorflow,
            refuses=[Refusal("*/xla/*", "unsupported operations")],  # SegmentSum has no XLA kernel on a CPU
        ),
        Contender("tensorflow", "keras.layers.Embedding", in_keras, modes=("function",)),
        Contender("jax", "flax.linen.Embed", in_flax),
    ),
    items=lambda *, bags, words, **_: bags * words,
    unit="words",
    flops=lambda *, bags, words, width, **_: 2 * bags * words * width,
)
