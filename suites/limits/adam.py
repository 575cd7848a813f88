"""Known departures of Adam and AdamW."""

from gaugeblock import Limit
from suites.limits.sgd_momentum import each_micro_batch, through_float32

Options = dict[str, dict[str, tuple[str, ...]]]

# the options with the usual β₂ of 0.999, and those with 0.99
USUAL: Options = {
    "tensorflow": {
        "adam": ("hat", "hat-tiny-gradients", "hat-value"),
        "adamw": ("hat", "hat-matrices", "hat-value"),
    },
    "jax": {"adam": ("plain", "nesterov-root"), "adamw": ("plain", "nesterov-root-matrices")},
}
NUMBERS: Options = {
    "tensorflow": {"adam": ("hat-each", "hat-norm"), "adamw": ("hat-each", "hat-norm")},
    "jax": {
        "adam": (
            "maximize-coupled-numbers-clip-value",
            "numbers",
            "coupled-numbers",
            "root-numbers",
            "nesterov-numbers",
        ),
        "adamw": ("matrices-numbers",),
    },
}


def cells(backend, dtype, *groups):
    """The cells of these groups of options, case by case."""
    return [
        {"backend": backend, "dtype": dtype, "case": case, "option": options}
        for group in groups
        for case, options in group[backend].items()
    ]


def cancelled(package, backend, whose, source, group):
    """1 - β₂ᵗ from a float32 β₂: the relative error of 0.999 is 1.3e-8, that of 1 - 0.999 is 1.3e-5."""
    usual = group is USUAL
    size = "1.3e-5, and 110 u in each step" if usual else "1e-6 where β₂ is 0.99"
    reason = f"{whose} computes 1 - β₂ᵗ from a float32 β₂: its error is {size}"
    return Limit(package, reason, source, cells(backend, "float32", group), always=usual)


OF_KERAS = ("keras", "tensorflow", "Keras", "keras/src/optimizers/adam.py:110 (3.15.1)")
OF_OPTAX = ("optax", "jax", "optax", "optax/tree_utils/_tree_math.py:449 (0.2.8)")
KEPT = {name: (*USUAL["tensorflow"][name], *NUMBERS["tensorflow"][name]) for name in ("adam", "adamw")}

limits = {
    "maximum-loses-nan": Limit(
        "tensorflow",
        "compiled by XLA, the maximum of 0 and NaN is 0: the largest second moment stays what it was",
        "XLA_FLAGS=--xla_cpu_enable_fast_min_max=false mends it; tensorflow/tensorflow#116992",
        {
            "backend": "tensorflow",
            "mode": "xla",
            "device": "cpu",
            "option": "hat-norm",
            "regime": ("one-nan", "one-infinity"),
        },
        always=False,  # a NaN in the first step is there before
    ),
    "betas-through-float32": through_float32(
        "β₁ and β₂", "keras/src/optimizers/adam.py:107 (3.15.1)", case="adam", option=KEPT["adam"]
    ),
    "betas-and-decay-through-float32": through_float32(
        "β₁, β₂ and λ",
        "keras/src/optimizers/adam.py:107, keras/src/backend/tensorflow/optimizer.py:97 (3.15.1)",
        case="adamw",
        option=KEPT["adamw"],
    ),
    "correction-in-float32": cancelled(*OF_KERAS, USUAL),
    "correction-in-float32-of-optax": cancelled(*OF_OPTAX, USUAL),
    "smaller-correction-in-float32": cancelled(*OF_KERAS, NUMBERS),
    "smaller-correction-in-float32-of-optax": cancelled(*OF_OPTAX, NUMBERS),
    "beta-is-one-in-bfloat16": Limit(
        "keras",
        "Keras rounds β₂ to the dtype of the weights: in bfloat16 0.999 is 1, so that 1 - β₂ᵗ is 0 and the "
        "weights never move; 0.99 is 0.988",
        "keras/src/optimizers/adam.py:110 (3.15.1)",
        cells("tensorflow", "bfloat16", USUAL, NUMBERS),
        always=False,  # with β₂ = 0.99 some inputs agree
    ),
    "average-of-micro-batches": each_micro_batch("hat-all"),
}
