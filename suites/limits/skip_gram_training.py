"""Known departures of the training of skip-gram."""

from gaugeblock import Limit
from suites.limits.skip_gram import of_the_rounded_result

limits = {
    "one-use-at-a-time": Limit(
        "keras",
        "gradients are subtracted from a row one use at a time, and each subtraction is rounded",
        "keras/src/backend/tensorflow/optimizer.py:70 (scatter_sub of tf.IndexedSlices)",
        {"backend": "tensorflow"},
        always=False,  # single elements of frequent words, by a third of their limit
    ),
    "threads-in-any-order": Limit(
        "tensorflow",
        "several threads subtract from the rows of a table in the order in which they arrive: a word that "
        "occurs twice gets its gradients in another order in each call",
        "tensorflow/core/kernels/scatter_functor.h:141 (ParallelExecute, in tensorflow/include)",
        {"backend": "tensorflow", "device": "cpu"},
        always=False,
        varies=True,
    ),
    "threads-add-in-any-order": Limit(
        "torch",
        "compiled, several threads add to the rows of a gradient in the order in which they arrive: a word "
        "that occurs twice gets its terms in another order in each call; eager torch does not do so",
        "torch/_inductor/codegen/cpp.py:2211 (atomic_add of torch/csrc/inductor/cpp_prefix.h:1038)",
        {"backend": "torch", "mode": "compile", "device": "cpu"},
        always=False,
        varies=True,
    ),
    "of-the-rounded-result": of_the_rounded_result(),
}
