"""Planted faults of the accumulation of gradients."""

from gaugeblock import Mutant
from suites.mutants.clipping import shared

TOTAL, STEP = "gradient.accumulate", "suites.gradient_accumulation.step"
ADD, MEAN = "lambda a, b: a + b, g, g_i)", "tree_map(lambda g: g / len(x), g)"
PAIRS, ALL = "zip(x[1:], y[1:], strict=True)", "(loss / len(x), "
RETURN = "return *sgd(theta, g, state, lr=LR), loss"

mutants = {
    "gradient-accumulation": (
        *shared,
        Mutant("total-for-the-mean", "formula", TOTAL, "if total else", "if True else"),
        Mutant("mean-for-the-total", "formula", TOTAL, "if total else", "if False else", option="total"),
        Mutant("mean-of-the-loss-alone", "formula", TOTAL, MEAN, "g"),
        Mutant("mean-of-the-gradients-alone", "formula", TOTAL, ALL, "(loss, "),
        Mutant("mean-taken-twice", "formula", TOTAL, MEAN, "tree_map(lambda g: g / len(x) ** 2, g)"),
        Mutant("mean-over-the-rows", "formula", TOTAL, MEAN, "tree_map(lambda g: g / len(x[0]), g)"),
        Mutant("mean-over-four", "formula", TOTAL, MEAN, "tree_map(lambda g: g / 4, g)", option="three"),
        Mutant("mean-of-two-at-a-time", "formula", TOTAL, ADD, "lambda a, b: (a + b) / 2, g, g_i)"),
        Mutant("rate-of-the-total", "formula", STEP, "lr=LR", "lr=LR / len(x) if total else LR", option="total"),
        Mutant("largest-of-the-gradients", "formula", TOTAL, ADD, "lambda a, b: np.where(np.abs(a) < np.abs(b), b, a), g, g_i)"),
        Mutant("emptied-before-each", "state", TOTAL, ADD, "lambda a, b: b, g, g_i)"),
        Mutant("never-emptied", "state", TOTAL, ADD, "lambda a, b: a + a + b, g, g_i)"),
        Mutant("weights-move-between", "state", TOTAL, "        more, g_i", "        theta = tree_map(lambda p, g: p - 0.125 * g / len(x), theta, g)\n        more, g_i"),
        Mutant("loss-after-the-step", "state", STEP, RETURN, "theta, state = sgd(theta, g, state, lr=LR)\n    return theta, state, accumulate(theta, x, y, total=total)[0]"),
        Mutant("steps-at-the-first", "state", STEP, RETURN, "return *sgd(theta, accumulate(theta, x[:1], y[:1], total=total)[1], state, lr=LR), loss"),
        Mutant("accumulator-in-bfloat16", "precision", TOTAL, ADD, "lambda a, b: bfloat16(a + b), g, g_i)"),
        Mutant("accumulator-in-float32", "dtype", TOTAL, ADD, "lambda a, b: float32(a + b), g, g_i)"),
        Mutant("share-promotes", "dtype", TOTAL, MEAN, "tree_map(lambda g: g / np.float64(len(x)), g)"),
        Mutant("intercepts-of-the-last", "gradient", TOTAL, ADD, "lambda a, b: a + b if a.ndim > 1 else b, g, g_i)"),
        Mutant("last-micro-batch-left-out", "mask", TOTAL, PAIRS, "zip(x[1:-1], y[1:-1], strict=True)"),
        Mutant("first-micro-batch-twice", "mask", TOTAL, PAIRS, "zip(x, y, strict=True)"),
        Mutant("first-micro-batch-for-the-second", "mask", TOTAL, PAIRS, "zip(x[:-1], y[:-1], strict=True)"),
        Mutant("targets-of-another-micro-batch", "layout", TOTAL, PAIRS, "zip(x[1:], y[:0:-1], strict=True)"),
    ),
}  # fmt: skip
