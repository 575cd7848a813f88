"""Planted faults of maximum pooling."""

from gaugeblock import Mutant

MAX, MAX_BACK, CHOICE = "pooling.max_pool", "pooling.max_pool_vjp", "pooling._choice"
FOLD, MARGINS = "pooling._fold", "convolution.margins"

both = (
    Mutant("odd-zero-at-the-top", "mask", MARGINS, "(before, total - before)", "(total - before, before)", option="same"),
    Mutant("cropped-a-row-early", "mask", FOLD, "top : top + h, left", "0 : h, left", option="padded"),
    Mutant("last-offset-dropped", "gradient", FOLD, "    for i, j in np.ndindex(r, s):", "    for i, j in list(np.ndindex(r, s))[:-1]:"),
)  # fmt: skip
mutants = {
    "max-pool": (
        *both,
        Mutant("rows-for-columns", "layout", FOLD, "du[:, :, :, i, j]", "du[:, :, :, j % r, i % s]"),
        Mutant("least-for-largest", "formula", CHOICE, "u.argmax(axis=3)", "u.argmin(axis=3)"),
        Mutant("margin-of-zeros", "mask", CHOICE, "fill=-math.inf", "fill=0.0", option="padded"),
        Mutant("tie-to-the-last", "formula", CHOICE, "u.argmax(axis=3)[:, :, :, None]", "r * s - 1 - u[:, :, :, ::-1].argmax(axis=3)[:, :, :, None]", regime="ties"),
        Mutant("gradient-shared-by-the-window", "gradient", MAX_BACK, "np.put_along_axis(du, first, dy[:, :, :, None], axis=3)", "du = du + dy[:, :, :, None] / (pair(size)[0] * pair(size)[1])"),
        Mutant("last-channel-of-the-first-choice", "layout", MAX, "np.take_along_axis(u, first, axis=3)", "np.take_along_axis(u, first[..., ::-1], axis=3)"),
        Mutant("stabilised-by-a-billionth", "formula", MAX, "[:, :, :, 0]", "[:, :, :, 0] * 1.0 + 1e-9"),
    ),
}  # fmt: skip
