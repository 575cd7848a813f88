"""Planted faults of Adam and AdamW."""

from gaugeblock import Mutant
from suites.mutants.sgd_momentum import decayed, gradients, surrounded

ADAM, ADAMW = "optimizer.adam", "optimizer.adamw"
FIRST, SECOND = "beta1 * m + (1 - beta1) * g, state", "beta2 * v + (1 - beta2) * (g * g), state"
STEP = "p - lr * (m / c1) / (np.sqrt(v / c2) + eps)"
POWERS = "1 - beta1**t, 1 - beta2**t"
DECAY = "p - (lr * decay) * p"
THEN = "adam(theta, g, state, lr=lr, beta1=beta1, beta2=beta2, eps=eps, hat=hat)"

moments = (
    *gradients,
    Mutant("first-moment-uncorrected", "formula", ADAM, STEP, "p - lr * m / (np.sqrt(v / c2) + eps)"),
    Mutant("second-moment-uncorrected", "formula", ADAM, STEP, "p - lr * (m / c1) / (np.sqrt(v) + eps)"),
    Mutant("epsilon-left-out", "formula", ADAM, STEP, "p - lr * (m / c1) / np.sqrt(v / c2)"),
    Mutant("epsilon-inside-the-root", "formula", ADAM, STEP, "p - lr * (m / c1) / np.sqrt(v / c2 + eps)"),
    Mutant("epsilon-beside-the-uncorrected-root", "formula", ADAM, STEP, "p - lr * (m / c1) / (np.sqrt(v / c2) + eps / math.sqrt(c2))"),
    Mutant("epsilon-beside-the-corrected-root", "formula", ADAM, "(np.sqrt(v) + eps)", "(np.sqrt(v) + eps * math.sqrt(c2))", option="hat"),
    Mutant("corrections-exchanged", "formula", ADAM, POWERS, "1 - beta2**t, 1 - beta1**t"),
    Mutant("betas-exchanged", "formula", ADAM, "    t = ", "    beta1, beta2 = beta2, beta1\n    t = "),
    Mutant("second-moment-of-the-first", "formula", ADAM, '(g * g), state["v"], g)', '(g * g), state["v"], m)'),
    Mutant("gradients-not-squared", "formula", ADAM, "(g * g)", "abs(g)"),
    Mutant("count-one-ahead", "state", ADAM, POWERS, "1 - beta1 ** (t + 1), 1 - beta2 ** (t + 1)"),
    Mutant("count-one-behind", "state", ADAM, POWERS, "1 - beta1 ** max(t - 1, 1), 1 - beta2 ** max(t - 1, 1)"),
    Mutant("count-forgotten", "state", ADAM, '"t": t}', '"t": state["t"]}'),
    Mutant("steps-by-the-old-moment", "state", ADAM, "+ eps), theta, m, v)\n    return", '+ eps), theta, state["m"], v)\n    return'),
    Mutant("largest-second-moment", "state", ADAM, SECOND, "np.maximum(v, beta2 * v + (1 - beta2) * (g * g)), state"),
    Mutant("first-moment-in-bfloat16", "precision", ADAM, FIRST, "bfloat16(beta1 * m + (1 - beta1) * g), state"),
    Mutant("corrections-in-float32", "precision", ADAM, POWERS, "float(1 - np.float32(beta1) ** t), float(1 - np.float32(beta2) ** t)"),
    Mutant("rate-promotes", "dtype", ADAM, STEP, "p - np.float64(lr) * (m / c1) / (np.sqrt(v / c2) + eps)"),
    Mutant("weights-stored-in-float32", "dtype", ADAM, STEP, f"float32({STEP})"),
)  # fmt: skip

VARIANT, LARGEST = "adam_variants.adam_variant", 'v = moved["u"] = tree_map(np.maximum, state["u"], v)'
TAKEN = "np.sqrt(v / c2 + root) + eps"


def variants(amsgrad: str, nesterov: str, root: str, hat: str) -> tuple[Mutant, ...]:
    """Faults of the variants of Adam, in the options that have them; `hat` has AMSGrad too."""
    return (
        Mutant("largest-moment-not-kept", "state", VARIANT, LARGEST, 'v, moved["u"] = tree_map(np.maximum, state["u"], v), state["u"]', option=amsgrad),
        Mutant("largest-moment-not-used", "formula", VARIANT, LARGEST, 'moved["u"] = tree_map(np.maximum, state["u"], v)', option=amsgrad),
        Mutant("smallest-moment", "formula", VARIANT, "tree_map(np.maximum,", "tree_map(np.minimum,", option=amsgrad),
        Mutant("largest-of-the-first-moment", "formula", VARIANT, 'state["u"], v)', 'state["u"], m)', option=amsgrad),
        Mutant("largest-moment-corrected", "formula", VARIANT, 'state["u"], v)', 'state["u"], tree_map(lambda v: v / c2, v))', option=hat),
        Mutant("moments-by-the-usual-betas", "formula", VARIANT, "adam(theta, g, state, beta1=beta1, beta2=beta2)", "adam(theta, g, state)", option=root),
        Mutant("no-look-ahead", "formula", VARIANT, "if nesterov:", "if False:", option=nesterov),
        Mutant("look-ahead-by-the-same-power", "formula", VARIANT, "(1 - beta1 ** (t + 1))", "c1", option=nesterov),
        Mutant("look-ahead-along-the-gradient-alone", "formula", VARIANT, "ahead * m + (1 - beta1) / c1 * g", "g / c1", option=nesterov),
        Mutant("second-root-beside-the-root", "formula", VARIANT, TAKEN, "np.sqrt(v / c2) + root + eps", option=root),
        Mutant("second-root-before-the-correction", "formula", VARIANT, TAKEN, "np.sqrt((v + root) / c2) + eps", option=root),
    )  # fmt: skip


mutants = {
    "adam": (
        *moments,
        *variants("amsgrad-clip-value", "nesterov-numbers", "root-numbers", "hat-norm"),
        *decayed("maximize-coupled-numbers-clip-value"),
        *surrounded("hat-value", "hat-each", "hat-norm"),
    ),
    "adamw": (
        *moments,
        *variants("amsgrad-maximize-numbers", "nesterov-root-matrices", "nesterov-root-matrices", "hat-norm")[:5],
        Mutant("biases-decay-too", "formula", "update.update", "matrices and p.ndim < 2", "False", option="matrices-numbers"),
        Mutant("biases-decay-alone", "formula", "update.update", "p.ndim < 2", "p.ndim > 1", option="matrices-numbers"),
        *surrounded("hat-value", "hat-each", "hat-norm"),
        Mutant("decay-left-out", "formula", ADAMW, DECAY, "p"),
        Mutant("decay-without-the-rate", "formula", ADAMW, DECAY, "p - decay * p"),
        Mutant("decay-in-the-gradient", "formula", ADAMW, f"{DECAY}, theta)", "p, theta)\n    g = {name: g[name] + decay * theta[name] for name in g}"),
        Mutant("decay-after-the-step", "formula", ADAMW, f"{DECAY}, theta)\n    return {THEN}", f"p, theta)\n    theta, state = {THEN}\n    return {{name: {DECAY} for name, p in theta.items()}}, state"),
        Mutant("growth", "formula", ADAMW, DECAY, "p + (lr * decay) * p"),
        Mutant("intercepts-spared", "formula", ADAMW, DECAY, "p - (lr * decay) * p if p.ndim > 1 else p"),
        Mutant("decay-promotes", "dtype", ADAMW, DECAY, "p - np.float64(lr * decay) * p"),
    ),
}  # fmt: skip
