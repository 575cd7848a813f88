"""Kinds of inputs and sizes at the edges that do not fit a formula, with reasons.

A pattern is a glob for "case/option/kind", or for "case/option/size". The first that matches gives the
reason; a pattern that matches nothing is stale, and a test fails. `gaugeblock list` shows those of kinds.
"""

ZERO_SUM = "the outputs have a constant sum, so its gradient is zero by formula: nothing to compare"
SQUARES = "the loss and its gradient are products of inputs, which no number of the dtype holds"
RESIDUE = "what is left of equal huge numbers without their mean is rounding alone: every output is right"
INFINITE = "x − log Σ e^x of an infinite x is ∞ − ∞: it has no value, and frameworks choose −∞ or NaN"

MOMENT = "the second moment is a mean of squares, which no number of the dtype holds"
VARIANCE = "the variance is a difference of squares that are below the smallest number of the dtype"
FIRST = "the corrected variance of one gradient is g² − g²: of large ones, rounding gives it a sign"
NARROW = "its gradients are in bfloat16 or float16, which have neither this range nor these digits"
MARGIN = "the rounding errors of such distances are above the margin that is added to their difference"
PROBABILITY = "a probability lies between 0 and 1, and torch raises for others"
RECIPROCAL = "the gradient is 1/p, which overflows"
FLOOR = "whether a sigmoid is 0 or just above decides between the floor and its logarithm: rounding turns it"
CONSTANT = "with probabilities of 0 or 1 alone, clipped and smoothed, every answer may be the same"
OF_SQUARES = ("adagrad", "adam", "adamw", "adam-master-copy", "rmsprop")
DESCENTS = ("batch-gradient-descent", "gradient-accumulation")
UNEVEN = ("mixed-magnitudes", "offset", "one-far-above")
LARGE = ("huge", "near-largest", "constant-huge-rows")
BEND = "at a bend the slope is a convention, of which each framework has its own"
NO_KEYS = "a query without keys has no softmax (0/0): attention's options masked-rows-… have the conventions"
NOTHING = "the mean of no elements is 0/0"
TURNED = "scores of so large inputs are as large as their rounding errors, which choose the key that is seen"
NO_WEIGHT = "a mean of weights that are all zero is 0/0"
NO_SUM = "probabilities that may be flushed to zero have no sum to divide by"
NO_NORMAL = "a mean of weights that may be flushed to zero is 0/0"
NO_SHARE = "the gradient of the weights is a share of 1/Σ α, which is below the smallest normal number"
HIDDEN = "the square of what is left out overflows, and ∞ times its weight of 0 is NaN"
ROOT = "the root of a sum of squares, which no number of the dtype holds"
TWICE = "which value a row has that is set twice, no framework promises"
MARK = "a zero marks what is dropped, so that no input may be one, or be flushed to one"
LEFT_EMPTY = "a row without an element left has no quotient (0/0)"
DROPPED = "what is dropped is multiplied by zero, which makes NaN of ∞, or replaced by it: a convention"
OF_ROWS = ("last", "no-scale", "bare", "some", "some-bare")  # subtract the mean of a row
AT_ZERO = ("plain", "slope", "bound", "slope-bound", "six")  # a bend there
SINGULAR = "a matrix of zeros, or with equal columns, has no inverse"
INVERSE = "the inverse of numbers so small, or the product of two in its gradient, is out of range"
BESIDE_ONES = "beside the intercept's column of ones, features so far from 1 have a condition above 1/u"
UNSCALED = "of condition 1e7 to 1e12: elimination without scaling loses 1e4 u, in the reference as well"
NO_SYSTEM = "with an infinite coefficient there is no system: what elimination makes of it hangs on its order"
NO_STEP = "what has no value has no gradient: how far NaN · 0 reaches in a kernel is the algorithm's choice"
DIVERGES = "at its rate the descent diverges, out of the range of float32"
SHARE = "its gradient is a share of 1/Σ p, near the smallest normal number: terms of it underflow"
NO_LENGTH = "of no sequences, no framework finds the length that a reshape leaves to it"
LABEL = "an infinite score times a label of 0 is NaN, and torch's loss multiplies by no label"
FLUSHED = "without shifts every layer is a sum of products of subnormal numbers, which may be flushed to zero"
SHUT = "its gates are so saturated that every gradient underflows"
ONE_HOT = "frameworks multiply it by the zeros of one-hot codes, which makes NaN; the formula takes rows"
POOLED = "all places of an image are nearly the same, and rounding chooses the largest of a pool"
ONE_CLASS = (
    "of one class the loss has no slope: it is added to that of the score and taken away, in any order"
)
POWER = "the power of the sound is its square, which no number of float32 holds"
NO_PAIR = "of one component, or a quarter of so few, no pair is left to turn"
LOUD = "a sample beyond ±1, or that is no number, has no code"
BEYOND = ("offset", "one-far-above", "mixed-magnitudes", "one-nan", "one-infinity")
# options of momentum without any clipping
UNCLIPPED = ("momentum", "nesterov", "momentum-inside", "nesterov-inside", "coupled-no-momentum")
UNCLIPPED += ("nesterov-maximize-coupled", "dampened", "dampened-maximize-coupled")
UNCLIPPED += ("inside-nesterov-average-kept-decay-scale", "inside-nesterov-decay-scale-micro")
UNCLIPPED += ("inside-nesterov-average-taken-micro",)

REASONS = {
    # by the formula
    "axis-softmax/*/cotangents-of-ones": ZERO_SUM,
    "axis-log-softmax/*/one-infinity": INFINITE,
    "batch-norm/*/cotangents-of-ones": ZERO_SUM,
    "batch-norm-biased/*/cotangents-of-ones": ZERO_SUM,
    "group-norm/*/cotangents-of-ones": ZERO_SUM,
    "layer-norm/*/cotangents-of-ones": ZERO_SUM,
    "layer-norm/*/constant-huge-rows": RESIDUE,
    "encoder-decoder/pre-norm*/constant-huge-rows": RESIDUE,
    "transformer/pre-norm/constant-huge-rows": RESIDUE,
    "masked-encoder/additive-pre-norm/constant-huge-rows": RESIDUE,
    "transformer-encoder*/pre-norm/constant-huge-rows": RESIDUE,
    "log-softmax/*/one-infinity": INFINITE,
    "sparse-cross-entropy/*/one-infinity": INFINITE,
    "sparse-pixel-cross-entropy/*/one-infinity": INFINITE,
    "softmax/*/cotangents-of-ones": ZERO_SUM,
    "perceptron/tanh/cotangents-of-ones": ZERO_SUM,
    "bounded-relu/*/zeros-and-ties": BEND,
    "attention/boolean-mask/all-masked-row": NO_KEYS,
    "grouped-attention/grouped-boolean-mask/all-masked-row": NO_KEYS,
    "scored-attention/*/all-masked-row": NO_KEYS,
    "multi-head-attention/padding-mask/all-masked-row": NO_KEYS,
    "masked-encoder/*/all-masked-row": NO_KEYS,
    "head-options/mask-causal/all-masked-row": NO_KEYS,
    "grid-heads/*-masked/all-masked-row": NO_KEYS,
    "head-options/scores*-mask/all-masked-row": NO_KEYS,
    "infinite-attention/boolean-mask/all-masked-row": NO_KEYS,
    "infinite-attention/root-boolean-mask/all-masked-row": NO_KEYS,
    **{f"head-options/{option}-causal/offset": TURNED for option in ("mask", "scores", "window")},
    "transformer*/padding-mask/all-masked-row": NO_KEYS,
    "encoder-decoder/*/all-masked-row": NO_KEYS,
    "masked-norm/*/all-masked-row": NOTHING,
    "inception-module/[!i]*/*batch:0": NOTHING,  # not of inference
    **{
        f"inception-{each}/*/{kind}": POOLED
        for each in ("network", "training")
        for kind in ("near-zero", "subnormal", "all-zeros")
    },
    "recurrent-classifier/*/*classes:1+*": ONE_CLASS,
    "masked-norm/bare*/cotangents-of-ones": ZERO_SUM,
    "masked-norm/no-scale*/cotangents-of-ones": ZERO_SUM,
    **{f"masked-norm/{option}/constant-huge-rows": RESIDUE for option in OF_ROWS},
    "moments/*/all-masked-row": NOTHING,
    "rms-norm/no-scale/batch:1*": "of one element it is the sign, whose slope is what ε leaves, and rounding",
    **{f"moments/{option}/constant-huge-rows": RESIDUE for option in ("plain", "unbiased", "weights")},
    **{f"moments/some*/{kind}": HIDDEN for kind in LARGE},
    **{f"weighted-squared-error/*/{kind}": SQUARES for kind in LARGE},
    "cnn/*/cotangents-of-ones": ZERO_SUM,
    "instance-statistics/[!i]*/cotangents-of-ones": ZERO_SUM,  # not of inference
    "renormed-batch/[!s]*/cotangents-of-ones": ZERO_SUM,  # not where some pixels are left out
    "dropout/*/all-masked-row": LEFT_EMPTY,
    **{f"dropout/{option}/rows:*": LEFT_EMPTY for option in ("plain", "few", "most")},
    "dropout/plain/*zeros*": MARK,
    "dropout/few/*zeros*": MARK,
    "dropout/most/*zeros*": MARK,
    "dropout/*/subnormal": MARK,
    "dropout/*/one-nan": DROPPED,
    "dropout/*/one-infinity": DROPPED,
    "logsumexp/some-terms*/all-masked-row": "a sum of no terms is log 0 = −∞, and its slopes are 0/0",
    "row-set/*/same-index": TWICE,
    "row-set/*/edge-indices": TWICE,
    "ragged-bag/*/edge-indices": "offsets are in order, and those of the edges would not be",
    "ragged-bag/*max/all-zeros": BEND,
    "ragged-bag/*max/zeros-and-ties": BEND,
    **{f"ragged-bag/{option}/{kind}": ROOT for option in ("weighted-sqrtn", "max-norm") for kind in LARGE},
    **{f"ragged-bag/weighted-{option}/subnormal": NO_NORMAL for option in ("mean", "sqrtn")},
    "ragged-bag/weighted-mean/near-largest": NO_SHARE,
    "ragged-bag/weighted-mean/all-zeros": NO_WEIGHT,
    "ragged-bag/weighted-sqrtn/all-zeros": NO_WEIGHT,
    **{f"bounded-relu/{option}/*-zeros": BEND for option in AT_ZERO},
    "wavenet*/*/one-nan": ONE_HOT,
    "wavenet*/*/one-infinity": ONE_HOT,
    **{f"mu-law/*/{kind}": LOUD for kind in (*LARGE, *BEYOND)},
    "perceptron/relu/batch:6553*": "the sums of its gradient are of whole numbers beyond float32's 2²⁴",
    # out of range
    "recurrent-gru/*/offset": SHUT,
    "wavenet/no-bias/subnormal": FLUSHED,
    "masked-encoder/no-shifts-additive/subnormal": FLUSHED,
    "skip-gram*/*/one-infinity": LABEL,
    **{f"skip-gram-training/*/{kind}": DIVERGES for kind in LARGE},
    "wavenet-generation/*/*batch:0*": NO_LENGTH,
    **{f"{case}/*/{kind}": DIVERGES for case in DESCENTS for kind in UNEVEN},
    "gradient-accumulation/*/constant-huge-rows": SQUARES,
    **{f"steering/*/{kind}": SQUARES for kind in LARGE[1:]},
    **{f"{case}/*/{kind}": SQUARES for case in DESCENTS for kind in LARGE[:2]},
    **{f"gradient-descent/least-squares/{kind}": SQUARES for kind in LARGE[:2]},
    "gradient-descent/least-squares/mixed-magnitudes": DIVERGES,
    **{f"sgd-momentum/*/{kind}": SQUARES for kind in LARGE},
    **{f"sgd-momentum/{option}/{kind}": DIVERGES for option in UNCLIPPED for kind in UNEVEN[:2]},
    **{f"sgd-momentum/{option}/one-far-above": DIVERGES for option in UNCLIPPED if "nesterov" in option},
    "gradient-descent/logistic/near-largest": DIVERGES,
    **{f"logistic-training/*/{kind}": DIVERGES for kind in LARGE},
    **{f"{case}/*/{kind}": MOMENT for case in OF_SQUARES for kind in LARGE},
    **{f"triplet/*/{kind}": MARGIN for kind in (*LARGE, "mixed-magnitudes")},
    **{f"adam-master-copy/*/{kind}": NARROW for kind in ("near-zero", "subnormal", *UNEVEN)},
    "adam-master-copy/*/one-infinity": NO_STEP,
    **{f"cnn-training/adam*/{kind}": MOMENT for kind in LARGE},
    **{f"rmsprop/*corrected-centered/{kind}": FIRST for kind in UNEVEN},
    "rmsprop/centered*/near-zero": VARIANCE,
    "rmsprop/centered*/subnormal": VARIANCE,
    **{f"{case}-training/*/one-nan": NO_STEP for case in ("cnn", "inception")},
    **{f"{case}-training/*/one-infinity": NO_STEP for case in ("cnn", "inception")},
    "probability-categorical/*/near-largest": SHARE,
    "probability-categorical/*/subnormal": NO_SUM,
    **{f"probability-binary/floored/{kind}": PROBABILITY for kind in (*LARGE, *BEYOND, "one-infinity")},
    **{
        f"probability-binary/floored-{option}/{kind}": PROBABILITY
        for option in ("sum", "weights", "ends")
        for kind in (*LARGE, *BEYOND, "one-infinity")
    },
    "probability-binary/floored-scores/one-nan": PROBABILITY,
    "probability-binary/floored*/subnormal": RECIPROCAL,
    **{f"probability-binary/floored-scores/{kind}": FLOOR for kind in (*LARGE, *UNEVEN)},
    "probability-binary/ends-smoothing/batch:*": CONSTANT,
    "probability-binary/ends-scores/zeros-and-ties": CONSTANT,
    "linear-system/*/all-zeros": SINGULAR,
    "linear-system/*/constant-rows": SINGULAR,
    "linear-system/*/constant-huge-rows": SINGULAR,
    "linear-system/*/mixed-magnitudes": UNSCALED,
    "linear-system/*/near-zero": INVERSE,
    "linear-system/*/subnormal": INVERSE,
    "linear-system/*/one-infinity": NO_SYSTEM,
    "normal-equations/*/all-zeros": SINGULAR,
    "normal-equations/*/constant-rows": SINGULAR,
    "normal-equations/*/constant-huge-rows": SINGULAR,
    "normal-equations/*/huge": BESIDE_ONES,
    "normal-equations/*/near-largest": BESIDE_ONES,
    "normal-equations/*/mixed-magnitudes": BESIDE_ONES,
    "normal-equations/*/near-zero": BESIDE_ONES,
    "normal-equations/*/subnormal": BESIDE_ONES,
    "normal-equations/*/offset": BESIDE_ONES,
    "least-squares/*/huge": SQUARES,
    "least-squares/*/near-largest": SQUARES,
    **{f"clip-by-*/*/{kind}": SQUARES for kind in LARGE},
    "rotary/*/batch:1+heads:1+time:1+width:1": NO_PAIR,
    "rotary/quarter/batch:3+heads:5+time:7+width:2": NO_PAIR,
    "rotary/quarter/batch:4+heads:4+time:4+width:4": NO_PAIR,
    **{f"keyword-spotting/*/{kind}": POWER for kind in LARGE},
}
