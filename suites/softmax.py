"""Softmax and its logarithm: reference/activation.py against each framework's function.

Both are over the last axis. Every other row of the inputs is 8 times as large, so that softmax is nearly
one-hot, and in one regime eˣ overflows. Where a probability is near 1, the gradient of softmax and the
log-probability cancel in every framework: known departures on typical inputs.
"""

from gaugeblock import Case
from reference.activation import ACTIVATIONS
from suites.activation import COMMON, OVERFLOW, SIZES, TYPICAL, contender

CALLS = {
    "softmax": {
        "torch.nn.functional.softmax": lambda torch, x: torch.nn.functional.softmax(x, dim=-1),
        "tensorflow.nn.softmax": lambda tf, x: tf.nn.softmax(x),
        "keras.activations.softmax": lambda keras, x: keras.activations.softmax(x),
        "jax.nn.softmax": lambda jax, x: jax.nn.softmax(x),
    },
    "log-softmax": {
        "torch.nn.functional.log_softmax": lambda torch, x: torch.nn.functional.log_softmax(x, dim=-1),
        "tensorflow.nn.log_softmax": lambda tf, x: tf.nn.log_softmax(x),
        "keras.activations.log_softmax": lambda keras, x: keras.activations.log_softmax(x),
        "jax.nn.log_softmax": lambda jax, x: jax.nn.log_softmax(x),
    },
}

# ones of which float16 cannot hold the sum: the gradient of a plain sum of log-probabilities
VOCABULARY = {"vocabulary": {"rows": 1, "width": 65_536}}

cases = tuple(
    Case(
        name=name,
        title=f"Activation: {name}",
        reference=ACTIVATIONS[name][0],
        gradient=ACTIVATIONS[name][1],
        regimes=TYPICAL | {"overflow": OVERFLOW},
        rare=("overflow",),
        contenders=[contender(api, call) for api, call in calls.items()],
        flops=lambda *, rows, width, **_: 5 * rows * width,  # a transcendental function counts as one
        **COMMON | {"sizes": SIZES | VOCABULARY},
    )
    for name, calls in CALLS.items()
)
