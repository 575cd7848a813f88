"""Known departures of the training of the Inception network; see suites/limits/inception_network.py."""

from gaugeblock import Limit
from suites.limits.batch_norm import residual_sum
from suites.limits.inception_network import KINDS, STATISTICS
from suites.limits.layer_norm import FAST_VARIANCE, FAST_VARIANCE_WHERE, HUGE, UNCENTRED, squares
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
    "uncentred-output": Limit(
        "tensorflow",
        UNCENTRED,
        "tensorflow/python/ops/nn_impl.py:1496",
        {"backend": "tensorflow", "dtype": "float32", "regime": KINDS},
        always=False,  # in few steps
    ),
}
