"""Known departures of gradient descent with momentum."""

from gaugeblock import Limit
from suites.limits.gradient_accumulation import keeps_nan


def through_float32(names, source, **cells):
    """tf.cast converts a Python number to float32 before it converts it to float64."""
    return Limit(
        "keras",
        f"Keras rounds {names} to float32 before float64 (tf.cast of a Python number)",
        f"{source}; tensorflow/python/ops/math_ops.py:1044",
        {"backend": "tensorflow", "dtype": "float64"} | cells,
    )


def each_micro_batch(*options, **cells):
    """Each of k calls moves the average, the first k - 1 towards the old weights."""
    return Limit(
        "keras",
        "with gradient_accumulation_steps, Keras moves the average of the weights at every micro-batch, not "
        "at every update: k times as fast, and in the updates that take it k times",
        "keras/src/optimizers/base_optimizer.py:596 (3.15.1)",
        {
            "backend": "tensorflow",
            "option": options,
            "dtype": ("float64", "float32", "bfloat16", "float16"),
        }
        | cells,
    )


MOVED = (
    "inside-clip-value-average-taken-decay-scale-micro",
    "inside-clip-norm-average-kept-decay-micro",
    "inside-nesterov-clip-each-average-taken-decay-micro",
    "inside-nesterov-average-taken-micro",
)
OTHERS = (
    "momentum-inside",
    "nesterov-inside",
    "inside-clip-each-average-kept-scale",
    "inside-nesterov-decay-scale-micro",
    "inside-nesterov-clip-value-average-taken",
    "inside-nesterov-clip-norm-decay-scale",
    "inside-nesterov-average-kept-decay-scale",
    "inside-clip-value-decay-scale",
    "inside-clip-value-average-kept-decay",
    "inside-clip-each-decay",
    "inside-clip-norm-average-taken",
)

limits = {
    "momentum-through-float32": through_float32(
        "μ", "keras/src/optimizers/sgd.py:104 (3.15.1)", option=OTHERS
    ),
    "average-of-micro-batches": each_micro_batch(*MOVED),
    "nan-times-zero": keeps_nan(option="micro-clip-value"),
}
