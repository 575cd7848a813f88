"""Known departures of the multi-layer perceptron."""

from gaugeblock import Limit
from suites.limits.activation import DTYPES, FORMS, GELUS, OVERFLOWS, SLOPES, SOURCES, cancels
from suites.limits.softmax import LOG_SUM, LOG_SUMS

OVERFLOWING = GELUS["gelu-tanh"] | {"numpy": "reference/activation.py, gelu_tanh_vjp in float32"}

limits = {
    **{
        f"{option}-slope-{package}": cancels(
            package, SLOPES[option], source, option=option, direction="gradient"
        )
        for option, sources in SOURCES.items()
        for package, source in sources.items()
    },
    **{
        f"{option}-below-zero-{package}": cancels(
            package,
            f"{FORMS[option]} cancels for x below 0: the error is u |x|",
            source,
            option=option,
            direction="gradient",
            **({"dtype": DTYPES[1:]} if package == "tensorflow" else {}),  # in float64 its constants hide it
        )
        for option, sources in GELUS.items()
        for package, source in sources.items()
        if package != "onnxruntime"
    },
    **{
        f"log-of-one-{package}": cancels(
            package, LOG_SUM, source, option="gelu", direction="forward", regime="one-far-above"
        )
        for package, source in LOG_SUMS.items()
        if package != "onnxruntime"
    },
    **{
        f"gelu-tanh-overflows-{package}": Limit(
            package,
            OVERFLOWS,
            source,
            {
                "backend": package,
                "option": "gelu-tanh",
                "direction": "gradient",
                "regime": ("huge", "constant-huge-rows"),
                "dtype": "float32",
            },
            always=False,
        )
        for package, source in OVERFLOWING.items()
        if package != "onnxruntime"
    },
    "constants-through-float32": Limit(
        "tensorflow",
        "the constants of its GELU are rounded from Python floats to float32: about 28 correct bits",
        "tensorflow/python/ops/nn_ops.py:3747 and 3756; Keras calls it",
        {"backend": "tensorflow", "dtype": "float64", "option": ("gelu", "gelu-tanh")},
    ),
    "constants-in-float32": Limit(
        "onnx",
        "has no float64 kernel of GELU, and the operator's function has its constants in float32",
        "onnx/defs/math/defs.cc:477 (1.23.2)",
        {"backend": "onnxruntime", "dtype": "float64", "option": "gelu-tanh"},
    ),
}
