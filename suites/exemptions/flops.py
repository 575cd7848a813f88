"""Known differences between a framework's counter and a page's flops, and the sizes that are counted.

REASONS: for a glob of backend/case/contender/direction, the smallest and the largest ratio of counted flops
to the page's, and the reason. UNCONFIRMED: cases that no counter covers. SIZES: sizes to count if no size of
the page is both below 1e9 flops and large enough for its products to dominate.
"""

GROUPS = "the weights' gradient is counted as if the convolution had no groups"
DENSE = "on a CPU, XLA computes the weights' gradient of a grouped convolution as a masked dense one"
ONCE = "XLA counts the body of a loop over time once"
FAST = "the variance is E[x²] - E[x]², without subtracting the mean"
PAIR = "the product of a word with its one context is elementwise, and torch does not count that"
PHASES = "every phase of the schedule is computed for each step, and one is selected"
ONE_HOT = "multiplies one-hot codes by the first kernel, where the formula takes rows of it"
NO_BANDS = "the matrix has no gradient: one product more, not two"
ZEROS = "XLA does not count products with the zeros around an image"
PACKED = "packed sequences are computed up to their ends, which is 25 of 35 words"
SIXTH = "torch does not count the squares of the errors and their sum"

REASONS = {
    "jax/gelu/*": (9, 14, "XLA computes erf as a quotient of polynomials; the page counts one operation"),
    "jax/inception-module/flax.linen.Conv/forward": (0.96, 0.99, ZEROS),
    "jax/batch-norm-biased/flax.linen.BatchNorm/forward": (0.8, 0.9, FAST),
    "jax/group-norm/flax.linen.GroupNorm/forward": (0.85, 0.95, FAST),
    "jax/group-norm/flax.linen.InstanceNorm/forward": (0.9, 0.99, FAST),
    "torch/depthwise-conv2d/*/gradient": (40, 45, GROUPS),
    "jax/depthwise-conv2d/*/gradient": (40, 45, DENSE),
    "torch/separable-conv2d/*/gradient": (3.5, 4, GROUPS),
    "jax/separable-conv2d/*/gradient": (3.5, 4, DENSE),
    "jax/dropout/*": (25, 75, "XLA counts the integer operations of its random number generator"),
    "torch/least-squares/*": (0.86, 0.88, SIXTH),
    "jax/rnn/*": (0.005, 0.02, ONCE),
    "jax/lstm/*": (0.001, 0.005, ONCE),
    "jax/gru/*": (0.001, 0.005, ONCE),
    "jax/lstm-model/*": (0.01, 0.5, ONCE),
    "jax/recurrent-classifier/*": (0.2, 0.23, ONCE),
    "torch/recurrent-classifier/*": (0.7, 0.72, PACKED),
    "torch/normal-equations/torch.linalg.lstsq/gradient": (0, 0, "needs memory for rows² numbers"),
    "jax/normal-equations/jax.numpy.linalg.lstsq/forward": (0.1, 0.15, "XLA does not count LAPACK's SVD"),
    "jax/wavenet-generation/*": (0.004, 0.007, ONCE),
    "torch/wavenet/*": (1.04, 1.08, ONE_HOT),
    "torch/wavenet-generation/*": (1.04, 1.05, ONE_HOT),
    "jax/spectrogram/*/forward": (2.7, 3, "XLA counts 8 N log N for a transform of N real numbers"),
    "torch/log-mel/*/gradient": (0.66, 0.67, NO_BANDS),
    "torch/mel-cepstrum/*/gradient": (0.66, 0.67, NO_BANDS),
    "torch/keyword-spotting/*/forward": (0.94, 0.95, "torch does not count the Fourier transform"),
    "torch/keyword-spotting/*/gradient": (3.3, 3.5, GROUPS),
    "jax/keyword-spotting/*/gradient": (3, 3.2, DENSE),
    "jax/max-pool/*/gradient": (4, 4.3, "the gradient searches each window again for its maximum"),
    "jax/ragged-bag/jax.ops.segment_max/gradient": (2, 3, "the gradient finds maxima again, and counts ties"),
    "torch/skip-gram/*": (0.83, 0.84, PAIR),
    "torch/skip-gram-training/*": (0.83, 0.84, PAIR),
    "jax/step-decay/*": (6, 7, "compares the step with every milestone"),
    "jax/warm-up-cosine/*": (3, 5, PHASES),
    "jax/one-cycle/*": (6, 8, PHASES),
}
UNCONFIRMED = {
    "batch-norm": "elementwise, and only torch has it; its arithmetic is that of batch-norm-biased",
    "kl-divergence-floored": "neither torch nor JAX has it",
    "smooth-l1": "elementwise, and only torch has it; its arithmetic is that of huber",
    "weighted-binary-cross-entropy": "elementwise, and only torch has it",
}
SIZES = {
    "transformer": "batch:2+source:64+target:48+heads:4+width:32+hidden:256+layers:2",
    "transformer-encoder-layer": "batch:2+time:64+heads:4+width:32+hidden:256",
    "transformer-encoder": "batch:2+time:64+heads:4+width:32+hidden:256",
}
