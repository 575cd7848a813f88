"""Known departures of gradient descent."""

from gaugeblock import Limit

limits = {
    "infinite-logit-times-zero": Limit(
        "torch",
        "(1 − y) z − log σ(z) is 0 · ∞, NaN, for the infinite logit of an example with y = 1",
        "aten/src/ATen/native/Loss.cpp, binary_cross_entropy_with_logits",
        {"backend": "torch", "option": "logistic", "regime": "one-infinity"},
        always=False,
    ),
}
