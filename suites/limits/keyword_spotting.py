"""Known departures of keyword spotting: the slope of a magnitude that is hardly above zero."""

from gaugeblock import Limit

limits = {
    "slope-of-a-magnitude": Limit(
        "tensorflow",
        "the slope of |X| is X/|X| by a complex quotient, whose products underflow below 1e-18: it is zero",
        "tensorflow/python/ops/math_grad.py:1944, _ComplexAbsGrad",
        {
            "case": "keyword-spotting",
            "backend": "tensorflow",
            "direction": "gradient",
            "dtype": "float32",
            "regime": ("near-zero", "subnormal"),
        },
        always=False,
    ),
    "slope-of-a-subnormal-magnitude": Limit(
        "torch",
        "the slope of |X| is X times 1/|X|, which overflows where |X| is subnormal, and then NaN",
        "aten/src/ATen/native/cpu/zmath.h:161, sgn_impl (2.13.0)",
        {
            "case": "keyword-spotting",
            "backend": "torch",
            "direction": "gradient",
            "dtype": "float32",
            "regime": "subnormal",
        },
        always=False,
    ),
}
