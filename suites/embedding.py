"""Word embeddings: lookup of a table's rows, and the gradient, which sums over repeated uses of a row.

Convention: the gradient is dense. TensorFlow's is a list of rows and is made dense, as its optimisers do
for a dense table. "padding" is a row that gets no gradient: torch's padding_idx. Keras's mask_zero makes a
mask for later layers and does not change the gradient; JAX has neither.
"""

from gaugeblock import Case, Contender
from reference.embedding import embedding, embedding_vjp

SIZES = {
    "small": {"batch": 5, "time": 11, "vocabulary": 23, "width": 17},
    "one": {"batch": 1, "time": 1, "vocabulary": 1, "width": 1},
    "gpt2": {"batch": 8, "time": 1024, "vocabulary": 50257, "width": 768},
    "large": {"batch": 64, "time": 4096, "vocabulary": 32000, "width": 256},
}
REGIMES = {
    "typical": "words as often as in text: the k-th with probability 1/k",
    "repeated": "two words for all places: long sums in the gradient, and rows that get none",
}


def inputs(rng, *, batch, time, vocabulary, width, regime="typical", **option):
    frequency = 1 / (1 + rng.permutation(vocabulary))
    ids = rng.choice(vocabulary, size=(batch, time), p=frequency / frequency.sum())
    if regime == "repeated":
        ids = ids[0, 0] + rng.integers(0, 2, size=(batch, time))
    return {"E": rng.normal(size=(vocabulary, width))}, {"ids": ids % vocabulary}


def in_torch(weights, *, padding=None):
    import torch

    def run(params, ids):
        return {"y": torch.nn.functional.embedding(ids, params["weight"], padding_idx=padding)}

    return {"weight": weights["E"]}, run


def in_torch_module(weights, *, padding=None):
    import torch

    module = torch.nn.Embedding(*weights["E"].shape, padding_idx=padding)
    params = {"weight": weights["E"]}
    return params, lambda params, ids: {"y": torch.func.functional_call(module, params, (ids,))}


def in_tensorflow(weights):
    import tensorflow as tf

    return dict(weights), lambda params, ids: {"y": tf.nn.embedding_lookup(params["E"], ids)}


def in_keras(weights):
    import keras

    layer = keras.layers.Embedding(*weights["E"].shape)
    layer.build((None, None))
    return [weights["E"]], lambda params, ids: {"y": layer.stateless_call(params, [], ids)[0]}


def in_jax(weights):
    import jax

    return dict(weights), lambda params, ids: {"y": jax.numpy.take(params["E"], ids, axis=0)}


def in_flax(weights):
    import flax.linen

    layer = flax.linen.Embed(*weights["E"].shape, param_dtype=weights["E"].dtype)
    return {"embedding": weights["E"]}, lambda params, ids: {"y": layer.apply({"params": params}, ids)}


COMPILED = ("function", "xla")  # eager runs the same kernels as function
NO_PADDING = {"padding": "has no row without a gradient"}
case = Case(
    name="embedding",
    looked_up=("E",),
    title="Word embeddings: lookup",
    reference=embedding,
    gradient=embedding_vjp,
    inputs=inputs,
    sizes=SIZES,
    options={"plain": {}, "padding": {"padding": 0}},
    regimes=REGIMES,
    rare=("padding",),
    vast=("gpt2", "large"),
    integers={"plain": 18, "padding": 18},
    contenders=(
        Contender("torch", "torch.nn.functional.embedding", in_torch),
        Contender("torch", "torch.nn.Embedding", in_torch_module),
        Contender(
            "tensorflow", "tensorflow.nn.embedding_lookup", in_tensorflow, NO_PADDING, ("function", "xla")
        ),
        Contender("tensorflow", "keras.layers.Embedding", in_keras, NO_PADDING, ("function",)),
        Contender("jax", "jax.numpy.take", in_jax, NO_PADDING),
        Contender("jax", "flax.linen.Embed", in_flax, NO_PADDING),
    ),
    items=lambda *, batch, time, **_: batch * time,
    unit="words",
    flops=lambda **_: 0,  # a lookup only moves bytes
)
