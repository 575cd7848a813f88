"""Planted faults of exponential decay."""

from gaugeblock import Mutant
from suites.mutants.step_decay import coarse, counted

POWERS = "schedule.exponential_decay"
POWER = "lr * gamma ** (t / steps)"

mutants = {
    "exponential-decay": (
        Mutant("natural-exponential", "formula", POWERS, POWER, "lr * np.exp(-(1 - gamma) * (t / steps))"),
        Mutant("divided-by-the-time", "formula", POWERS, POWER, "lr / (1 + (1 - gamma) * (t / steps))"),
        Mutant("straight", "formula", POWERS, POWER, "lr * (1 - (1 - gamma) * (t / steps))"),
        Mutant("rises", "formula", POWERS, POWER, "lr * gamma ** (-t / steps)"),
        Mutant("every-step", "formula", POWERS, "t / steps", "t", option="every-ten"),
        Mutant("staircase", "formula", POWERS, "t / steps", "t // steps", option="every-ten"),
        Mutant("root-of-the-time", "formula", POWERS, "t / steps", "np.sqrt(t / steps)"),
        Mutant("factor-in-float32", "precision", POWERS, "gamma **", "float(np.float32(gamma)) **"),
        Mutant("factor-in-bfloat16", "precision", POWERS, "gamma **", "float(bfloat16(np.float64(gamma))) **"),
        Mutant("stays-from-the-tenth-on", "mask", POWERS, "(t / steps)", "(np.minimum(t, 10) / steps)"),
        *counted(POWERS, "return"),
        *coarse(POWERS, POWER),
    ),
}  # fmt: skip
