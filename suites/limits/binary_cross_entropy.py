"""Known departures of binary cross-entropy from logits."""

from gaugeblock import Limit
from suites.limits import activation

SLOPE = "the gradient is σ(z) − y, which cancels where a prediction is right and certain: the error is u"
SLOPES = {
    "torch": "torchgen/packaged/autograd/derivatives.yaml:2038; torch/csrc/autograd/FunctionsManual.cpp, "
    "binary_cross_entropy_with_logits_backward",
    "tensorflow": "tensorflow/python/ops/nn_impl.py:143, whose terms are differentiated one by one",
}

BINARY = {"case": "binary-cross-entropy"}
FEW = ("batch:1+classes:1", "batch:3+classes:5", "batch:4+classes:4")
EACH = {"direction": "forward", "option": "each"}
EACH_OF_MANY = ({**EACH, "dtype": "float64", "size": "small"}, {**EACH, "dtype": "float32"})
EACH_OF_FEW = (  # few elements, or few bits: only some seeds show it
    {**EACH, "dtype": "float64", "size": ("one-class", *FEW)},
    {**EACH, "dtype": ("bfloat16", "float16")},
)
CONFIDENT = {**BINARY, "direction": "forward", "regime": "confident"}
# compiled code computes bfloat16 in float32
NOT_COMPILED = {"dtype": "bfloat16", "mode": ("eager", "transposed", "gaps")}
# in float16 the result is subnormal, so rounding is as large; XLA sums before it cancels
NOT_HALF = {"dtype": ("float64", "float32", "bfloat16"), "mode": ("eager", "function")}


def cancels(package, source, *cells, always=True, **common):
    return Limit(
        package,
        "(1 - y) z + log(1 + e^-z) cancels if y = 0 and z is far below 0: the error is u |z|",
        source,
        [{"backend": package, **common, **each} for each in cells],
        always,
    )


def in_torch(*cells, **more):
    source = "torch/_decomp/decompositions.py:5154 writes out what the kernel does"
    return cancels("torch", source, *cells, **more)


def in_tensorflow(*cells, **more):
    source = "tensorflow/python/ops/nn_impl.py:335"
    return cancels("tensorflow", source, *cells, case="weighted-binary-cross-entropy", **more)


def infinite(**cells):
    return Limit(
        "tensorflow",
        "max(z, 0) − z y + log(1 + e^−|z|) is ∞ − ∞ · 0, NaN, for an infinite logit, whose loss is infinite",
        "tensorflow/python/ops/nn_impl.py:144; keras.losses.BinaryCrossentropy calls it",
        {"backend": "tensorflow", "direction": "forward", "regime": "one-infinity", **cells},
        always=False,  # where y is 1, the formula has no value either
    )


limits = {
    **{
        f"slope-near-one-{package}": activation.cancels(package, SLOPE, source, direction="gradient")
        for package, source in SLOPES.items()
    },
    "log-sigmoid-cancels-torch": in_torch(*EACH_OF_MANY, CONFIDENT, {**CONFIDENT, **NOT_COMPILED}),
    "log-sigmoid-cancels-torch-few-elements": in_torch(*EACH_OF_FEW, always=False),
    "log-sigmoid-cancels-tensorflow": in_tensorflow(*EACH_OF_MANY),
    "log-sigmoid-cancels-tensorflow-few-elements": in_tensorflow(
        *EACH_OF_FEW,
        {"direction": "gradient", **NOT_HALF},
        always=False,  # for the gradient one seed in twenty agrees
    ),
    "no-slope-at-zero": Limit(
        "tensorflow",
        "log(1 + e^−|z|) + relu(−z) is differentiated term by term, and at 0 both slopes are 0: half of the "
        "weighted term is lost. sigmoid_cross_entropy_with_logits avoids it. A subnormal z is read as 0",
        "tensorflow/python/ops/nn_impl.py:337",
        {
            "backend": "tensorflow",
            "case": "weighted-binary-cross-entropy",
            "direction": "gradient",
            "regime": ("all-zeros", "negative-zeros", "zeros-and-ties", "subnormal"),
        },
        always=False,  # in float64 subnormal logits are not 0
    ),
    "infinite-logit-times-zero": infinite(**BINARY),
    "slope-of-log-sigmoid": Limit(
        "jax",
        "the derivative of log-sigmoid is e^(z - logaddexp(z, 0)): the error is u |z|",
        "jax/_src/lax/other.py:288",
        {
            **BINARY,
            "backend": "jax",
            "direction": "gradient",
            "contender": ("optax.sigmoid_binary_cross_entropy", "keras.losses.BinaryCrossentropy"),
        },
        always=False,  # single elements, up to four times their limit
    ),
}
