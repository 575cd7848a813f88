"""Known departures of bags of any length."""

from gaugeblock import Limit

EQUALS = "divides a gradient among equal words: if a word is in a bag three times, thirds are rounded"
TIES = {
    "option": ("max", "empty-max", "padding-max"),
    "direction": "gradient",
    "dtype": ("float64", "float32", "bfloat16"),  # with few bits, different words may be equal
}

limits = {
    "uses-of-another-row": Limit(
        "torch",
        "if rows are used unequally often, it divides a row by the uses of another row",
        "pytorch/pytorch#190063",
        {
            "backend": "torch",
            "contender": ("torch.nn.functional.embedding_bag", "torch.nn.EmbeddingBag"),
            "option": "by-frequency",
            "direction": "gradient",
            "device": "cpu",
            "size": ("small", "long", "fasttext"),
            "dtype": ("float64", "float32", "float16", "bfloat16"),
        },
    ),
    "gradient-among-equals": Limit(
        "jax",
        EQUALS,
        "jax/_src/lax/slicing.py:3048",
        TIES | {"backend": "jax", "contender": "jax.ops.segment_max"},
        always=False,
    ),
    "gradient-among-equals-in-tensorflow": Limit(
        "tensorflow",
        EQUALS,
        "tensorflow/python/ops/math_grad.py:577",
        TIES | {"backend": "tensorflow", "contender": "keras.ops.segment_max"},
        always=False,
    ),
}
