"""Planted faults of Adagrad."""

from gaugeblock import Mutant
from suites.mutants.rmsprop import shared
from suites.mutants.sgd_momentum import decayed, surrounded

ADA = "adaptive.adagrad"
SUM, TAKEN, COUNT = "s + g * g", "rate * _over_root(g, s, eps, root)", '1 + state["t"] * decay'

mutants = {
    "adagrad": (
        *shared,
        Mutant("mean-for-the-sum", "formula", ADA, SUM, "0.99 * s + 0.01 * (g * g)"),
        Mutant("gradients-not-squared", "formula", ADA, SUM, "s + abs(g)"),
        Mutant("divided-by-the-count", "formula", ADA, TAKEN, 'rate * _over_root(g, s / (state["t"] + 1), eps, root)'),
        Mutant("decay-by-powers", "formula", ADA, f"lr / ({COUNT})", 'lr * (1 - decay) ** state["t"]', option="decay"),
        Mutant("decay-by-the-root", "formula", ADA, f"lr / ({COUNT})", f"lr / np.sqrt({COUNT})", option="decay"),
        Mutant("count-one-ahead", "state", ADA, COUNT, '1 + (state["t"] + 1) * decay', option="decay"),
        Mutant("count-never-moves", "state", ADA, COUNT, "1 + 0 * decay", option="decay"),
        Mutant("step-not-counted", "state", ADA, 'state["t"] + 1}', 'state["t"]}'),
        Mutant("steps-by-the-old-sum", "state", ADA, "theta, g, s)", 'theta, g, state["s"])', option="first-tenth"),
        Mutant("sum-not-kept", "state", ADA, '{"s": s,', '{"s": state["s"],'),
        Mutant("sum-of-the-steps", "state", ADA, '{"s": s,', '{"s": tree_map(lambda s, g: s + lr * lr * g * g, state["s"], g),'),
        Mutant("sum-in-float32", "precision", ADA, SUM, f"float32({SUM})"),
        Mutant("sum-in-bfloat16", "precision", ADA, SUM, f"bfloat16({SUM})"),
        Mutant("sum-of-all-weights-together", "layout", ADA, "theta, g, s)", "theta, g, tree_map(lambda s: 0 * s + s.mean(), s))"),
        Mutant("sum-of-the-next-output", "layout", ADA, "g, s, eps", "g, np.roll(s, 1, axis=-1), eps"),
        *decayed("maximize-coupled"),
        *surrounded("root-value", "root-each", "root-norm"),
        Mutant("rate-promotes", "dtype", ADA, "p - rate", "p - np.float64(rate)"),
    ),
}  # fmt: skip
