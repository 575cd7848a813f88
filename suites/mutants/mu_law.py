"""Planted faults of mu-law companding."""

from gaugeblock import Mutant

CODE, BACK = "mu_law.mu_law", "mu_law.mu_law_inverse"
LAW, PLACE = "(np.log1p(mu * np.abs(x)) / log1p(mu))", "mu / 2 + mu / 2 * F"
GROWN = "(np.expm1(np.abs(y) * log1p(mu)) / mu)"

mutants = {
    "mu-law": (
        Mutant("a-law", "formula", CODE, LAW, "np.where(np.abs(x) < 1 / 87.6, 87.6 * np.abs(x), 1 + np.log(np.maximum(87.6 * np.abs(x), 1))) / (1 + np.log(87.6))"),
        Mutant("not-companded", "formula", CODE, f"np.sign(x) * {LAW}", "x"),
        Mutant("divided-by-log-mu", "formula", CODE, "/ log1p(mu)", "/ np.log(mu)"),
        Mutant("sign-lost", "formula", CODE, f"np.sign(x) * {LAW}", LAW),
        Mutant("rounded-down", "formula", CODE, PLACE, f"{PLACE} - 0.5"),
        Mutant("mu-plus-one-levels", "formula", CODE, PLACE, "mu / 2 + (mu + 1) / 2 * F"),
        Mutant("lower-of-two-codes", "mask", CODE, ">= np", "> np", regime="clipped"),
        Mutant("loudest-code-left-out", "mask", CODE, "levels, 0)", "np.minimum(levels, mu - 1), 0)", regime="clipped"),
        Mutant("codes-complemented", "layout", CODE, "levels, 0).max(axis=-1)", "levels[::-1], mu).min(axis=-1)"),
        Mutant("law-in-float16", "precision", CODE, f"np.sign(x) * {LAW}", f"np.sign(x) * float16{LAW}", regime="quiet"),
        Mutant("codes-promote", "dtype", CODE, "levels, 0)", "levels.astype(np.float64), 0)"),
        Mutant("samples-of-the-level-above", "mask", BACK, "(2 * codes - mu) / mu", "(2 * codes + 1 - mu) / mu"),
        Mutant("mu-for-its-successor", "formula", BACK, "log1p(mu)", "np.log(mu)"),
        Mutant("not-expanded", "formula", BACK, f"np.sign(y) * {GROWN}", "y"),
        Mutant("exponential-minus-one", "unstable", BACK, GROWN, "((np.exp(np.abs(y) * log1p(mu)) - 1) / mu)", regime="quiet"),
        Mutant("places-cancel", "unstable", BACK, "(2 * codes - mu) / mu", "2 * (codes / mu) - 1", regime="quiet"),
        Mutant("growth-in-bfloat16", "precision", BACK, GROWN, f"bfloat16{GROWN}"),
        Mutant("samples-in-float32", "dtype", BACK, "(2 * codes - mu) / mu", "float32((2 * codes - mu) / mu)"),
    ),
}  # fmt: skip
