"""Planted faults of addition with broadcasting."""

from gaugeblock import Mutant

SUM, BACK, COLLECTED = "addition.addition", "addition.addition_vjp", "addition._collected"

mutants = {
    "addition": (
        Mutant("difference", "formula", SUM, "return x + (z", "return x - (z"),
        Mutant("factor-left-out", "formula", SUM, "z if alpha == 1 else alpha * z", "z", option="scaled-column"),
        Mutant("column-as-a-row", "layout", SUM, "return x + (z", "z = z.reshape(-1) if z.shape == (x.shape[-1], 1) else z\n    return x + (z", option="column"),
        Mutant("examples-as-rows", "layout", SUM, "return x + (z", "z = z[:, 0] if z.ndim == 3 and z.shape[1:] == (1, 1) else z\n    return x + (z", option="examples"),
        Mutant("outer-sum-turned", "layout", SUM, "return x + (z", "x, z = (x.T, z.T) if x.ndim == z.ndim == 2 else (x, z)\n    return x + (z", option="row-and-column"),
        Mutant("row-in-float32", "dtype", SUM, "return x + (z", "return x + (float32(z)", option="row"),
        Mutant("row-in-bfloat16", "precision", SUM, "return x + (z", "return x + (bfloat16(z)", option="row"),
        Mutant("last-row-left-out", "mask", SUM, "return x + (z if alpha == 1 else alpha * z)", "y = x + z\n    y[..., -1:, :] -= z[-1:] if z.ndim > 1 else z\n    return y", option="column"),
        Mutant("mean-for-the-sum", "gradient", COLLECTED, "dy.sum(", "dy.mean(", option="column"),
        Mutant("first-example-for-all", "gradient", COLLECTED, "(*range(more), *alone)).reshape(x.shape)", "tuple(alone), keepdims=True)[(0,) * more].reshape(x.shape)", option="matrix"),
        Mutant("factor-not-in-the-gradient", "gradient", BACK, "dy if alpha == 1 else alpha * dy", "dy", option="scaled-column"),
    ),
}  # fmt: skip
