"""Known departures of the training of the Inception network; see suites/limits/inception_network.py."""

from gaugeblock import Limit
from suites.limits.batch_norm import STATISTICS, residual_sum, uncentred
from suites.limits.inception_network import KINDS
from suites.limits.layer_norm import FAST_VARIANCE, FAST_VARIANCE_WHERE, HUGE, squares
from suites.limits.sgd_momentum import through_float32

limits = {
    **squares(STATISTICS),
    "momentum-through-float32": through_float32("μ", "keras/src/optimizers/sgd.py:104 (3.15.1)"),
    "fast-variance": Limit(
        "flax",
        FAST_VARIANCE,
        FAST_VARIANCE_WHERE,
        [
            {"backend": "jax", "regime": KINDS},
            {"backend": "jax", "regime": HUGE, "dtype": "float64"},
        ],
        always=False,
    ),
    "residual-sum-not-zero": residual_sum(direction="training", regime=KINDS),
    "uncentred-output": uncentred(direction="training", dtype="float32", regime=KINDS),
}
