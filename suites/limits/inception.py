"""Known departures of the Inception module."""

from gaugeblock import Limit
from suites.limits.batch_norm import STATISTICS, lone_element, residual_sum, uncentred
from suites.limits.layer_norm import FAST_VARIANCE, FAST_VARIANCE_WHERE, HUGE, squares
from suites.limits.max_pool import drops_nan, subnormal_pixels

TRAINING = ("training", "statistics", "statistics-biased")
FLAX = {"backend": "jax", "option": TRAINING}
FLAT = ("all-zeros", "constant-rows", "near-zero", "zeros-and-ties")  # some units are all but constant
MEANS = ("activations", "offset")  # of what a convolution or a pool sees
PLAIN = ("cotangents-of-ones", "one-hot-cotangents")  # with typical inputs

limits = {
    **squares(STATISTICS),
    **subnormal_pixels(),
    "nan": drops_nan(),
    "fast-variance": Limit(
        "flax",
        FAST_VARIANCE,
        FAST_VARIANCE_WHERE,
        [
            FLAX | {"regime": ("typical", "activations", "offset", *FLAT, *PLAIN)},
            FLAX | {"regime": (*HUGE, "subnormal"), "dtype": "float64"},
            FLAX | {"regime": "subnormal", "direction": "forward", "dtype": "float32"},
        ],
        always=False,  # of means near the spread, few elements show it
    ),
    "uncentred-output": uncentred(option=TRAINING, regime=MEANS),
    "residual-sum-not-zero": residual_sum(option=TRAINING, regime=MEANS),
    "uncentred-lone-element": lone_element(
        option=TRAINING, size="image:1+channels:1+one:1+three:4.6+five:2.3+pool:1+batch:1"
    ),
}
