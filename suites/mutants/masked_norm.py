"""Planted faults of normalisation over an axis, of some elements."""

from gaugeblock import Mutant

NORM, BACK, STANDARD = "masked_norm.masked_norm", "masked_norm.masked_norm_vjp", "masked_norm._standard"
SEEN, ALONG = "masked_norm._seen", "masked_norm._along"

mutants = {
    "masked-norm": (
        Mutant("mask-left-out", "mask", SEEN, "np.where(seen, x, 0)", "x", option="some"),
        Mutant("divided-by-all", "mask", STANDARD, "if seen is not None:", "if False:", option="some"),
        Mutant("left-out-is-zero", "mask", NORM, "[0]\n", "[0]\n    n = _seen(n, seen)\n", option="some"),
        Mutant("axis-ignored", "layout", STANDARD, "s = np.sqrt(_seen(c * c, seen).sum(axis=axis", "s = np.sqrt(_seen(c * c, seen).sum(axis=-1", option="middle"),
        Mutant("centred-all-the-same", "formula", STANDARD, "if centred else x", "if True else x", option="root"),
        Mutant("epsilon-outside-the-root", "formula", STANDARD, "/ m + eps)", "/ m) + eps"),
        Mutant("shift-left-out", "formula", NORM, "y if beta is None", "y if True"),
        Mutant("squares-in-bfloat16", "precision", STANDARD, "_seen(c * c, seen)", "_seen(bfloat16(c * c), seen)"),
        Mutant("mean-detached", "gradient", BACK, "if centred:", "if False:"),
        Mutant("root-detached", "gradient", BACK, " + _seen(ds / m * n, seen)", ""),
        Mutant("left-out-has-a-part-of-the-mean", "gradient", BACK, "/ m, x.shape), seen)", "/ m, x.shape), None)", option="some"),
    ),
}  # fmt: skip
