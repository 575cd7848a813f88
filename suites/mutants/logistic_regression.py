"""Planted faults of logistic regression."""

from gaugeblock import Mutant

P, SIGMOID, SIGMOID_BACK = "logistic.probability", "activation.sigmoid", "activation.sigmoid_vjp"
LINEAR, LINEAR_BACK = "linear.linear", "linear.linear_vjp"

mutants = {
    "logistic-regression": (
        Mutant("of-the-other-class", "formula", P, "sigmoid(linear(x, W, b))", "sigmoid(-linear(x, W, b))"),
        Mutant("power-of-two", "formula", SIGMOID, "expit(x)", "expit(x * 0.6931471805599453)"),
        Mutant("straight-between", "formula", SIGMOID, "expit(x)", "np.clip(x / 6 + 0.5, 0, 1)"),
        Mutant("no-intercept", "formula", LINEAR, "_design(x) @ np.concatenate([b[None], W])", "x @ W"),
        Mutant("clipped", "formula", SIGMOID, "expit(x)", "np.clip(expit(x), 1e-7, 1 - 1e-7)", regime="large-logits"),
        Mutant("through-the-tangent", "unstable", SIGMOID, "expit(x)", "0.5 * (1 + np.tanh(0.5 * x))", regime="large-logits"),
        Mutant("quotient-of-powers", "unstable", SIGMOID, "expit(x)", "np.exp(x) / (1 + np.exp(x))", regime="large-logits"),
        Mutant("inputs-in-bfloat16", "precision", P, "linear(x, W, b)", "linear(bfloat16(x), W, b)"),
        Mutant("logits-in-float32", "dtype", P, "linear(x, W, b)", "float32(linear(x, W, b))"),
        Mutant("sigmoid-promotes", "dtype", SIGMOID, "expit(x)", "expit(x.astype(np.float64))"),
        Mutant("slope-half-written", "gradient", SIGMOID_BACK, " * expit(-x)", ""),
        Mutant("slope-of-the-tangent", "gradient", SIGMOID_BACK, "expit(x) * expit(-x)", "1 - expit(x) ** 2"),
        Mutant("slope-cancels-near-one", "unstable", SIGMOID_BACK, "expit(-x)", "(1 - expit(x))", regime="large-logits"),
        Mutant("last-row-left-out", "mask", LINEAR_BACK, "x.reshape(-1, d).T @ rows", "x.reshape(-1, d)[:-1].T @ rows[:-1]"),
        Mutant("rows-reversed", "layout", P, "linear(x, W, b)", "linear(x[::-1], W, b)"),
    ),
}  # fmt: skip
