"""Planted faults of gradient descent with momentum."""

from gaugeblock import Mutant

SGD = "optimizer.sgd"
LINE, SQUARES = "linear.linear_vjp", "loss.mean_squared_error_vjp"
BUFFER = "momentum * v + scale * g, state"

gradients = (
    Mutant("half-the-squared-error", "gradient", SQUARES, "(2 * (p - y))", "(p - y)"),
    Mutant("last-row-left-out", "mask", LINE, "x.reshape(-1, d).T @ rows", "x.reshape(-1, d)[:-1].T @ rows[:-1]"),
)  # fmt: skip

UPDATE = "update.update"
FIRST = 'theta if first else averaged(theta, state["average"], average)'


def decayed(option: str) -> tuple[Mutant, ...]:
    """Faults of the sign and of coupled decay, where `option` has both."""
    add = "g + coupled * p, g, theta)"
    return (
        Mutant("minimises-all-the-same", "formula", UPDATE, "if maximize:", "if False:", option=option),
        Mutant("decay-grows", "formula", UPDATE, add, "g - coupled * p, g, theta)", option=option),
        Mutant("decay-left-out", "formula", UPDATE, "if coupled:", "if False:", option=option),
        Mutant("sign-after-the-decay", "formula", UPDATE, "g + coupled * p, g, theta)", "g + (-coupled if maximize else coupled) * p, g, theta)", option=option),
        Mutant("biases-spared", "formula", UPDATE, add, "g + coupled * p if p.ndim > 1 else g, g, theta)", option=option),
        Mutant("coupled-decay-in-float32", "precision", UPDATE, add, "g + float(np.float32(coupled)) * p, g, theta)", option=option),
    )  # fmt: skip


def surrounded(value: str, each: str, norm: str, micro: str = "") -> tuple[Mutant, ...]:
    """Faults of what Keras does around a step, in the options that clip by value, by each norm and by one.

    The first keeps an average and decays; the second scales the loss; the third takes its average at every
    third step. `micro` has micro-batches, or the second.
    """
    return (
        Mutant("weights-decay-without-the-rate", "formula", UPDATE, "(lr * decay) * p", "decay * p", option=value),
        Mutant("decay-coupled", "formula", UPDATE, "    if decay:", "    if decay:\n        g, decay = tree_map(lambda g, p: g + decay * p, g, theta), 0.0\n    if decay:", option=value),
        Mutant("average-from-zero", "state", UPDATE, FIRST, 'averaged(theta, state["average"], average)', option=value),
        Mutant("average-of-the-last-alone", "state", UPDATE, FIRST, "theta", option=value),
        Mutant("average-the-other-way", "formula", "update.averaged", "mu * a + (1 - mu) * p", "(1 - mu) * a + mu * p", option=value),
        Mutant("average-taken-unasked", "state", UPDATE, "if every and count % every == 0 else theta", "if count % 3 == 0 else theta", option=value),
        Mutant("not-clipped-by-value", "formula", "update.clipped", 'if clip == "value":', "if False:", option=value),
        Mutant("loss-scale-stays", "formula", UPDATE, "(scale * g) / scale", "scale * g", option=each),
        Mutant("one-norm-for-all", "formula", "update.clipped", 'each=clip == "each"', "each=False", option=each),
        Mutant("first-micro-batch-alone", "mask", UPDATE, "(accumulate if micro > 1 else value_and_gradient)(theta, x, y)", "value_and_gradient(theta, x[0], y[0])", option=micro or each),
        Mutant("average-never-taken", "state", UPDATE, "if every and count % every == 0", "if False", option=norm),
        Mutant("average-taken-a-step-late", "state", UPDATE, "count % every == 0", "count % every == 1", option=norm),
        Mutant("each-norm-alone", "formula", "update.clipped", 'each=clip == "each"', "each=True", option=norm),
        Mutant("average-in-float32", "precision", "update.averaged", "mu * a + (1 - mu) * p", "float32(mu * a + (1 - mu) * p)", option=norm),
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
        *decayed("nesterov-maximize-coupled"),
        *surrounded("inside-clip-value-average-kept-decay", "inside-clip-each-average-kept-scale", "inside-clip-norm-average-taken", "micro-clip-value"),
        Mutant("buffer-without-dampening", "formula", "suites.sgd_momentum.sgd_step", "dampened(g, dampening) if dampening else g", "g", option="dampened"),
        Mutant("dampening-for-what-is-left", "formula", "update.dampened", "(1 - tau) * g", "tau * g", option="dampened"),
        Mutant("nothing-added-to-the-norm", "formula", "update.clipped", "eps=added", "eps=0.0", option="nesterov-clip-epsilon"),
        Mutant("buffer-not-kept", "state", SGD, '{"v": v}', '{"v": state["v"]}'),
    ),
}  # fmt: skip
