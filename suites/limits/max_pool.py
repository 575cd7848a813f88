"""Known departures of maximum pooling."""

from gaugeblock import INTEGERS, Limit

limits = {
    "another-of-equal-pixels": Limit(
        "tensorflow",
        "with padding, XLA may pass the gradient to another of several equal pixels than the first",
        "tensorflow/compiler/tf2xla/kernels/pooling_ops.cc, MaxPoolGradOp: SelectAndScatter",
        {
            "backend": "tensorflow",
            "option": "same",
            "regime": INTEGERS,
            "mode": "xla",
            "direction": "gradient",
        },
        always=False,
    ),
}
