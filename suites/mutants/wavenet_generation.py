"""Planted faults of generation by WaveNet: of the choice, of its feedback, and of the model."""

from gaugeblock import Mutant
from suites.mutants.wavenet import walk

STEPS = "wavenet_generation.wavenet_generation"
CHOSEN = "[:, -1].argmax(axis=-1)"

mutants = {
    "wavenet-generation": (
        *walk,
        Mutant("least-probable-code", "formula", STEPS, CHOSEN, "[:, -1].argmin(axis=-1)", option="greedy"),
        Mutant("choice-of-the-step-before", "state", STEPS, CHOSEN, "[:, -2].argmax(axis=-1)", option="greedy"),
        Mutant("one-free-step-less", "state", STEPS, "codes.shape[1] - free, 1)", "codes.shape[1] - free + 1, 1)", option="greedy"),
        Mutant("one-free-step-more", "state", STEPS, "codes.shape[1] - free, 1)", "codes.shape[1] - free - 1, 1)", option="greedy"),
        Mutant("choices-not-fed-back", "state", STEPS, "chosen[:, None]", "codes[:, step : step + 1]", option="greedy"),
        Mutant("choice-of-the-first-sequence", "layout", STEPS, "chosen[:, None]", "0 * chosen[:, None] + chosen[0]", option="greedy"),
        Mutant("two-steps-remembered", "state", STEPS, "codes[:, :step], front", "codes[:, step - 2 : step], front", option="greedy"),
        Mutant("last-of-the-codes", "layout", STEPS, "= np.arange(p.shape[-1])", "= np.flip(np.arange(p.shape[-1]))"),
        Mutant("choices-promote", "dtype", STEPS, "[..., 0]\n", "[..., 0].astype(np.float64)\n"),
        Mutant("probabilities-in-float16", "precision", STEPS, "p = distributions(codes, front, stacks, end)", "p = float16(distributions(codes, front, stacks, end))"),
    ),
}  # fmt: skip
