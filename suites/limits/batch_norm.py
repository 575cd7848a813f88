"""Known departures of batch normalisation."""

from gaugeblock import Limit
from suites.limits.group_norm import SQUARES_OF_KERAS, SQUARES_OF_KERAS_WHERE
from suites.limits.layer_norm import FAST_VARIANCE, FAST_VARIANCE_WHERE, UNCENTRED, squares

STATISTICS = "aten/src/ATen/native/Normalization.cpp, batch_norm_cpu_update_stats_template"
LARGE = {"regime": ("large-mean", "offset")}


def residual_sum(**cells):
    return Limit(
        "torch",
        "dx assumes that Σ (x − μ) is zero, but a large μ is rounded",
        "aten/src/ATen/native/cpu/batch_norm_kernel.cpp, batch_norm_cpu_backward_contiguous_impl",
        {"backend": "torch", "direction": "gradient", **cells},
        always=False,
    )


def uncentred(**cells):
    """Keras's norm of images, and TensorFlow's."""
    return Limit(
        "tensorflow",
        UNCENTRED,
        "tensorflow/python/ops/nn_impl.py:1496",
        {"backend": "tensorflow", "direction": "gradient", **cells},
        always=False,  # few elements are outside, for some seeds none
    )


def lone_element(**cells):
    return Limit(
        "keras",
        "y is x a + (β − μ a): of a single element, equal to its mean, the rounding error of μ a remains",
        "keras/src/backend/tensorflow/nn.py:1564 (3.15.1), tf.nn.batch_normalization",
        {"backend": "tensorflow", "regime": "typical", **cells},
        always=False,
    )


BIASED = {"case": "batch-norm-biased", **LARGE}

limits = {
    **squares(
        STATISTICS,
        torch={"case": "batch-norm"},
        tensorflow={"case": "batch-norm-biased"},
        jax={"case": "batch-norm-biased"},
        numpy={"case": ("batch-norm", "batch-norm-biased")},
    ),
    "uncentred-lone-element": lone_element(
        case="batch-norm-biased", size="batch:1+height:1+width:1+channels:1"
    ),
    "fast-variance": Limit(
        "flax",
        FAST_VARIANCE,
        FAST_VARIANCE_WHERE,
        {**BIASED, "backend": "jax", "contender": "flax.linen.BatchNorm"},
    ),
    "fast-variance-of-keras-on-torch": Limit(
        "keras",
        SQUARES_OF_KERAS,
        SQUARES_OF_KERAS_WHERE,
        {**BIASED, "backend": "keras-torch", "contender": "keras.layers.BatchNormalization"},
    ),
    "mean-rounded-in-jit": Limit(
        "jax",
        "compiled, all dx of a channel share the rounding error of μ; in eager mode they do not",
        "flax/linen/normalization.py:146, as XLA compiles the gradient of its mean",
        {
            **BIASED,
            "backend": "jax",
            "contender": "flax.linen.BatchNorm:use_fast_variance=False",
            "mode": "jit",
            "dtype": "float64",
            "size": "thin",
            "direction": "gradient",
        },
        always=False,  # few elements are outside, for some seeds none
    ),
    "uncentred-output": uncentred(**BIASED),
    "residual-sum-not-zero": residual_sum(case="batch-norm", **LARGE),
}
