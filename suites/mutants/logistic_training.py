"""Planted faults of logistic regression's training."""

from gaugeblock import Mutant
from suites.mutants.logistic_loss import gradients

STEP, SGD = "descent.gradient_descent", "optimizer.sgd"
LINEAR_BACK, LOSS = "linear.linear_vjp", "logistic.logistic_loss"

mutants = {
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
