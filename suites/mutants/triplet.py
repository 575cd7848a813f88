"""Planted faults of the triplet loss."""

from gaugeblock import Mutant

LOSS, BACK = "triplet.triplet", "triplet.triplet_vjp"
DISTANCE, POWERS, SLOPE = "triplet._distance", "triplet._powers", "triplet._slope"
HINGE = "np.maximum(_distance(a, p, degree, eps, inside) - away + margin, 0)"
TERMS, ROOT = "s = (np.abs(e) ** degree).sum(axis=-1)", "[1] ** (1 / degree)"
OFF = "(1 + 0.001 * (np.arange(x.size) == 0).reshape(x.shape)).astype(x.dtype)"

mutants = {
    "triplet": (
        Mutant("margin-taken-off", "formula", LOSS, "- away + margin", "- away - margin"),
        Mutant("squared-distances", "formula", DISTANCE, ROOT, "[1]"),
        Mutant("epsilon-left-out", "formula", POWERS, "x - y + eps", "x - y", regime="close"),
        Mutant("epsilon-below-the-root", "formula", DISTANCE, "eps, inside)[1]", "eps, True)[1]", regime="close"),
        Mutant("epsilon-outside-the-root", "formula", DISTANCE, "eps, inside)[1] ** (1 / degree)", "0, inside)[1] ** (1 / degree) + eps", option="inside"),
        Mutant("soft-margin", "formula", LOSS, HINGE, "np.logaddexp(0, _distance(a, p, degree, eps, inside) - away + margin)"),
        Mutant("mean-of-those-within-the-margin", "formula", LOSS, f"    return reduced({HINGE}, reduction)", f"    l = {HINGE}\n    return l.sum() / np.count_nonzero(l)"),
        Mutant("swap-to-the-farther", "formula", LOSS, "np.minimum(away,", "np.maximum(away,", option="swap"),
        Mutant("powers-of-the-sign", "formula", POWERS, "np.abs(e) ** degree", "e**degree", option="cubic"),
        Mutant("square-root-of-any-power", "formula", DISTANCE, ROOT, "[1] ** 0.5", option="cubic"),
        Mutant("squares-multiplied-out", "unstable", POWERS, TERMS, "y = y - eps\n    s = np.abs((x * x).sum(axis=-1) + (y * y).sum(axis=-1) - 2 * (x * y).sum(axis=-1))", regime="far-off"),
        Mutant("differences-in-bfloat16", "precision", POWERS, TERMS, f"e = bfloat16(e)\n    {TERMS}"),
        Mutant("inputs-in-tf32", "precision", POWERS, "    e = ", "    x, y = tf32(x), tf32(y)\n    e = ", regime="close"),
        Mutant("sums-in-float32", "precision", POWERS, TERMS, "s = float32((np.abs(e) ** degree).sum(axis=-1))"),
        Mutant("margin-left-out", "gradient", BACK, "across) + margin > 0", "across) > 0"),
        Mutant("beyond-the-margin-too", "gradient", BACK, "+ margin > 0, dl, 0)", "+ margin > 0, dl, dl)"),
        Mutant("anchor-without-the-negative", "gradient", BACK, '{"a": ap + an, "p": -ap, "n": -an}', '{"a": ap, "p": -ap, "n": -an}'),
        Mutant("not-divided-by-the-distance", "gradient", SLOPE, "s[:, None] ** (1 / degree - 1) * ", ""),
        Mutant("shared-by-the-elements", "gradient", BACK, "len(a), reduction", "a.size, reduction"),
        Mutant("swapped-to-the-anchor", "gradient", BACK, "(away <= across)", "(away <= np.inf)", option="swap"),
        Mutant("swapped-away-from-the-positive", "gradient", BACK, '"p": pn - ap', '"p": -pn - ap', option="swap"),
        Mutant("slope-of-two-at-any-degree", "gradient", SLOPE, "np.abs(e) ** (degree - 1)", "np.abs(e)", option="cubic"),
        Mutant("last-triplet-left-out", "mask", LOSS, f"reduced({HINGE},", f"reduced({HINGE}[:-1],"),
        Mutant("last-component-left-out", "mask", POWERS, TERMS, "s = (np.abs(e) ** degree)[:, :-1].sum(axis=-1)"),
        Mutant("negatives-of-the-triplet-before", "layout", LOSS, "_distance(a, n,", "_distance(a, np.roll(n, 1, axis=0),"),
        Mutant("positive-and-negative-exchanged", "layout", BACK, "    near, away", "    p, n = n, p\n    near, away"),
        Mutant("margin-promotes", "dtype", LOSS, "- away + margin", "- away + np.float64(margin)"),
        Mutant("one-component-off-by-a-thousandth", "local", POWERS, "    e = ", f"    x = x * {OFF}\n    e = "),
    ),
}  # fmt: skip
