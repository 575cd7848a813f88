"""Planted faults of multi-head attention over axes of a grid."""

from gaugeblock import Mutant

HEADS, BACK = "grid_attention.grid_heads", "grid_attention.grid_heads_vjp"
ROWS, GRID = "grid_attention._sequences", "grid_attention._grid"

mutants = {
    "grid-heads": (
        Mutant("rows-apart", "layout", ROWS, "if axes == (1, 2):", "if False:"),
        Mutant("rows-read-as-columns", "layout", ROWS, "np.swapaxes(x, 1, 2) if axes == (1,) else x", "x", option="along-columns"),
        Mutant("columns-not-turned-back", "layout", GRID, "if axes != (1,):", "if True:", option="along-columns"),
        Mutant("mask-left-out", "mask", HEADS, "None, mask, causal", "None, None, causal", option="along-rows-masked"),
        Mutant("mask-turned", "layout", HEADS, "None, mask, causal", "None, mask.T, causal", option="along-columns-masked"),
        Mutant("causal-not-passed-on", "mask", HEADS, "causal=causal)", "causal=False)", option="along-rows-causal"),
        Mutant("causal-along-the-other-axis", "mask", HEADS, "None, mask, causal=causal)", "None, np.ones((1, 1), bool), causal=False)", option="along-columns-causal"),
        Mutant("mask-not-in-the-gradient", "gradient", BACK, "None, mask, causal", "None, None, causal", option="along-rows-masked"),
        Mutant("grid-in-bfloat16", "precision", HEADS, "_sequences(x, axes)", "bfloat16(_sequences(x, axes))"),
        Mutant("input-detached", "gradient", BACK, '_grid(grads["x"], x, axes)', '0 * _grid(grads["x"], x, axes)'),
    ),
}  # fmt: skip
