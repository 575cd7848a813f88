"""Planted faults of pooling over the end."""

from gaugeblock import Mutant

MAX, MAX_BACK = "ceil_pooling.ceil_max", "ceil_pooling.ceil_max_vjp"
MEAN, MEAN_BACK = "ceil_pooling.ceil_mean", "ceil_pooling.ceil_mean_vjp"
KEPT, INSIDE, COUNT = "ceil_pooling._kept", "ceil_pooling._inside", "ceil_pooling._count"

both = (
    Mutant("margin-not-cropped", "layout", INSIDE, "rows : rows + h,", "0 : h,"),
)  # fmt: skip
mutants = {
    "ceil-max-pool": (
        *both,
        Mutant("first-column-of-the-choice", "layout", MAX, "y[_kept", "y[..., ::-1][_kept"),
        Mutant("dilation-ignored-backwards", "gradient", MAX_BACK, "dilation=dilation)", "dilation=1)", option="dilated"),
        Mutant("margin-of-zeros", "formula", MAX, "-math.inf", "0.0"),
        Mutant("margin-of-zeros-backwards", "gradient", MAX_BACK, "-math.inf", "0.0"),
        Mutant("dilation-ignored", "formula", MAX, "dilation=dilation))", "dilation=1))", option="dilated"),
    ),
    "ceil-average-pool": (
        *both,
        Mutant("divided-by-the-window", "formula", COUNT, "    if divisor:", "    return float(pair(size)[0] * pair(size)[1])\n    if divisor:"),
        Mutant("margin-never-counted", "mask", COUNT, "1.0 if count_margin else 0.0", "0.0"),
        Mutant("margin-always-counted", "mask", COUNT, "1.0 if count_margin else 0.0", "1.0", option="uncounted"),
        Mutant("given-divisor-ignored", "formula", COUNT, "    if divisor:", "    if False:", option="divisor"),
        Mutant("gradient-undivided", "gradient", MEAN_BACK, "dy / _count(x, size, stride, margin, count_margin, divisor)", "dy / 9.0"),
        Mutant("sums-in-float16", "precision", MEAN, "    y = y[_kept", "    y = float16(y)\n    y = y[_kept"),
    ),
}  # fmt: skip
