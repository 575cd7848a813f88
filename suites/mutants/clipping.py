"""Planted faults of the clipping of gradients."""

from gaugeblock import Mutant

VALUE, NORM, FACTOR, LENGTH = (
    "gradient.clip_by_value",
    "gradient.clip_by_global_norm",
    "gradient._factor",
    "gradient._norm",
)
VALUE_STEP, NORM_STEP = "suites.clipping.value_step", "suites.clipping.norm_step"
LINE, SQUARES, SGD = "linear.linear_vjp", "loss.mean_squared_error_vjp", "optimizer.sgd"
CLIPPED = "np.minimum(np.maximum(g, -most), most)"
SHRUNK, ROOT = (
    "np.minimum(most / (_norm(tensors, infinity) + eps), 1)",
    "np.sqrt(np.stack([(g * g).sum() for g in tensors]).sum())",
)
DOWN = "p - lr * g, theta, g), {}"

shared = (
    Mutant("half-the-squared-error", "gradient", SQUARES, "(2 * (p - y))", "(p - y)"),
    Mutant("last-row-left-out", "mask", LINE, "x.reshape(-1, d).T @ rows", "x.reshape(-1, d)[:-1].T @ rows[:-1]"),
    Mutant("intercepts-of-the-mean", "gradient", LINE, "np.sum(rows, axis=0)", "np.mean(rows, axis=0)"),
    Mutant("climbs", "formula", SGD, "p - lr * g,", "p + lr * g,"),
    Mutant("weights-stored-in-float32", "dtype", SGD, DOWN, "float32(p - lr * g), theta, g), {}"),
    Mutant("one-weight-off-by-a-thousandth", "local", SGD, DOWN, "p - lr * g * (1 + 0.001 * (np.arange(g.size) == 0).reshape(g.shape)).astype(g.dtype), theta, g), {}"),
)  # fmt: skip

mutants = {
    "clip-by-value": (
        *shared,
        Mutant("not-clipped", "formula", VALUE, CLIPPED, "g"),
        Mutant("clipped-from-above-alone", "formula", VALUE, CLIPPED, "np.minimum(g, most)"),
        Mutant("clipped-from-below-alone", "formula", VALUE, CLIPPED, "np.maximum(g, -most)"),
        Mutant("zero-beyond-the-bound", "formula", VALUE, CLIPPED, "np.where(np.abs(g) > most, 0, g)"),
        Mutant("softly", "formula", VALUE, CLIPPED, "most * np.tanh(g / most)"),
        Mutant("every-gradient-to-the-bound", "formula", VALUE, CLIPPED, "most * np.sign(g)", option="loose"),
        Mutant("scaled-to-the-bound", "formula", VALUE, CLIPPED, "g * np.minimum(most / np.abs(g).max(), 1)"),
        Mutant("bound-off-by-a-millionth", "formula", VALUE, "    return", "    most *= 1 + 1e-6\n    return"),
        Mutant("bound-of-the-step", "formula", VALUE_STEP, "most=most)", "most=most / LR)"),
        Mutant("rate-before-the-clipping", "formula", VALUE_STEP, "clip_by_value(g, most=most), state, lr=LR", "clip_by_value({name: LR * each for name, each in g.items()}, most=most), state, lr=1.0"),
        Mutant("weights-clipped", "formula", VALUE_STEP, "return *sgd(theta, clip_by_value(g, most=most), state, lr=LR), loss", "theta, state = sgd(theta, g, state, lr=LR)\n    return clip_by_value(theta, most=most), state, loss"),
        Mutant("loss-after-the-step", "state", VALUE_STEP, "return *sgd(theta, clip_by_value(g, most=most), state, lr=LR), loss", "theta, state = sgd(theta, clip_by_value(g, most=most), state, lr=LR)\n    return theta, state, value_and_gradient(theta, x, y)[0]"),
        Mutant("gradients-in-bfloat16", "precision", VALUE, CLIPPED, f"bfloat16({CLIPPED})"),
        Mutant("bound-in-float32", "precision", VALUE, "    return", "    most = float(np.float32(most))\n    return"),
        Mutant("bound-promotes", "dtype", VALUE, CLIPPED, "np.minimum(np.maximum(g, -np.float64(most)), most)"),
        Mutant("intercepts-spared", "mask", VALUE, CLIPPED, f"{CLIPPED} if g.ndim > 1 else g"),
        Mutant("first-row-spared", "mask", VALUE, CLIPPED, f"np.concatenate([g[:1], {CLIPPED}[1:]])"),
        Mutant("clipped-gradients-reversed", "layout", VALUE, CLIPPED, f"{CLIPPED}[::-1]"),
    ),
    "clip-by-norm": (
        *shared,
        Mutant("not-clipped", "formula", FACTOR, SHRUNK, "1"),
        Mutant("always-to-the-bound", "formula", FACTOR, SHRUNK, "most / (_norm(tensors, infinity) + eps)", option="loose"),
        Mutant("by-the-squared-norm", "formula", LENGTH, ROOT, "np.stack([(g * g).sum() for g in tensors]).sum()"),
        Mutant("sum-of-the-norms", "formula", LENGTH, ROOT, "np.stack([np.sqrt((g * g).sum()) for g in tensors]).sum()"),
        Mutant("largest-of-the-norms", "formula", LENGTH, ROOT, "np.stack([np.sqrt((g * g).sum()) for g in tensors]).max()"),
        Mutant("root-of-the-mean-square", "formula", LENGTH, ROOT, f"{ROOT} / sum(g.size for g in tensors) ** 0.5"),
        Mutant("sum-of-the-magnitudes", "formula", LENGTH, ROOT, "np.stack([np.abs(g).sum() for g in tensors]).sum()"),
        Mutant("each-unasked", "formula", NORM, "if each:", "if True:"),
        Mutant("one-norm-for-all", "formula", NORM, "if each:", "if False:", option="each"),
        Mutant("epsilon-left-out", "formula", FACTOR, " + eps)", ")", option="epsilon"),
        Mutant("epsilon-in-the-root", "formula", LENGTH, "for g in tensors]).sum())", "for g in tensors]).sum() + 1e-6)", option="epsilon"),
        Mutant("epsilon-beside-the-bound", "formula", FACTOR, SHRUNK, "np.minimum((most + eps) / (_norm(tensors, infinity) + eps), 1)", option="epsilon"),
        Mutant("euclidean-for-the-largest", "formula", LENGTH, "if infinity:", "if False:", option="infinity"),
        Mutant("largest-without-its-sign", "formula", LENGTH, "np.abs(g).max()", "g.max()", option="infinity"),
        Mutant("bound-of-the-step", "formula", NORM_STEP, "most=most,", "most=most / LR,"),
        Mutant("bound-beyond-one", "formula", FACTOR, ", 1)", ", most)", option="loose"),
        Mutant("loss-after-the-step", "state", NORM_STEP, "return *sgd(theta, g, state, lr=LR), loss", "theta, state = sgd(theta, g, state, lr=LR)\n    return theta, state, value_and_gradient(theta, x, y)[0]"),
        Mutant("norm-in-bfloat16", "precision", LENGTH, ROOT, f"bfloat16({ROOT})"),
        Mutant("norm-in-float32", "precision", LENGTH, ROOT, f"float32({ROOT})"),
        Mutant("bound-promotes", "dtype", FACTOR, "most / (", "np.float64(most) / ("),
        Mutant("intercepts-not-in-the-norm", "mask", NORM, "list(g.values())", '[g["W"]]'),
        Mutant("intercepts-not-scaled", "mask", NORM, "g[name] * factor", "g[name] * (factor if g[name].ndim > 1 else 1)"),
        Mutant("last-row-not-in-the-norm", "mask", LENGTH, "(g * g).sum()", "(g * g)[:-1].sum()"),
        Mutant("one-norm-for-all-columns", "formula", "gradient._norm_of_columns", ".sum(axis=0, keepdims=True)", ".sum()", option="columns"),
        Mutant("norms-of-rows", "formula", "gradient._norm_of_columns", ".sum(axis=0", ".sum(axis=-1", option="columns"),
        Mutant("columns-not-clipped", "formula", "gradient.clip_by_column_norm", ", 1), g)", ", 1) ** 0, g)", option="columns"),
        Mutant("factors-exchanged", "layout", NORM, "_factor([g[name]]", '_factor([g["b" if name == "W" else "W"]]', option="each"),
    ),
}  # fmt: skip
