"""Known departures of the training of skip-gram."""

from gaugeblock import Limit

limits = {
    "one-use-at-a-time": Limit(
        "keras",
        "gradients are taken from a row one use at a time, and every use rounds at its size",
        "keras/src/backend/tensorflow/optimizer.py:70 (scatter_sub of tf.IndexedSlices)",
        {"backend": "tensorflow"},
        always=False,  # single elements of frequent words, by a third of their limit
    ),
}
