"""Known departures of scaled dot-product attention."""

from gaugeblock import Limit
from suites.limits.activation import cancels
from suites.limits.layer_norm import HUGE, REFERENCE
from suites.limits.softmax import SLOPE, SLOPES

BACKWARD = "aten/src/ATen/native/cpu/FlashAttentionKernel.cpp, cpu_flash_attention_backward: "
FUSED = {
    "backend": "torch",
    "contender": ("torch.nn.functional.scaled_dot_product_attention", "keras.ops.dot_product_attention"),
    "device": "cpu",
    "direction": "gradient",
}
SOFTMAX = "computes the softmax in float32, even of float64 inputs"
SOFTMAX_WHERE = "jax/_src/nn/functions.py:969; jax-ml/jax#21371"
FINITE_MASK = Limit(
    "keras",
    "masks with −2e38, so that log n vanishes in torch's log-sum: its backward uses 1 in place of 1/n",
    "keras/src/backend/torch/nn.py:1386 and 1478 (3.15.1)",
    {"backend": "keras-torch", "device": "cpu", "direction": "gradient", "option": "masked-rows-mean"},
)
FLAX = "flax.linen.dot_product_attention"
SCORES = {
    "torch": "torch/nn/functional.py:7031 (2.13.0), baddbmm, and scaled_dot_product_attention",
    "tensorflow": "keras/src/layers/attention/multi_head_attention.py:589 (3.15.1)",
    "jax": "flax/linen/attention.py:132 (0.12.8)",
    "numpy": REFERENCE,
}
UNEQUAL = "batch:3+heads:5+time:7+keys:2+width:11"  # 1/√11 is not exact


def masked_by_a_difference(**cells):
    return Limit(
        "keras",
        "masks by subtracting 1e9 from a score: scores of 1e9 and more are seen through the mask",
        "keras/src/layers/attention/attention.py:180 (3.15.1)",
        {
            "backend": ("tensorflow", "keras-torch", "keras-jax"),
            "contender": "keras.layers.Attention",
            "regime": ("huge", "near-largest", "constant-huge-rows", "mixed-magnitudes", "offset"),
            **cells,
        },
        always=False,  # the largest score of a row may be one that is seen
    )


def adds_the_mask(*options, **cells):
    """Of the function, or of the layer that calls it."""
    return Limit(
        "torch",
        "adds −∞ to the scores that a mask leaves out: one that is infinite or NaN becomes NaN, not −∞",
        "aten/src/ATen/native/transformers/attention.cpp, convert_boolean_attn_mask_; pytorch/pytorch#101967",
        {
            "backend": "torch",
            "contender": "torch.nn.functional.scaled_dot_product_attention",
            "regime": ("one-nan", "one-infinity"),
            "option": options,
            "direction": "forward",
            **cells,
        },
        always=False,  # it shows only in a row without keys: any other is NaN by formula too
    )


def scale_in_float32(*sizes, source="keras/src/backend/tensorflow/nn.py:1708", **cells):
    """Of Keras's layer, at sizes whose 1/√d is not exact."""
    return Limit(
        "keras",
        "scales by 1/√d rounded to float32: tf.cast converts a Python number to float32 first",
        source,
        {"backend": "tensorflow", "dtype": "float64", "size": sizes, **cells},
    )


def default_scale(*sizes, **cells):
    """Of Keras's function where it is given no scale, at sizes whose 1/√d is not exact."""
    return Limit(
        "keras",
        "scales by 1/√d computed in float32 (exact where √d is a power of two)",
        "keras/src/backend/tensorflow/nn.py:1774",
        {
            "backend": "tensorflow",
            "contender": "keras.ops.dot_product_attention",
            "dtype": "float64",
            "size": sizes,
            **cells,
        },
    )


def seen_below_the_mask(options, **cells):
    """Of Keras's layer, where its scores pass its softmax layer."""
    return Limit(
        "keras",
        "masks with −1e9 and clears what is masked: where all scores that are seen are below it, no weight "
        "is left",
        "keras/src/layers/activations/softmax.py:82 (3.15.1)",
        {
            "backend": "tensorflow",
            "option": options,
            "regime": (*HUGE, "mixed-magnitudes", "offset"),
            **cells,
        },
        always=False,  # some score may be above it
    )


def masked_within_float32(*options, **cells):
    return Limit(
        "keras",
        "masks float64 with −2.4e38 too: a query whose scores are below it attends to the masked keys",
        "keras/src/backend/tensorflow/nn.py:1679 (3.15.1)",
        {
            "backend": "tensorflow",
            "contender": "keras.layers.MultiHeadAttention",
            "regime": HUGE,
            "option": options,
            "dtype": "float64",
            **cells,
        },
        always=False,
    )


def scores_overflow(*backends):
    """Of self-attention, where queries and keys are huge together."""
    package = {"tensorflow": "keras", "jax": "flax"}
    return {
        f"scores-overflow-{backend}": Limit(
            package.get(backend, backend),
            "the scores Q Kᵀ of a huge sequence are infinite, and their softmax, of ∞ − ∞, is NaN",
            SCORES[backend],
            {"backend": backend, "regime": HUGE, "dtype": ("float32", "bfloat16", "float16")},
            always=False,  # some may be in range
        )
        for backend in backends or SCORES
    }


def softmax_slopes(*packages, **cells):
    sources = SLOPES | {"torch": f"{SLOPES['torch']}; {BACKWARD}attn * (grad_attn - dsum)"}
    return {
        f"slope-near-one-{package}": cancels(package, SLOPE, sources[package], direction="gradient", **cells)
        for package in packages or SLOPES
    }


limits = {
    "scale-in-float32": default_scale("small", "blocks", "7b", UNEQUAL),
    "masked-by-a-difference": masked_by_a_difference(case="attention", option="causal"),
    "mask-is-added": adds_the_mask("masked-rows-zero", case="attention"),
    "scale-in-float32-onnx": Limit(
        "onnx",
        "has no float64 kernel, and the operator's function computes its scale ⁴√d in float32",
        "onnx/defs/nn/old.cc:4484 (1.23.2)",
        {"backend": "onnxruntime", "dtype": "float64", "regime": ("typical", "large-logits")},
    ),
    "softmax-in-float32": Limit(
        "jax",
        SOFTMAX,
        SOFTMAX_WHERE,
        {"backend": "jax", "contender": "jax.nn.dot_product_attention", "dtype": "float64"},
    ),
    "scale-contracted": Limit(
        "jax",
        "compiled, S/√d − max is one multiply-add, whose unrounded product exceeds its rounded maximum by "
        "u |S|: above 1e9 exp overflows to NaN, also where the softmax alone is right (not if 1/√d is exact)",
        "jax/_src/nn/functions.py:961 and 971, as XLA compiles them for a CPU with fused multiply-add",
        {
            "backend": "jax",
            "mode": "jit",
            "contender": ("jax.nn.dot_product_attention", FLAX),
            "regime": ("huge", "near-largest", "constant-huge-rows"),
        },
        always=False,
    ),
    "mask-beyond-float32": Limit(
        "jax",
        "masks float64 with −0.7 of its largest number, which is −∞ in the float32 softmax: a row without "
        "keys is NaN",
        "jax/_src/nn/functions.py:833 (0.7.0 to 0.10.0; later it is capped)",
        {
            "backend": "jax",
            "contender": "jax.nn.dot_product_attention",
            "dtype": "float64",
            "option": "masked-rows-mean",
        },
    ),
    "log-sum-rounded": Limit(
        "torch",
        "its backward kernel recomputes A as exp(S − log-sum): rounding of the log-sum shifts a whole row",
        BACKWARD + "attn <- exp(…)",
        # if the last axis of the keys is not contiguous, it uses other kernels
        {**FUSED, "regime": "large-logits", "mode": ("eager", "compile")},
    ),
    "scale-inside-the-product": Limit(
        "torch",
        "its backward kernel applies 1/√d inside the product, its forward kernel after it: A differs by "
        "a few u |S| (not if √d is a power of two), and rows of dS do not sum to zero",
        BACKWARD + "scale * q @ k.T",
        {**FUSED, "regime": "shifted-logits", "size": ("blocks", "7b"), "mode": ("eager", "compile")},
    ),
    "finite-mask": FINITE_MASK,
    **softmax_slopes("torch", "tensorflow"),
    "slope-near-one-jax": cancels(
        "jax",
        SLOPE,
        SLOPES["jax"],
        {"contender": (FLAX, "keras.ops.dot_product_attention", "keras.layers.Attention")},
        # in float64 that of softmax-in-float32 is larger
        {"contender": "jax.nn.dot_product_attention", "dtype": ("float32", "bfloat16", "float16")},
        direction="gradient",
    ),
}
