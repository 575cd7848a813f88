"""Known departures of log-sum-exp."""

from gaugeblock import Limit
from suites.limits.activation import DTYPES, cancels

OF_LOG = "adds log b to the exponent: of a weight of zero the slope is 0 · ∞, which is NaN"

limits = {
    "weight-of-zero-has-no-slope": Limit(
        "jax",
        "puts −∞ for the exponent of a weight of zero, so that this weight gets no gradient, not e^(x − y)",
        "jax/_src/ops/special.py:81",
        {
            "backend": "jax",
            "contender": "jax.nn.logsumexp",
            "option": "zero-weights",
            "direction": "gradient",
            "dtype": DTYPES,
        },
    ),
    **{
        f"logarithm-of-zero-{package}": Limit(
            package,
            OF_LOG,
            source,
            {"backend": backends, "option": "zero-weights", "direction": "gradient", "dtype": DTYPES},
        )
        for package, backends, source in (
            (
                "torch",
                ("torch", "keras-torch"),
                "torchgen/packaged/autograd/derivatives.yaml, log: grad.div(self.conj())",
            ),
            ("tensorflow", "tensorflow", "tensorflow/python/ops/math_grad.py:762"),
        )
    },
    "of-the-rounded-result": cancels(
        "torch",
        "the gradient is e^(x − y) of the rounded result y: the error is u |y|",
        "torch/csrc/autograd/FunctionsManual.cpp, logsumexp_backward: (self - result).exp()",
        direction="gradient",
        contender="torch.logsumexp",
        option=("plain", "other-axis", "two-axes", "all-axes", "kept-axes"),
        regime=("overflow", "offset", "huge", "near-largest", "constant-huge-rows", "mixed-magnitudes"),
    ),
}
