"""Planted faults of batch gradient descent."""

from gaugeblock import Mutant

STEP = "descent.batch_gradient_descent"
EACH = "descent.per_example_gradients"

mutants = {
    "batch-gradient-descent": (
        Mutant("sum-for-the-mean", "formula", STEP, "lr / len(x)", "lr"),
        Mutant("mean-over-the-features", "formula", STEP, "lr / len(x)", "lr / x.shape[1]"),
        Mutant("divided-by-one-fewer", "formula", STEP, "lr / len(x)", "lr / (len(x) - 1)"),
        Mutant("half-the-squared-error", "formula", "loss.mean_squared_error_vjp", "(2 * (p - y))", "(p - y)"),
        Mutant("rate-off-by-a-millionth", "formula", STEP, "lr / len(x)", "lr / len(x) * (1 + 1e-6)"),
        Mutant("sums-in-float32", "precision", STEP, "g[name].sum(axis=0)", "float32(g[name].sum(axis=0))"),
        Mutant("gradients-in-bfloat16", "precision", STEP, "g[name].sum(axis=0)", "bfloat16(g[name]).sum(axis=0)"),
        Mutant("rate-in-float32", "precision", STEP, "rate = lr / len(x)", "rate = float(np.float32(lr / len(x)))"),
        Mutant("rate-promotes", "dtype", STEP, "rate = lr / len(x)", "rate = np.float64(lr / len(x))"),
        Mutant("intercept-detached", "gradient", EACH, '"b": dz', '"b": 0 * dz'),
        Mutant("cotangent-of-the-example-before", "gradient", EACH, "dz[:, None, :]", "np.roll(dz, 1, axis=0)[:, None, :]"),
        Mutant("last-example-left-out", "mask", STEP, "g[name].sum(axis=0)", "g[name][:-1].sum(axis=0)"),
        Mutant("loss-after-the-step", "state", STEP, "(x, y, **theta)\n", "(x, y, **theta_next)\n"),
        Mutant("intercept-steps-first", "state", STEP, "    rate = lr / len(x)\n", '    rate = lr / len(x)\n    theta = theta | {"b": theta["b"] - rate * g["b"].sum(axis=0)}\n'),
        Mutant("features-reversed", "layout", EACH, "x[:, :, None] * dz", "x[:, ::-1, None] * dz"),
    ),
}  # fmt: skip
