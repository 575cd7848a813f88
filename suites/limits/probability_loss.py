"""Known departures of the cross-entropies of probabilities."""

from gaugeblock import Limit
from suites.limits.activation import KERNELS, SOURCES, cancels
from suites.limits.layer_norm import HUGE

LOGITS = "takes the scores of the {} that made the probabilities, and clips nothing"
WHERE = "keras/src/backend/tensorflow/nn.py:1262, _get_logits (3.15.1)"
GRAPH = {"mode": ("function", "xla")}
DTYPES = ("float64", "float32", "bfloat16", "float16")


OWN = (
    {"case": "probability-binary", "contender": "keras.losses.BinaryCrossentropy"},
    {"case": "probability-categorical", "contender": "keras.losses.CategoricalCrossentropy"},
    {"case": "probability-sparse", "contender": "keras.losses.SparseCategoricalCrossentropy"},
)
IN_A_GRAPH = (
    {"case": "probability-binary", "contender": "tensorflow.nn.sigmoid", **GRAPH},
    {"case": "probability-categorical", "contender": "tensorflow.nn.softmax", **GRAPH},
    {"case": "probability-sparse", "contender": "tensorflow.nn.softmax", **GRAPH},
)
# kinds of inputs whose scores leave a probability at 0 or 1, where the formula clips
CLIPPED = {
    "option": "scores",
    "regime": (*HUGE, "mixed-magnitudes", "offset", "one-far-above", "one-infinity"),
}

REFERENCE = "reference/probability_loss.py, which has the range of float64 where it is the oracle"
SUM_OF_NOTHING = "of no examples each reduction is the empty array of their losses, not their sum"
SUM_OF_NOTHING_WHERE = "keras/src/losses/loss.py:145 (3.15.1)"


def of_scores(function, cells, always=True, **given):
    shared = {"backend": "tensorflow", "option": "ends-scores", "dtype": DTYPES} | given
    where = {"Keras": "function of Keras", "graph": "operation of TensorFlow"}[function]
    reason = LOGITS.format(where) + (", in a graph; eagerly it clips" if function == "graph" else "")
    return Limit("keras", reason, WHERE, [{**shared, **each} for each in cells], always)


limits = {
    "scores-of-its-own-function": of_scores("Keras", OWN),
    "scores-in-a-graph": of_scores("graph", IN_A_GRAPH),
    "scores-of-its-own-function-clipped": of_scores("Keras", OWN, always=False, **CLIPPED),
    "scores-in-a-graph-clipped": of_scores("graph", IN_A_GRAPH, always=False, **CLIPPED),
    "squares-the-sum": Limit(
        "tensorflow",
        "XLA makes a / (s s) of a / s / s, the gradient of a quotient by a sum: its square leaves the range",
        "xla/hlo/transforms/simplifiers/algebraic_simplifier.cc, HandleDivide: (A / B) / C => A / (B * C)",
        {
            "case": "probability-categorical",
            "backend": "tensorflow",
            "mode": "xla",
            "direction": "gradient",
            "regime": (*HUGE, "near-zero"),
            "dtype": ("float32", "bfloat16", "float16"),
        },
        always=False,  # a short row may have a sum whose square is in range
    ),
    "sum-of-nothing": Limit(
        "keras",
        SUM_OF_NOTHING,
        SUM_OF_NOTHING_WHERE,
        [
            {"backend": "tensorflow", "option": "sum", "size": "batch:0+classes:7"} | cells
            for cells in (
                {"case": "probability-categorical"},
                {"case": "probability-sparse", "direction": "forward"},
            )
        ],
    ),
    "bound-of-one-in-float16": Limit(
        "keras",
        "clips at 1 − 1e-7, which is 1 in float16: a probability of 1 stays, and its loss and gradient are "
        "infinite or NaN",
        "keras/src/backend/tensorflow/nn.py:1484 (3.15.1); keras-team/keras#377 has the same in float32",
        {"backend": "tensorflow", "case": "probability-binary", "dtype": "float16"},
        always=False,
    ),
    "bound-of-one-in-float16-numpy": Limit(
        "numpy",
        "clips at 1 − 1e-7, which is 1 in float16: the gradient of a probability of 1 is infinite",
        REFERENCE,
        {
            "backend": "numpy",
            "case": "probability-binary",
            "dtype": "float16",
            "option": ("ends", "ends-smoothing", "ends-scores"),
        },
        always=False,
    ),
    "reciprocal-overflows": Limit(
        "keras",
        "takes the softmax of log p, whose gradient 1/p overflows in float16 for a p below 1.5e-5",
        "keras/src/backend/tensorflow/nn.py:1437 (3.15.1)",
        {
            "backend": "tensorflow",
            "case": "probability-sparse",
            "direction": "gradient",
            "dtype": "float16",
            "size": "large",
        },
        always=False,
    ),
    "reciprocal-overflows-numpy": Limit(
        "numpy",
        "takes 1/p before its share of the mean: it overflows in float16 for a p below 1.5e-5",
        REFERENCE,
        {
            "backend": "numpy",
            "case": "probability-sparse",
            "direction": "gradient",
            "dtype": "float16",
            "size": "large",
        },
        always=False,
    ),
    "rest-is-rounded": cancels(
        "tensorflow",
        "computes log(1 − p) of a rounded 1 − p: the error is u, whatever p",
        "keras/src/backend/tensorflow/nn.py:1488 (3.15.1)",
        case="probability-binary",
        dtype=DTYPES[:3],
        option=("plain", "sum", "each", "smoothing", "weights", "scores", "ends", "ends-smoothing"),
    ),
    "sigmoid-slope": cancels(
        "tensorflow",
        "the slope of the sigmoid is σ (1 − σ) of a rounded σ, which cancels near 1: the error is u",
        SOURCES["sigmoid"]["tensorflow"],
        case="probability-binary",
        option="ends-scores",
        contender="tensorflow.nn.sigmoid",
        mode="eager",
        direction="gradient",
    ),
    "target-subtracted": cancels(
        "torch",
        "the gradient is (p − t) / max(p (1 − p), 1e-12): it cancels where p is near t, and is not 0 where "
        "the loss is constant",
        "torch/_decomp/decompositions.py:686, which writes out the kernel in aten/src/ATen/native/Loss.cpp",
        case="probability-binary",
        direction="gradient",
    ),
    "slope-near-one": cancels(
        "tensorflow",
        "the gradient is p − 1 of the softmax of log p, which cancels where p is near 1: the error is u",
        f"{KERNELS}/sparse_xent_op.h:118; keras/src/backend/tensorflow/nn.py:1438",
        case="probability-sparse",
        direction="gradient",
        dtype=DTYPES[:3],
        option=("plain", "sum", "each", "weights", "scores", "ends"),
    ),
}
