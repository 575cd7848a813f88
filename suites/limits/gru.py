"""Known departures of the gated recurrent unit."""

from gaugeblock import Limit
from suites.limits.activation import DTYPES
from suites.limits.lstm import GATES
from suites.limits.rnn import SATURATING, slopes


def rest(package, form, source, *backends, **cells):
    return Limit(
        package,
        f"the new state is {form}: where the gate z is near 1, the error of 1 − z is u",
        source,
        {
            "backend": backends,
            "dtype": DTYPES,
            "direction": "forward",
            "regime": SATURATING,
            **cells,
        },
        always=False,
    )


TORCH = "torch/_decomp/decompositions.py:4363, which writes out GRUCell in aten/src/ATen/native/RNN.cpp"
FLAX = "flax/linen/recurrent.py:594 (0.12.8)"
KERAS = "keras/src/layers/rnn/gru.py:296 (3.15.1)"

limits = {
    **slopes(GATES, "sigmoid", "tanh"),
    "rest-of-gate-torch": rest("torch", "(h − n) z + n", TORCH, "torch"),
    "rest-of-gate-flax": rest("flax", "(1 − z) n + z h", FLAX, "jax"),
    "rest-of-gate-keras": rest("keras", "z h + (1 − z) n", KERAS, "tensorflow", "keras-torch", "keras-jax"),
}
