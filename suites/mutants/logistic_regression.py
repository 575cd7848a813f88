"""Planted faults of logistic regression, its loss and its training."""

from bench.mutant import Mutant

P, SIGMOID, SIGMOID_BACK = "logistic.probability", "activation.sigmoid", "activation.sigmoid_vjp"
LINEAR, LINEAR_BACK = "linear.linear", "linear.linear_vjp"
LOSS, LOSS_BACK = "logistic.logistic_loss", "logistic.logistic_loss_vjp"
ENTROPY, SOFTPLUS = "loss.binary_cross_entropy", "loss._softplus"
STEP, SGD = "descent.gradient_descent", "optimizer.sgd"
STABLE = "np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))"

gradients = (
    Mutant("targets-of-plus-and-minus-one", "gradient", LOSS_BACK, "(probability(x, W, b) - y)", "(probability(x, W, b) - (2 * y - 1))"),
    Mutant("gradient-of-the-squared-error", "gradient", LOSS_BACK, "(probability(x, W, b) - y)", "(probability(x, W, b) - y) * probability(x, W, b) * (1 - probability(x, W, b))"),
    Mutant("gradient-of-the-sum", "gradient", LOSS_BACK, "y.size", "1"),
    Mutant("intercept-detached", "gradient", LINEAR_BACK, "np.sum(rows, axis=0)", "0 * np.sum(rows, axis=0)"),
    Mutant("last-row-left-out", "mask", LINEAR_BACK, "x.reshape(-1, d).T @ rows", "x.reshape(-1, d)[:-1].T @ rows[:-1]"),
)  # fmt: skip

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
        Mutant("slope-half-written", "gradient", SIGMOID_BACK, "dy * s * (1 - s)", "dy * s"),
        Mutant("slope-of-the-tangent", "gradient", SIGMOID_BACK, "dy * s * (1 - s)", "dy * (1 - s * s)"),
        Mutant("last-row-left-out", "mask", LINEAR_BACK, "x.reshape(-1, d).T @ rows", "x.reshape(-1, d)[:-1].T @ rows[:-1]"),
        Mutant("rows-reversed", "layout", P, "linear(x, W, b)", "linear(x[::-1], W, b)"),
    ),
    "logistic-loss": (
        *gradients,
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
    "logistic-training": (
        *gradients,
        Mutant("ascent", "formula", SGD, "p - lr * g,", "p + lr * g,"),
        Mutant("rate-off-by-a-millionth", "formula", SGD, "p - lr * g,", "p - lr * (1 + 1e-6) * g,"),
        Mutant("loss-of-the-probability", "formula", LOSS, "linear(x, W, b), y)", "probability(x, W, b), y)"),
        Mutant("gradient-in-bfloat16", "precision", SGD, "p - lr * g,", "p - lr * bfloat16(g),"),
        Mutant("rate-promotes", "dtype", SGD, "p - lr * g,", "p - np.float64(lr) * g,"),
        Mutant("weights-stored-in-float32", "dtype", SGD, "p - lr * g,", "float32(p - lr * g),"),
        Mutant("weights-decay", "state", SGD, "p - lr * g,", "p - lr * (g + 1e-4 * p),"),
        Mutant("loss-after-the-step", "state", STEP, "    return *sgd(theta, g, state, lr=lr), loss", "    theta, state = sgd(theta, g, state, lr=lr)\n    return theta, state, value_and_gradient(theta, x, y, objective=objective)[0]"),
        Mutant("features-reversed", "layout", LINEAR_BACK, "x.reshape(-1, d).T", "x.reshape(-1, d)[:, ::-1].T"),
    ),
}  # fmt: skip
