"""Planted faults of exponential decay."""

from gaugeblock import Mutant
from suites.mutants.step_decay import coarse, counted

POWERS = "schedule.exponential_decay"
POWER = "lr * np.exp(t * (log(gamma) / steps))"

mutants = {
    "exponential-decay": (
        Mutant("natural-exponential", "formula", POWERS, POWER, "lr * np.exp(-(1 - gamma) * (t / steps))"),
        Mutant("divided-by-the-time", "formula", POWERS, POWER, "lr / (1 + (1 - gamma) * (t / steps))"),
        Mutant("straight", "formula", POWERS, POWER, "lr * (1 - (1 - gamma) * (t / steps))"),
        Mutant("rises", "formula", POWERS, POWER, "lr * np.exp(-t * (log(gamma) / steps))"),
        Mutant("every-step", "formula", POWERS, "log(gamma) / steps", "log(gamma)", option="every-ten"),
        Mutant("staircase", "formula", POWERS, "np.exp(t *", "np.exp(t // steps * steps *", option="every-ten"),
        Mutant("root-of-the-time", "formula", POWERS, "np.exp(t *", "np.exp(np.sqrt(t) *"),
        Mutant("factor-in-float32", "precision", POWERS, "log(gamma)", "log(np.float32(gamma))"),
        Mutant("factor-in-bfloat16", "precision", POWERS, "log(gamma)", "log(bfloat16(np.float64(gamma)))"),
        Mutant("stays-from-the-tenth-on", "mask", POWERS, "np.exp(t *", "np.exp(np.minimum(t, 10) *"),
        *counted(POWERS, "return"),
        *coarse(POWERS, POWER),
    ),
}  # fmt: skip
