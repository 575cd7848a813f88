"""Planted faults of logistic regression's loss."""

from gaugeblock import Mutant

LOSS, LOSS_BACK = "logistic.logistic_loss", "logistic.logistic_loss_vjp"
LINEAR_BACK = "linear.linear_vjp"
ENTROPY, SOFTPLUS = "loss.binary_cross_entropy", "loss._softplus"
SLOPE = 'binary_cross_entropy_vjp(dy, linear(x, W, b), y)["z"]'
STABLE = "np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))"

gradients = (
    Mutant("targets-of-plus-and-minus-one", "gradient", LOSS_BACK, "y)[", "2 * y - 1)["),
    Mutant("gradient-of-the-squared-error", "gradient", LOSS_BACK, '["z"]', '["z"] * sigmoid_vjp(1.0, linear(x, W, b))["x"]'),
    Mutant("gradient-of-the-sum", "gradient", LOSS_BACK, "y)[", 'y, reduction="sum")['),
    Mutant("intercept-detached", "gradient", LINEAR_BACK, "np.sum(rows, axis=0)", "0 * np.sum(rows, axis=0)"),
    Mutant("last-row-left-out", "mask", LINEAR_BACK, "x.reshape(-1, d).T @ rows", "x.reshape(-1, d)[:-1].T @ rows[:-1]"),
)  # fmt: skip

mutants = {
    "logistic-loss": (
        *gradients,
        Mutant("gradient-cancels-near-one", "unstable", LOSS_BACK, SLOPE, "dy / y.size * (probability(x, W, b) - y)", regime="large-logits"),
        Mutant("sum-for-the-mean", "formula", ENTROPY, "_softplus(z), reduction)", '_softplus(z), "sum")'),
        Mutant("classes-exchanged", "formula", LOSS, "linear(x, W, b), y)", "linear(x, W, b), 1 - y)"),
        Mutant("negatives-dropped", "formula", ENTROPY, " + (1 - t) * _softplus(z)", ""),
        Mutant("sigmoid-twice", "formula", LOSS, "linear(x, W, b), y)", "probability(x, W, b), y)"),
        Mutant("log-of-the-sigmoid", "unstable", SOFTPLUS, STABLE, "-np.log(sigmoid(-z))", regime="large-logits"),
        Mutant("softplus-as-written", "unstable", SOFTPLUS, STABLE, "np.log1p(np.exp(z))", regime="large-logits"),
        Mutant("probability-clipped", "formula", SOFTPLUS, STABLE, f"np.minimum({STABLE}, 16.118)", regime="large-logits"),
        Mutant("logits-in-bfloat16", "precision", LOSS, "linear(x, W, b), y)", "bfloat16(linear(x, W, b)), y)"),
        Mutant("targets-promote", "dtype", LOSS, "linear(x, W, b), y)", "linear(x, W, b), y.astype(np.float64))"),
        Mutant("targets-of-the-row-before", "layout", LOSS, "linear(x, W, b), y)", "linear(x, W, b), np.roll(y, 1, axis=0))"),
    ),
}  # fmt: skip
