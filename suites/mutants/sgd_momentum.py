"""Planted faults of gradient descent with momentum."""

from gaugeblock import Mutant

SGD = "optimizer.sgd"
LINE, SQUARES = "linear.linear_vjp", "loss.mean_squared_error_vjp"
BUFFER = "momentum * v + scale * g, state"

gradients = (
    Mutant("half-the-squared-error", "gradient", SQUARES, "(2 * (p - y))", "(p - y)"),
    Mutant("last-row-left-out", "mask", LINE, "x.reshape(-1, d).T @ rows", "x.reshape(-1, d)[:-1].T @ rows[:-1]"),
)  # fmt: skip

mutants = {
    "sgd-momentum": (
        *gradients,
        Mutant("dampened", "formula", SGD, BUFFER, "momentum * v + (1 - momentum) * scale * g, state"),
        Mutant("gradient-before-the-momentum", "formula", SGD, BUFFER, "momentum * (v + scale * g), state"),
        Mutant("momentum-off-by-a-millionth", "formula", SGD, BUFFER, "momentum * (1 + 1e-6) * v + scale * g, state"),
        Mutant("looks-ahead-unasked", "formula", SGD, "if nesterov else v", "if True else v"),
        Mutant("looks-not-ahead", "formula", SGD, "if nesterov else v", "if False else v", option="nesterov"),
        Mutant("looks-ahead-along-the-gradient", "formula", SGD, "momentum * v + scale * g, v, g)", "v + momentum * scale * g, v, g)", option="nesterov"),
        Mutant("looks-ahead-from-the-old-buffer", "state", SGD, "momentum * v + scale * g, v, g)", 'momentum * v + scale * g, state["v"], g)', option="nesterov"),
        Mutant("rate-inside-and-outside", "formula", SGD, "p + d if inside", "p + lr * d if inside", option="momentum-inside"),
        Mutant("steps-by-the-old-buffer", "state", SGD, "if nesterov else v", 'if nesterov else state["v"]'),
        Mutant("buffer-in-bfloat16", "precision", SGD, BUFFER, "bfloat16(momentum * v + scale * g), state"),
        Mutant("momentum-in-float32", "precision", SGD, BUFFER, "float(np.float32(momentum)) * v + scale * g, state"),
        Mutant("rate-promotes", "dtype", SGD, "p - lr * d,", "p - np.float64(lr) * d,"),
        Mutant("buffer-not-kept", "state", SGD, '{"v": v}', '{"v": state["v"]}'),
    ),
}  # fmt: skip
