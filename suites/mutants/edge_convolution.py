"""Planted faults of the convolution of images beyond their edges."""

from gaugeblock import Mutant

CONV, BACK, PLACES, PLACE = (
    f"edges.{name}" for name in ("edge_convolution", "edge_convolution_vjp", "_places", "_place")
)
COLLECT = "edges._collected"

mutants = {
    "edge-convolution": (
        Mutant("circle-of-one-less", "mask", PLACE, "i % n", "i % (n - 1)"),
        Mutant("circle-ends-at-the-edge", "mask", PLACE, "return i % n", "return np.clip(i, 0, n - 1)"),
        Mutant("edge-reflected-too", "mask", PLACE, "np.abs(n - 1 - np.abs(i))", "np.abs(n - 1 - np.where(i < 0, -i - 1, i))", option="reflect"),
        Mutant("not-reflected-at-the-end", "mask", PLACE, "(n - 1) - np.abs(n - 1 - np.abs(i))", "np.minimum(np.abs(i), n - 1)", option="reflect"),
        Mutant("pixel-before-the-last-repeated", "mask", PLACE, "np.clip(i, 0, n - 1)", "np.clip(i, 0, n - 2)", option="replicate"),
        Mutant("odd-row-at-the-top", "mask", PLACES, "(total // 2, total - total // 2)", "(total - total // 2, total // 2)"),
        Mutant("margin-not-dilated", "mask", PLACES, "(total // 2, total - total // 2)", "((k - 1) // 2, total - (k - 1) // 2)", option="circular-dilated"),
        Mutant("margin-moved-by-one", "layout", PLACES, "else (p, p)", "else (p - 1, p + 1)", option="circular-margins"),
        Mutant("rows-for-columns", "layout", CONV, "x[:, rows][:, :, columns]", "x[:, np.minimum(columns, x.shape[1] - 1)][:, :, np.minimum(rows, x.shape[2] - 1)]"),
        Mutant("kernels-flipped", "formula", CONV, "columns], W, b", "columns], W[::-1, ::-1], b"),
        Mutant("images-in-bfloat16", "precision", CONV, "conv2d(x[", "conv2d(bfloat16(x)["),
        Mutant("copies-give-no-gradient", "gradient", COLLECT, "np.add.at(found, places, moved)", "found[places] = moved"),
        Mutant("margin-detached", "gradient", BACK, "dx = _collected(", "dx = 0 * _collected("),
        Mutant("kernels-of-zeros-beyond", "gradient", BACK, "conv2d_vjp(dy, wide,", "conv2d_vjp(dy, wide * (np.diff(rows, append=99) == 1)[:, None, None],"),
    ),
}  # fmt: skip
