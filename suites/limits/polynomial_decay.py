"""Known departures of polynomial decay."""

from dataclasses import replace

from gaugeblock import Limit
from suites.limits.exponential_decay import from_the_last, in_float32
from suites.limits.step_decay import KERAS


def rising(package, backend, source):
    return Limit(
        package,
        f"{package} adds the last rate to (first − last) (1 − t/T)^p, which cancels where the rate rises",
        source,
        {"backend": backend, "dtype": "float32", "option": "warm-up"},
        always=False,
    )


KERAS_SUM = "keras/src/optimizers/schedules/learning_rate_schedule.py:444 (3.15.1)"

# all options of Keras but "cycles-square"
WHOLE = ("linear", "square", "root", "root-to-zero", "to-a-tenth", "warm-up", "cycles")
NO_ROOT = {"option": "root-to-zero", "mode": "jit", "size": ("small", "epochs", "steps")}
SHORT = ("count:3", "count:4")  # end before a cycle, and before a root of nothing
# all cells of optax but those without a root
ROOTED = (
    {"option": ("linear", "square", "root", "to-a-tenth", "warm-up", "later-square")},
    NO_ROOT | {"mode": "eager"},
    {"option": "root-to-zero", "size": ("one", *SHORT)},
)

limits = {
    "rates-from-the-last": from_the_last(
        "PolynomialLR", {"option": "root", "size": ("small", "epochs", "steps")}
    ),
    "few-rates-from-the-last": replace(  # twenty steps lose about as much as the limit allows
        from_the_last("PolynomialLR", {"option": ("linear", "square", "root-to-zero")}), always=False
    ),
    "numbers-in-float32": replace(
        KERAS,
        cells=[
            dict(cells) | place
            for cells in KERAS.reach
            for place in ({"option": WHOLE}, {"option": "cycles-square", "size": SHORT})
        ],
    ),
    "a-cycle-too-many": Limit(
        "keras",
        "takes ⌈t/T⌉ of a quotient that TensorFlow's graphs compute as t (1/T): for T = 7 it is above 3 at "
        "t = 21, and the rate begins another cycle there",
        "keras/src/optimizers/schedules/learning_rate_schedule.py:423 (3.15.1)",
        {
            "backend": "tensorflow",
            "option": "cycles-square",
            "dtype": ("float64", "float32", "bfloat16", "float16"),
            "size": ("small", "epochs", "steps"),
        },
    ),
    "count-in-float32": replace(in_float32(), cells=[in_float32(**cells).cells for cells in ROOTED]),
    "keras-rising": rising("keras", "tensorflow", KERAS_SUM),
    "optax-rising": rising("optax", "jax", "optax/schedules/_schedule.py:143 (0.2.8)"),
    "rest-not-zero": Limit(
        "optax",
        "optax subtracts t/T from 1, and XLA computes t (1/T), so that a rounding error remains at t = T",
        "optax/schedules/_schedule.py:142 (0.2.8)",
        {
            "backend": "jax",
            "mode": "jit",
            "dtype": ("float32", "bfloat16"),
            "option": ("linear", "square"),
            "size": ("small", "epochs", "steps"),
        },
        always=False,
    ),
    "no-root-at-the-end": Limit(
        "optax",
        "leaves 1 - t/T to the compiler, which makes 1 - t (1/T) of it in one rounding: negative at t = T, "
        "and without a root",
        "optax/schedules/_schedule.py:142 (0.2.8)",
        {
            "backend": "jax",
            "contender": "optax.schedules.polynomial_schedule",
            "dtype": ("float64", "float32", "bfloat16", "float16"),
        }
        | NO_ROOT,
    ),
}
