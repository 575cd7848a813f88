"""Known departures of attention of infinite queries."""

from gaugeblock import LOW, Limit

DTYPES = ("float64", "float32", "bfloat16", "float16")


def nan_of_few_keys(**cells):
    return Limit(
        "torch",
        "its fused kernel takes the largest score with std::max where keys are fewer than a vector holds, "
        "which drops NaN: a query that is NaN gives zeros",
        "aten/src/ATen/native/cpu/FlashAttentionKernel.cpp, _mul_reduce_max_fusion_kernel; "
        "pytorch/pytorch#141128 was of more keys",
        {"backend": ("torch", "keras-torch"), "device": "cpu", "dtype": DTYPES, **cells},
        always=False,
    )


DRAWN = {"regime": "one-infinity", "option": ("root-causal", "causal", "boolean-mask", "root-boolean-mask")}


def masked_by_a_number(package, source, **cells):
    return Limit(
        package,
        "masks with a finite number, so that a query whose scores are all −∞ attends to the masked keys",
        source,
        {"option": ("below-causal", "below-boolean-mask"), "dtype": DTYPES, **cells},
        always="regime" not in cells,
    )


def all_below(**cells):
    return Limit(
        "torch",
        "takes a query whose scores are all −∞, masked or not, for one without keys, and gives zeros",
        "torch/_decomp/decompositions.py:416, _safe_softmax; "
        "aten/src/ATen/native/cpu/FlashAttentionKernel.cpp, cpu_flash_attention: qk_max == -inf",
        {
            "backend": ("torch", "keras-torch"),
            "contender": "torch.nn.functional.scaled_dot_product_attention",
            "option": ("below", "below-causal", "below-boolean-mask"),
            "dtype": DTYPES,
        }
        | cells,
        always="regime" not in cells,  # the kind of input draws its sign
    )


limits = {
    "masked-keys-are-seen-flax": masked_by_a_number(
        "flax",
        "flax/linen/attention.py:139",
        backend="jax",
        contender="flax.linen.dot_product_attention",
    ),
    "masked-keys-are-seen-keras": masked_by_a_number(
        "keras",
        "keras/src/backend/tensorflow/nn.py:1699 (3.15.1)",
        backend="tensorflow",
        contender="keras.ops.dot_product_attention",
    ),
    "all-below-is-masked": all_below(),
    "nan-of-few-keys": nan_of_few_keys(
        contender="torch.nn.functional.scaled_dot_product_attention", size="few-keys"
    ),
    "nan-of-causal-in-few-bits": Limit(
        "torch",
        "with is_causal its fused kernel gives zeros to a query whose weights are NaN; with a mask, or in "
        "float32, it gives NaN",
        "aten/src/ATen/native/cpu/FlashAttentionKernel.cpp, cpu_flash_attention",
        {
            "backend": ("torch", "keras-torch"),
            "contender": "torch.nn.functional.scaled_dot_product_attention",
            "device": "cpu",
            "option": "causal",
            "dtype": LOW,
        },
        always=False,  # scores of one infinity have other limits
    ),
    # the kind of input draws an infinity, whose scores may be -∞
    "masked-keys-are-seen-flax-drawn": masked_by_a_number(
        "flax",
        "flax/linen/attention.py:139",
        **DRAWN,
        backend="jax",
        contender="flax.linen.dot_product_attention",
    ),
    "masked-keys-are-seen-keras-drawn": masked_by_a_number(
        "keras",
        "keras/src/backend/tensorflow/nn.py:1699 (3.15.1)",
        **DRAWN,
        backend="tensorflow",
        contender="keras.ops.dot_product_attention",
    ),
    "all-below-is-masked-drawn": all_below(**DRAWN),
}
