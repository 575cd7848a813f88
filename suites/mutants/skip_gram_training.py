"""Planted faults of the training of skip-gram: those of its loss, and of the step."""

from gaugeblock import Mutant
from suites.mutants.skip_gram import both

STEP = "embedding.skip_gram_step"

mutants = {
    "skip-gram-training": (
        *both,
        Mutant("loss-after-the-step", "state", STEP, "    return weights, state, loss", "    return weights, state, skip_gram(center, context, negatives, **weights)"),
        Mutant("gradient-added", "formula", STEP, "lr=lr)", "lr=-lr)"),
        Mutant("rate-off-by-a-millionth", "formula", STEP, "lr=lr)", "lr=lr * (1 + 1e-6))"),
    ),
}  # fmt: skip
