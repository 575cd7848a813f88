"""Planted faults of polynomial decay."""

from gaugeblock import Mutant
from suites.mutants.step_decay import coarse, counted

LINE = "schedule.polynomial_decay"
LEFT = "left = np.maximum(1 - np.minimum(t, steps) / steps, 0)"
RATE = "(lr - end) * left**power + end"

mutants = {
    "polynomial-decay": (
        Mutant("falls-on-below-zero", "mask", LINE, LEFT, "left = 1 - t / steps"),
        Mutant("begins-again", "mask", LINE, "np.minimum(t, steps)", "t % steps"),
        Mutant("ends-a-step-early", "mask", LINE, "/ steps, 0)", "/ (steps - 1), 0)"),
        Mutant("end-at-zero", "formula", LINE, "left**power + end", "left**power", option="to-a-tenth"),
        Mutant("end-added", "formula", LINE, "(lr - end)", "lr", option="to-a-tenth"),
        Mutant("power-left-out", "formula", LINE, "left**power", "left", option="square"),
        Mutant("power-inverted", "formula", LINE, "left**power", "left ** (1 / power)", option="square"),
        Mutant("power-of-the-time", "formula", LINE, "left**power", "(1 - (1 - left) ** power)", option="root-to-zero"),
        Mutant("never-above-the-first", "formula", LINE, RATE, f"np.minimum({RATE}, lr)", option="warm-up"),
        Mutant("left-in-float32", "precision", LINE, "left**power", "float32(left) ** power"),
        Mutant("time-in-bfloat16", "precision", LINE, "np.minimum(t, steps) / steps", "bfloat16(np.minimum(t, steps) / steps)"),
        *counted(LINE, "left ="),
        *coarse(LINE, RATE),
    ),
}  # fmt: skip
