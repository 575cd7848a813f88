"""Planted faults of polynomial decay."""

from gaugeblock import Mutant
from suites.mutants.step_decay import coarse, counted

LINE = "schedule.polynomial_decay"
STAYS = "t = np.minimum(_after(t, begin), cycles * steps)"
LEFT, END = "((span - t) / span)", "end * (t / span if power == 1 else 1 - left)"
RATE = f"lr * left + {END}"

mutants = {
    "polynomial-decay": (
        Mutant("falls-on-below-zero", "mask", LINE, STAYS, "t = t + 0"),
        Mutant("begins-again", "mask", LINE, STAYS, "t = t % steps"),
        Mutant("ends-a-step-early", "mask", LINE, LEFT, "(np.maximum(steps - 1 - t, 0) / (steps - 1))"),
        Mutant("end-at-zero", "formula", LINE, f" + {END}", "", option="to-a-tenth"),
        Mutant("end-added", "formula", LINE, END, "end", option="to-a-tenth"),
        Mutant("power-left-out", "formula", LINE, "** power", "** 1", option="square"),
        Mutant("power-inverted", "formula", LINE, "** power", "** (1 / power)", option="square"),
        Mutant("power-of-the-time", "formula", LINE, f"{LEFT} ** power", "1 - (t / span) ** power", option="root-to-zero"),
        Mutant("never-above-the-first", "formula", LINE, RATE, f"np.minimum({RATE}, lr)", option="warm-up"),
        Mutant("left-in-float32", "precision", LINE, LEFT, f"float32({LEFT})"),
        Mutant("time-in-bfloat16", "precision", LINE, LEFT, f"bfloat16({LEFT})"),
        Mutant("begins-at-once", "state", LINE, "_after(t, begin)", "t", option="later-square"),
        Mutant("one-cycle-alone", "formula", LINE, "range(1, cycles)", "range(1, 1)", option="cycles"),
        Mutant("two-cycles-alone", "formula", LINE, "range(1, cycles)", "range(1, 2)", option="cycles-square"),
        Mutant("cycle-begins-at-its-end", "mask", LINE, "t > n * steps", "t >= n * steps", option="cycles"),
        Mutant("cycles-of-one-length", "formula", LINE, "(n + 1) * steps", "steps", option="cycles-square"),
        *counted(LINE, STAYS),
        *coarse(LINE, RATE),
    ),
}  # fmt: skip
