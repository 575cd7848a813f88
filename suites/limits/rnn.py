"""Known departures of the simple recurrent network."""

from gaugeblock import Limit
from suites.limits.activation import SLOPES, SOURCES, cancels

SATURATING = (
    "saturated", "overflowing", "huge", "near-largest", "constant-huge-rows", "mixed-magnitudes", "offset",
    "one-far-above",
)  # fmt: skip
UNEQUAL = "batch:3+time:5+features:7+hidden:2"  # sums of many inputs with large weights


def slopes(reason, *functions, regime=SATURATING, size=UNEQUAL, flax=(), direction="gradient"):
    """The slopes of a layer's activations, where these are saturated, of this size, or in cells of `flax`."""
    return {
        f"slope-near-one-{package}": cancels(
            package,
            reason,
            "; ".join(SOURCES[function][package] for function in functions),
            {"regime": regime},
            *([{"size": size}] if size else []),
            *(flax if package == "jax" else ()),
            direction=direction,
        )
        for package in ("torch", "tensorflow", "jax")
    }


limits = {
    **slopes(SLOPES["tanh"], "tanh", regime=[each for each in SATURATING if each != "overflowing"]),
    "tanh-by-sigmoid": Limit(
        "onnxruntime",
        "computes tanh(x) as 2 σ(2x) − 1, which cancels near zero",
        "onnxruntime/core/providers/cpu/rnn/rnn_activation_functors.h, Tanh",
        {"backend": "onnxruntime", "regime": "typical"},
        always=False,
    ),
}
