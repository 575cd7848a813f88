"""Known departures of the simple recurrent network."""

from gaugeblock import Limit

limits = {
    "tanh-by-sigmoid": Limit(
        "onnxruntime",
        "computes tanh(x) as 2 σ(2x) − 1, which cancels near zero",
        "onnxruntime/core/providers/cpu/rnn/rnn_activation_functors.h, Tanh",
        {"backend": "onnxruntime", "regime": "typical"},
        always=False,
    ),
}
