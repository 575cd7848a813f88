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
        Mutant("stairs-a-step-late", "mask", POWERS, "steps * n for", "steps * n + 1 for", option="stairs"),
        Mutant("no-stairs", "formula", POWERS, "if stairs:", "if False:", option="stairs"),
        Mutant("first-stair-twice-as-long", "mask", POWERS, "range(1, stairs + 1)", "range(2, stairs + 1)", option="stairs"),
        Mutant("begins-at-once", "state", POWERS, "_after(t, begin)", "t", option="later"),
        Mutant("falls-at-the-begin", "state", "schedule._after", "np.maximum(t - begin, 0)", "np.where(t < begin, 0 * t, t)", option="later"),
        Mutant("no-floor", "formula", POWERS, "np.maximum(rate, floor)", "rate", option="floor"),
        Mutant("floor-for-a-ceiling", "formula", POWERS, "np.maximum(rate, floor)", "np.minimum(rate, floor)", option="floor"),
        *counted(POWERS, "t = _after"),
        *coarse(POWERS, POWER),
    ),
}  # fmt: skip
