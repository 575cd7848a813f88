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
        option=(
            *("plain", "other-axis", "two-axes", "all-axes", "kept-axes", "weights", "weights-other-axis"),
            *("some-terms", "some-terms-hidden", "some-terms-weights"),
        ),
    ),
    "weight-in-the-exponent": cancels(
        "tensorflow",
        "has no weights: users add log b to x, and the rounding error of the sum is u |x|",
        "tensorflow/python/ops/math_ops.py, reduce_logsumexp: no weights among its arguments",
        direction="gradient",
        option=("weights", "weights-other-axis", "some-terms-weights"),
        regime=("offset", "constant-huge-rows", "huge", "near-largest", "one-far-above"),
    ),
}
