"""Known departures of the training of skip-gram."""

from gaugeblock import Limit

limits = {
    "one-use-at-a-time": Limit(
        "keras",
        "gradients are subtracted from a row one use at a time, and each subtraction is rounded",
        "keras/src/backend/tensorflow/optimizer.py:70 (scatter_sub of tf.IndexedSlices)",
        {"backend": "tensorflow"},
        always=False,  # single elements of frequent words, by a third of their limit
    ),
}
