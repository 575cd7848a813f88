"""Known departures of layer normalisation."""

from gaugeblock import Limit

ONE = "batch:1+time:1+width:1"
KERAS = {
    "backend": ("tensorflow", "keras-torch", "keras-jax"),
    "contender": "keras.layers.LayerNormalization",
}
NEAR_ITS_MEAN = {"direction": "gradient", "regime": ("large-mean", "near-constant", "offset")}
FLAX = {"backend": "jax", "contender": "flax.linen.LayerNorm"}
FAST_VARIANCE = "computes the variance as E[x²] − E[x]² by default (use_fast_variance), which cancels"
FAST_VARIANCE_WHERE = "flax/linen/normalization.py:142"
UNCENTRED = "y is x a + (β − μ a) with uncentred x: in the gradient two terms as large as the mean cancel"
UNCENTRED_GRADIENT = (
    "dx is a dy + b x + c, with sums of dy x in b and c: x is uncentred, so terms as large as the mean cancel"
)
LARGER = ("gpt2", "7b")

HUGE = ("huge", "near-largest", "constant-huge-rows")
OVERFLOWING = (
    "squares what it normalises before it divides: squares of 1e21 are infinite, and the outputs zeros or NaN"
)
SQUARED_IN_FLAX = "flax/linen/normalization.py:138, 145 and 149: _abs_sq"
MOMENTS = "tensorflow/python/ops/nn_impl.py:1276, which keras/src/backend/tensorflow/nn.py:1505 calls"
REFERENCE = "the reference itself, which has the range of float64 where it is the oracle"


def squares(in_torch, keras=MOMENTS, flax=SQUARED_IN_FLAX, **cells):
    """The norms of a page, by framework: where each squares, or empty if the page has none of it.

    `cells` has more of its cells by backend.
    """
    where = {"torch": in_torch, "tensorflow": keras, "jax": flax, "numpy": REFERENCE}
    package = {"tensorflow": "keras", "jax": "flax"}
    return {
        f"squares-overflow-{backend}": Limit(
            package.get(backend, backend),
            OVERFLOWING,
            source,
            {"backend": backend, "regime": HUGE, "dtype": ("float32", "bfloat16", "float16")}
            | cells.get(backend, {}),
            always=False,  # what is summed may just be in range
        )
        for backend, source in where.items()
        if source
    }


def in_float32(*cells, always=True):
    return Limit(
        "onnx",
        "ε is an attribute, which ONNX stores in float32",
        "onnx/onnx.proto:184 (1.23.2)",
        [{"backend": "onnxruntime", "dtype": "float64", **each} for each in cells],
        always,
    )


def mean_of_one(size):
    """torch's layer norm of one element, which is its own mean."""
    return Limit(
        "torch",
        "dγ sums dy (x a + b), b = -μ/√(σ² + ε) rounded: an error of u |μ|/√ε remains of a row's mean",
        "aten/src/ATen/native/cpu/layer_norm_kernel.cpp, layer_norm_backward_frame: dgamma_data",
        {
            "backend": "torch",
            "size": size,
            "regime": "typical",
            "direction": "gradient",
            "device": "cpu",
            "mode": "eager",
        },
        always=False,  # for some seeds the rounding error is zero
    )


def output_of_one(size, **cells):
    """Keras's norms of one element."""
    return Limit(
        "keras",
        "y is x a + (β − μ a): of a single element, equal to its mean, the rounding error of μ a remains",
        "keras/src/ops/nn.py:3191",
        {"size": size, "regime": "typical", "direction": "forward", **cells},
        always=False,
    )


limits = {
    **squares("aten/src/ATen/native/cpu/moments_utils.h, RowwiseMoments"),
    "epsilon-in-float32": in_float32(
        {"regime": "typical", "size": "small"},
        {"regime": "typical", "size": LARGER, "option": ("plain", "no-bias", "epsilon")},
        {"regime": "near-constant"},
    ),
    "epsilon-in-float32-long-rows": in_float32(
        {"regime": "typical", "size": LARGER, "option": "two-axes"},
        always=False,  # rounding in long rows hides it
    ),
    "fast-variance": Limit(
        "flax",
        FAST_VARIANCE,
        FAST_VARIANCE_WHERE,
        [
            FLAX | {"regime": ("large-mean", "near-constant", "constant-rows", "offset")},
            FLAX
            | {"size": "batch:4+time:4+width:4"},  # a mean that is large beside the spread of four numbers
        ],
        always=False,  # the sums of equal numbers may be exact
    ),
    "uncentred-gradient": Limit(
        "torch",
        UNCENTRED_GRADIENT,
        "aten/src/ATen/native/cpu/layer_norm_kernel.cpp, LayerNormBackwardKernelImplInternal",
        {
            "backend": "torch",
            **NEAR_ITS_MEAN,
            "contender": ("torch.nn.functional.layer_norm", "torch.nn.LayerNorm"),
            "device": "cpu",
            # with a mean of 1000, inputs in bfloat16 have no digits left that could cancel
            "dtype": ("float64", "float32", "float16"),
        },
        always=False,  # few elements are outside, for some seeds none
    ),
    "uncentred-output": Limit(
        "keras",
        UNCENTRED,
        "keras/src/ops/nn.py:3191",
        {**KERAS, **NEAR_ITS_MEAN},
        always=False,  # few elements are outside, for some seeds none
    ),
    "mean-rounded-in-the-scale": mean_of_one(ONE),
    "uncentred-output-lone-element": output_of_one(ONE, **KERAS),
}
