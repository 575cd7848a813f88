"""Known departures of activations."""

from gaugeblock import Limit

MANY = ("small", "wide", "large")
FEW = ("one", "rows:1+width:1", "rows:3+width:5", "rows:4+width:4")  # some show no departure
DTYPES = ("float64", "float32", "bfloat16", "float16")
BACKENDS = {
    "torch": ("torch", "keras-torch"),
    "tensorflow": "tensorflow",
    "jax": ("jax", "keras-jax"),
    "onnxruntime": "onnxruntime",
}
DECOMPOSED = "which writes out the kernel in aten/src/ATen/native/cpu"
KERNELS = "tensorflow/include/tensorflow/core/kernels"
SLOPES = {
    "tanh": "the slope is 1 − t² of the result t, which cancels where t is near ±1: the error is u",
    "sigmoid": "the slope is s (1 − s) of the result s, which cancels where s is near 1: the error is u s",
}
SOURCES = {
    "tanh": {
        "torch": f"torch/_decomp/decompositions.py:129, {DECOMPOSED}/BinaryOpsKernel.cpp",
        "tensorflow": f"{KERNELS}/cwise_ops_gradients.h:31",
        "jax": "jax/_src/lax/lax.py:4518, (1 + t)(1 − t) unless accuracy is HIGHEST",
    },
    "sigmoid": {
        "torch": f"torch/_decomp/decompositions.py:136, {DECOMPOSED}/BinaryOpsKernel.cpp",
        "tensorflow": f"{KERNELS}/cwise_ops_gradients.h:53",
        "jax": "jax/_src/lax/lax.py:4528, unless accuracy is HIGHEST",
    },
}
GELUS = {
    "gelu": {
        "torch": f"torch/_decomp/decompositions.py:281, {DECOMPOSED}/Activation.cpp",
        "onnxruntime": "onnxruntime/core/providers/cpu/tensor/gelu.cc",
    },
    "gelu-tanh": {
        "torch": f"torch/_decomp/decompositions.py:269, {DECOMPOSED}/Activation.cpp",
        "tensorflow": "tensorflow/python/ops/nn_ops.py:3749",
        "jax": "jax/_src/nn/functions.py:463",
        "onnxruntime": "onnxruntime/core/providers/cpu/tensor/gelu.cc",
    },
}
FORMS = {"gelu": "1 + erf(x/√2)", "gelu-tanh": "1 + tanh(u)"}
OVERFLOWS = (
    "the gradient multiplies the slope of tanh, which is 0 there, by 1 + 3·0.044715 x², which is infinite: "
    "0 · ∞ is NaN"
)
OVERFLOWS_HERE = "reference/activation.py, which has the range of float64 where it is the oracle"
FLUSHED = "reads subnormal inputs as zero, where the slope is 0 by convention"
FLUSHES = {
    "tensorflow": "tensorflow/core/common_runtime/process_util.cc: port::ScopedFlushDenormal",
    "jax": "xla/service/cpu/cpu_executable.cc: tsl::port::ScopedFlushDenormal",
}
SIGMOID = "below zero σ(x) is 1/2 + p(x) in float32 and 1 − σ(−x) in float64: its error is u, not u σ(x)"
SIGMOID_WHERE = (
    "onnxruntime/core/mlas/lib/logistic.cpp, onnxruntime/core/providers/cpu/activation/activations.h; "
    "microsoft/onnxruntime#26281"
)


def cancels(package, reason, source, *cells, **common):
    """A form that cancels for some inputs, which another draw may not have."""
    shared = {"backend": BACKENDS[package], "dtype": DTYPES, **common}
    return Limit(package, reason, source, [{**shared, **each} for each in cells or ({},)], always=False)


def through_float32(case, line, size=MANY, always=True):
    return Limit(
        "tensorflow",
        "its constants are rounded from Python floats to float32: about 28 correct bits",
        f"tensorflow/python/ops/nn_ops.py:{line}; Keras calls it",
        {
            "backend": "tensorflow",
            "case": case,
            "contender": ("tensorflow.nn.gelu", "keras.activations.gelu"),
            "dtype": "float64",
            "size": size,
        },
        always,
    )


limits = {
    **{
        f"{case}-slope-{package}": cancels(package, SLOPES[case], source, case=case, direction="gradient")
        for case, sources in SOURCES.items()
        for package, source in sources.items()
    },
    **{
        f"{case}-below-zero-{package}": cancels(
            package,
            f"{FORMS[case]} cancels for x below 0: the error is u |x|",
            source,
            case=case,
            **({"dtype": DTYPES[1:]} if package == "tensorflow" else {}),  # in float64 its constants hide it
        )
        for case, sources in GELUS.items()
        for package, source in sources.items()
    },
    **{
        f"gelu-tanh-overflows-{package}": Limit(
            package,
            OVERFLOWS,
            source,
            {
                "backend": package,
                "case": "gelu-tanh",
                "direction": "gradient",
                "regime": ("huge", "near-largest", "constant-huge-rows"),
                # torch computes float16 in float32; elsewhere numbers of 300 are too large for it
                "dtype": "float32" if package == "torch" else ("float32", "float16"),
            },
            always=False,  # in float16, many numbers whose sum is in range are small
        )
        for package, source in (GELUS["gelu-tanh"] | {"numpy": OVERFLOWS_HERE}).items()
        if package != "onnxruntime"
    },
    **{
        f"relu-of-subnormals-{package}": Limit(
            package,
            FLUSHED,
            source,
            {
                "backend": package,
                "case": "relu",
                "direction": "gradient",
                "regime": "subnormal",
                "dtype": "float32",
            },
        )
        for package, source in FLUSHES.items()
    },
    "sigmoid-below-zero": Limit(
        "onnxruntime",
        SIGMOID,
        SIGMOID_WHERE,
        {"backend": "onnxruntime", "case": "sigmoid", "size": MANY},
    ),
    "gelu-constants-in-float32": through_float32("gelu", 3756),
    "gelu-constants-in-float32-few-elements": through_float32("gelu", 3756, FEW, always=False),
    "gelu-tanh-constants-in-float32": through_float32("gelu-tanh", 3747),
    "gelu-tanh-constants-in-float32-few-elements": through_float32("gelu-tanh", 3747, FEW, always=False),
    "gelu-tanh-function-in-float32": Limit(
        "onnx",
        "has no float64 kernel, and the operator's function has its constants in float32",
        "onnx/defs/math/defs.cc:477 (1.23.2)",
        {"backend": "onnxruntime", "case": "gelu-tanh", "dtype": "float64"},
    ),
}
