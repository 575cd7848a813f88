"""Known departures of recurrent layers with further arguments."""

from suites.limits.activation import FLUSHES
from suites.limits.gru import FLAX, KERAS, rest
from suites.limits.lstm import GATES
from suites.limits.rms_norm import MULTIPLIED, flushes
from suites.limits.rnn import SATURATING, UNEQUAL, slopes

EDGES = tuple(each for each in SATURATING if each not in ("saturated", "overflowing"))
STEEPER = (
    {"case": "recurrent-simple", "option": ("residual", "residual-activations")},  # the state is added twice
    {"case": "recurrent-lstm", "option": "gates", "regime": "constant-rows"},  # tanh as a gate
)

limits = {
    **slopes(
        GATES,
        "sigmoid",
        "tanh",
        regime=EDGES,
        size=(UNEQUAL, "batch:1+time:1+features:1+hidden:1"),
        flax=STEEPER,
    ),
    "rest-of-gate-flax": rest("flax", "(1 − z) n + z h", FLAX, "jax", case="recurrent-gru", regime=EDGES),
    "rest-of-gate-keras": rest(
        "keras",
        "z h + (1 − z) n",
        KERAS,
        *("tensorflow", "keras-torch", "keras-jax"),
        case="recurrent-gru",
        regime=EDGES,
    ),
    "subnormal-inputs-jax": flushes("jax", FLUSHES["jax"], MULTIPLIED, direction="gradient"),
}
