"""Planted faults of gradient descent."""

from gaugeblock import Mutant

STEP = "descent.gradient_descent"
SGD = "optimizer.sgd"
SQUARES = "loss.mean_squared_error_vjp"
LOGISTIC = "logistic.logistic_loss_vjp"
LINE = "linear.linear_vjp"

mutants = {
    "gradient-descent": (
        Mutant("ascent", "formula", SGD, "p - lr * g,", "p + lr * g,"),
        Mutant("rate-off-by-a-millionth", "formula", SGD, "p - lr * g,", "p - lr * (1 + 1e-6) * g,"),
        Mutant("half-the-squared-error", "formula", SQUARES, "(2 * (p - y))", "(p - y)"),
        Mutant("sum-for-the-mean", "formula", SQUARES, "share(dy, p.size, reduction)", "dy"),
        Mutant("rate-in-float32", "precision", SGD, "p - lr * g,", "p - float(np.float32(lr)) * g,"),
        Mutant("gradient-in-bfloat16", "precision", SGD, "p - lr * g,", "p - lr * bfloat16(g),"),
        Mutant("rate-promotes", "dtype", SGD, "p - lr * g,", "p - np.float64(lr) * g,"),
        Mutant("weights-stored-in-float32", "dtype", SGD, "p - lr * g,", "float32(p - lr * g),"),
        Mutant("weights-decay", "state", SGD, "p - lr * g,", "p - lr * (g + 1e-4 * p),"),
        Mutant("gradient-not-cleared", "state", STEP, "    return *sgd(theta, g, state, lr=lr), loss", "    return *sgd(sgd(theta, g, state, lr=lr)[0], g, state, lr=lr), loss"),
        Mutant("loss-after-the-step", "state", STEP, "    return *sgd(theta, g, state, lr=lr), loss", "    theta, state = sgd(theta, g, state, lr=lr)\n    return theta, state, value_and_gradient(theta, x, y, objective=objective)[0]"),
        Mutant("intercept-detached", "gradient", LINE, "np.sum(rows, axis=0)", "0 * np.sum(rows, axis=0)"),
        Mutant("intercept-of-the-first-row", "gradient", LINE, "np.sum(rows, axis=0)", "rows[0]"),
        Mutant("targets-of-plus-and-minus-one", "gradient", LOGISTIC, "y)[", "2 * y - 1)[", option="logistic"),
        Mutant("last-row-left-out", "mask", LINE, "x.reshape(-1, d).T @ rows", "x.reshape(-1, d)[:-1].T @ rows[:-1]"),
        Mutant("features-reversed", "layout", LINE, "x.reshape(-1, d).T", "x.reshape(-1, d)[:, ::-1].T"),
    ),
}  # fmt: skip
