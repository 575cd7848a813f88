"""Known departures of bags of any length."""

from gaugeblock import Limit
from suites.limits.activation import FLUSHES
from suites.limits.embedding_bag import INPUTS
from suites.limits.rms_norm import flushes

EQUALS = "divides a gradient among equal words: if a word is in a bag three times, thirds are rounded"
EVERY = ("float64", "float32", "bfloat16", "float16")
UNEVEN = ("bags:3+words:5+vocabulary:7+width:2", "bags:4+words:4+vocabulary:4+width:4")
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
            "size": ("small", "long", "fasttext", *UNEVEN),
            "dtype": EVERY,
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
    "words-past-the-last-offset": Limit(
        "torch",
        "words past the last offset belong to no bag: the forward pass may count them for the last one, and "
        "the gradient reads a bag for them that is not set",
        "aten/src/ATen/native/EmbeddingBag.cpp, make_offset2bag; pytorch/pytorch#52851",
        {
            "backend": "torch",
            "option": "last-offset",
            "regime": "same-index",  # all offsets are zero
            "device": "cpu",
            "dtype": EVERY,
        },
        always=False,
    ),
    "maximum-loses-nan": Limit(
        "torch",
        "takes a word if it is greater than those before: a NaN that is not the first of its bag is lost",
        "aten/src/ATen/native/EmbeddingBag.cpp, embedding_bag_cpu_max_out",
        {
            "backend": "torch",
            "option": ("max", "empty-max", "padding-max"),
            "regime": "one-nan",
            "direction": "forward",
            "device": "cpu",
            "dtype": EVERY,
        },
        always=False,
    ),
    "segment-maximum-loses-nan": Limit(
        "tensorflow",
        "takes the larger of a word and of those before: a NaN is lost if a word follows",
        "tensorflow/include/tensorflow/core/kernels/segment_reduction_ops_impl.h:464 (MaxOp)",
        {
            "backend": "tensorflow",
            "contender": "keras.ops.segment_max",
            "regime": "one-nan",
            "direction": "forward",
            "dtype": EVERY,
        },
        always=False,
    ),
    "subnormal-inputs-tensorflow": flushes("tensorflow", FLUSHES["tensorflow"], INPUTS, direction="forward"),
    "no-rows-for-empty-bags": Limit(
        "tensorflow",
        "gives no rows for empty bags at the end, as it expects a word in each",
        "tensorflow/python/ops/embedding_ops.py:642",
        {
            "backend": "tensorflow",
            "contender": "tensorflow.nn.embedding_lookup_sparse",
            "option": "last-offset",
            "regime": "same-index",
            "dtype": EVERY,
        },
        always=False,
    ),
}
