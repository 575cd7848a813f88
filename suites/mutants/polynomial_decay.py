"""Planted faults of polynomial decay."""

from gaugeblock import Mutant
from suites.mutants.step_decay import coarse, counted

LINE = "schedule.polynomial_decay"
LEFT, STAYS = "((steps - t) / steps)", "t = np.minimum(t, steps)"
END = "end * (t / steps if power == 1 else 1 - left)"
RATE = f"lr * left + {END}"

mutants = {
    "polynomial-decay": (
        Mutant("falls-on-below-zero", "mask", LINE, STAYS, "t = t + 0"),
        Mutant("begins-again", "mask", LINE, "np.minimum(t, steps)", "t % steps"),
        Mutant("ends-a-step-early", "mask", LINE, LEFT, "(np.maximum(steps - 1 - t, 0) / (steps - 1))"),
        Mutant("end-at-zero", "formula", LINE, f" + {END}", "", option="to-a-tenth"),
        Mutant("end-added", "formula", LINE, END, "end", option="to-a-tenth"),
        Mutant("power-left-out", "formula", LINE, "** power", "** 1", option="square"),
        Mutant("power-inverted", "formula", LINE, "** power", "** (1 / power)", option="square"),
        Mutant("power-of-the-time", "formula", LINE, f"{LEFT} ** power", "1 - (t / steps) ** power", option="root-to-zero"),
        Mutant("never-above-the-first", "formula", LINE, RATE, f"np.minimum({RATE}, lr)", option="warm-up"),
        Mutant("left-in-float32", "precision", LINE, LEFT, f"float32({LEFT})"),
        Mutant("time-in-bfloat16", "precision", LINE, LEFT, f"bfloat16({LEFT})"),
        *counted(LINE, STAYS),
        *coarse(LINE, RATE),
    ),
}  # fmt: skip
