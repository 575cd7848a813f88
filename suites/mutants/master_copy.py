"""Planted faults of Adam with a master copy."""

from gaugeblock import Mutant
from suites.mutants.adam import moments

STEP, ADAM = "suites.master_copy.step", "optimizer.adam"
SQUARES, RETURN = "(1 - beta2) * (g * g)", "return *adam(theta, g, state, lr=lr, eps=eps, hat=hat), loss"

mutants = {
    "adam-master-copy": (
        *(each for each in moments if each.where == ADAM and not each.option),
        Mutant("squares-in-bfloat16", "precision", ADAM, SQUARES, "(1 - beta2) * bfloat16(g * g)"),
        Mutant("squares-in-float16", "precision", ADAM, SQUARES, "(1 - beta2) * float16(g * g)"),
        Mutant("weights-of-the-copy", "precision", STEP, RETURN, f"theta = bfloat16(theta)\n    {RETURN}"),
        Mutant("biases-kept", "mask", STEP, '"b": g_b}', '"b": 0 * g_b}'),
        Mutant("loss-of-the-weights-alone", "formula", STEP, ' + (theta["b"] * g_b).sum()', ""),
    ),
}  # fmt: skip
