"""Planted faults of softmax over an axis and of a bounded ReLU."""

from gaugeblock import Mutant

LAST, SEEN = "activation_options._last", "activation_options._seen"
RELU, RELU_BACK = "activation_options.bounded_relu", "activation_options.bounded_relu_vjp"


def of(name):
    return (
        Mutant("mask-left-out", "mask", LAST, "np.where(seen, x, -math.inf)", "x", option="some"),
        Mutant("hidden-as-zero", "mask", LAST, "-math.inf", "0.0", option="some"),
        Mutant("rows-reversed", "layout", LAST, "-math.inf), axis, -1)", "-math.inf), axis, -1)[::-1]"),
        Mutant("in-bfloat16", "precision", LAST, "return np.moveaxis(x if", "x = bfloat16(x)\n    return np.moveaxis(x if"),
        Mutant("half-the-slope", "gradient", f"activation_options.axis_{name}_vjp", '{"x": ', '{"x": 0.5 * '),
    )  # fmt: skip


mutants = {
    "axis-softmax": of("softmax"),
    "axis-log-softmax": of("log_softmax"),
    "bounded-relu": (
        Mutant("slope-from-zero", "formula", RELU, "slope * (x - threshold)", "slope * x", option="slope-threshold"),
        Mutant("bound-ignored", "formula", RELU, "np.minimum(x, bound)", "x", option="bound"),
        Mutant("threshold-ignored", "formula", RELU, "x >= threshold", "x >= 0", option="threshold"),
        Mutant("bound-has-a-slope", "gradient", RELU_BACK, "np.where(x < bound, dy, 0)", "dy", option="bound"),
        Mutant("no-slope-below", "gradient", RELU_BACK, "slope * dy", "0 * dy", option="slope"),
        Mutant("in-bfloat16", "precision", RELU, "np.minimum(x, bound)", "np.minimum(bfloat16(x), bound)"),
        Mutant("columns-reversed", "layout", RELU, "np.minimum(x, bound)", "np.minimum(x[::-1], bound)"),
    ),
}  # fmt: skip
