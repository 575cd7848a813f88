"""Planted faults of the convolutional network's training: the network's in its gradient, and Adam's."""

from gaugeblock import Mutant
from suites.mutants.cnn import backward

STEP, ADAM = "cnn.step", "optimizer.adam"
RATES = "c1, c2 = 1 - beta1**t, 1 - beta2**t"
HAT = "adam-epsilon-hat"

mutants = {
    "cnn-training": (
        *backward,
        Mutant("labels-of-the-image-before", "formula", STEP, "np.ones_like(loss), layers[-1], labels", "np.ones_like(loss), layers[-1], np.roll(labels, 1)"),
        Mutant("gradient-of-the-sum", "formula", STEP, "np.ones_like(loss)", "len(labels) * np.ones_like(loss)"),
        Mutant("first-layer-frozen", "gradient", STEP, '    g["conv1"] =', '    g["conv1"] = {name: 0 * w for name, w in weights["conv1"].items()}\n    _ ='),
        Mutant("epsilon-inside-the-root", "formula", ADAM, "(np.sqrt(v / c2) + eps)", "np.sqrt(v / c2 + eps)"),
        Mutant("epsilon-before-the-correction", "formula", ADAM, "(np.sqrt(v / c2) + eps)", "(np.sqrt(v) + eps) * math.sqrt(c2)"),
        Mutant("epsilon-of-the-plain-adam", "formula", ADAM, "rate * m / (np.sqrt(v) + eps)", "rate * m / (np.sqrt(v) + math.sqrt(c2) * eps)", option=HAT),
        Mutant("root-of-the-correction-missing", "formula", ADAM, "lr * math.sqrt(c2) / c1", "lr * c2 / c1", option=HAT),
        Mutant("rates-in-float32", "precision", ADAM, RATES, "c1, c2 = (float(1 - np.float32(beta) ** t) for beta in (beta1, beta2))"),
        Mutant("moments-in-bfloat16", "precision", ADAM, "beta2 * v + (1 - beta2) * (g * g)", "bfloat16(beta2 * v + (1 - beta2) * (g * g))"),
        Mutant("weights-stored-in-float32", "dtype", ADAM, "p - lr * (m / c1) / (np.sqrt(v / c2) + eps)", "float32(p - lr * (m / c1) / (np.sqrt(v / c2) + eps))"),
        Mutant("no-correction", "state", ADAM, RATES, "c1, c2 = 1, 1"),
        Mutant("one-correction-for-both", "state", ADAM, RATES, "c1, c2 = 1 - beta1**t, 1 - beta1**t"),
        Mutant("step-counted-twice", "state", ADAM, 'state["t"] + 1', 'state["t"] + 2'),
        Mutant("decays-exchanged", "state", ADAM, "    m = tree_map", "    beta1, beta2 = beta2, beta1\n    m = tree_map"),
        Mutant("moment-of-the-step-before", "state", ADAM, "(np.sqrt(v / c2) + eps), theta, m, v)", '(np.sqrt(v / c2) + eps), theta, state["m"], v)'),
        Mutant("moment-not-kept", "state", ADAM, '{"m": m,', '{"m": state["m"],'),
        Mutant("weights-decay", "state", ADAM, "    m = tree_map", "    g = tree_map(lambda g, p: g + 1e-4 * p, g, theta)\n    m = tree_map"),
    ),
}  # fmt: skip
