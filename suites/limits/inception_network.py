"""Known departures of the Inception network: its modules see what ReLUs leave, which has a mean."""

from gaugeblock import Limit
from suites.limits.batch_norm import STATISTICS, residual_sum, uncentred
from suites.limits.inception import PLAIN
from suites.limits.layer_norm import FAST_VARIANCE, FAST_VARIANCE_WHERE, HUGE, squares
from suites.limits.max_pool import drops_nan

UNEVEN = ("mixed-magnitudes", "offset", "one-far-above")
LABELS = ("same-index", "sorted-indices", "edge-indices")
# whose squares are in range
KINDS = ("typical", *UNEVEN, *LABELS, "constant-rows", "zeros-and-ties", "negative-zeros")
TRAINING = {"option": "training", "regime": ("pixels", *KINDS, *PLAIN)}

limits = {
    **squares(STATISTICS),
    "nan": drops_nan(),
    "fast-variance": Limit(
        "flax",
        FAST_VARIANCE,
        FAST_VARIANCE_WHERE,
        [
            {"backend": "jax", **TRAINING},
            {"backend": "jax", "option": "training", "regime": HUGE, "dtype": "float64"},
        ],
        always=False,  # of means near the spread, few elements show it
    ),
    "uncentred-output": uncentred(**TRAINING),
    "residual-sum-not-zero": residual_sum(**TRAINING),
}
