"""Known departures of the simple recurrent network."""

from gaugeblock import Limit
from suites.limits.activation import SLOPES, SOURCES, cancels


def slopes(reason, *functions, regime=("saturated", "overflowing")):
    """The slopes of the activations of a layer, where these are saturated."""
    return {
        f"slope-near-one-{package}": cancels(
            package,
            reason,
            "; ".join(SOURCES[function][package] for function in functions),
            direction="gradient",
            regime=regime,
        )
        for package in ("torch", "tensorflow", "jax")
    }


limits = {
    **slopes(SLOPES["tanh"], "tanh", regime="saturated"),
    "tanh-by-sigmoid": Limit(
        "onnxruntime",
        "computes tanh(x) as 2 σ(2x) − 1, which cancels near zero",
        "onnxruntime/core/providers/cpu/rnn/rnn_activation_functors.h, Tanh",
        {"backend": "onnxruntime", "regime": "typical"},
        always=False,
    ),
}
