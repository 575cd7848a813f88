"""Known departures of mean and variance."""

from gaugeblock import Limit
from suites.limits.activation import DTYPES, cancels

LARGE = {"regime": ("large-mean", "offset", "constant-rows", "constant-huge-rows", "huge")}
MEAN = "the gradient is 2 (x − μ)/n of a rounded μ, whose error, u |μ|, it does not take out again"

limits = {
    "rounded-mean-torch": cancels(
        "torch",
        MEAN,
        "torchgen/packaged/autograd/derivatives.yaml:1924; "
        "torch/csrc/autograd/FunctionsManual.cpp, var_backward",
        direction="gradient",
        **LARGE,
    ),
    "rounded-mean-tensorflow": cancels(
        "tensorflow",
        MEAN,
        "tensorflow/python/ops/nn_impl.py:1276",
        direction="gradient",
        **LARGE,
    ),
    "running-mean": Limit(
        "torch",
        "updates mean and variance element by element, in which terms as large as the mean cancel",
        "aten/src/ATen/native/SharedReduceOps.h, WelfordOps",
        {"backend": "torch", "contender": "torch.var_mean", "direction": "forward", **LARGE},
        always=False,
    ),
    "running-mean-of-infinity": Limit(
        "torch",
        "updates the mean element by element: after an infinite one, ∞ − ∞ is NaN, where torch.mean gives ∞",
        "aten/src/ATen/native/SharedReduceOps.h, WelfordOps: reduce; pytorch/pytorch#138570",
        {
            "backend": "torch",
            "contender": "torch.var_mean",
            "direction": "forward",
            "regime": "one-infinity",
            "dtype": DTYPES,
        },
        always=False,  # it may be the last element of its row
    ),
}
