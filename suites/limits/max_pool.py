"""Known departures of maximum pooling."""

from gaugeblock import INTEGERS, Limit
from suites.limits.activation import DTYPES, FLUSHES


def drops_nan(**cells):
    return Limit(
        "tensorflow",
        "a maximum passes over a NaN, by the scalar instruction of the CPU and in XLA",
        "tensorflow/core/kernels/pooling_ops_common.h, SpatialMaxPool: cwiseMax; "
        "tensorflow/tensorflow#125965, tensorflow/tensorflow#116992",
        {"backend": "tensorflow", "regime": "one-nan", "direction": "forward", "dtype": DTYPES, **cells},
        always=False,  # vector instructions, which other CPUs and sizes use, pass it on
    )


def subnormal_pixels(**cells):
    return {
        f"subnormal-pixels-{package}": Limit(
            package,
            "reads subnormal pixels as zero, so that all are equal, and the first gets the gradient",
            source,
            {"backend": package, "regime": "subnormal", "direction": "gradient", "dtype": "float32", **cells},
            always=False,  # of windows of one pixel
        )
        for package, source in FLUSHES.items()
    }


limits = {
    "another-of-equal-pixels": Limit(
        "tensorflow",
        "with padding, XLA may pass the gradient to another of several equal pixels than the first",
        "tensorflow/compiler/tf2xla/kernels/pooling_ops.cc, MaxPoolGradOp: SelectAndScatter",
        {
            "backend": "tensorflow",
            "option": "same",
            "regime": (INTEGERS, "ties", "zeros-and-ties", "negative-zeros", "all-zeros"),
            "mode": "xla",
            "direction": "gradient",
        },
        always=False,
    ),
    "nan": drops_nan(),
    **subnormal_pixels(),
}
