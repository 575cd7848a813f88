"""Planted faults of the learning rate cut at milestones, and those of every schedule."""

from gaugeblock import Mutant

STEPS = "schedule.step_decay"
FIRST, SECOND = "t > m if late else t >= m", "lr * gamma**count"
THOUSANDTH = "(1 + 0.001 * (t == 3).astype(t.dtype))"


def counted(where: str, line: str) -> tuple[Mutant, ...]:
    """Steps counted from another number; `line` is the first of the function."""
    return (
        Mutant("count-one-ahead", "state", where, line, f"t = t + 1\n    {line}"),
        Mutant("count-one-behind", "state", where, line, f"t = np.maximum(t - 1, 0)\n    {line}"),
    )


def coarse(where: str, rate: str) -> tuple[Mutant, ...]:
    """The rate with few bits, too many, or one of it off."""
    return (
        Mutant("rate-in-bfloat16", "precision", where, rate, f"bfloat16({rate})"),
        Mutant("rate-in-float32", "dtype", where, rate, f"float32({rate})"),
        Mutant("rate-promotes", "dtype", where, rate, f"({rate}).astype(np.float64)"),
        Mutant("one-rate-off-by-a-thousandth", "local", where, rate, f"({rate}) * {THOUSANDTH}"),
    )


mutants = {
    "step-decay": (
        Mutant("cut-a-step-late", "mask", STEPS, FIRST, "t > m"),
        Mutant("cut-at-the-milestone", "mask", STEPS, FIRST, "t >= m", option="late"),
        Mutant("last-milestone-left-out", "mask", STEPS, "sorted(milestones)", "sorted(milestones)[:-1]"),
        Mutant("first-milestone-twice", "mask", STEPS, "sorted(milestones)", "(milestones[0], *sorted(milestones))"),
        Mutant("cut-once", "formula", STEPS, SECOND, "lr * gamma"),
        Mutant("factor-of-what-is-taken", "formula", STEPS, SECOND, "lr * (1 - gamma) ** count"),
        Mutant("cut-by-the-root", "formula", STEPS, SECOND, "lr * gamma ** (0.5 * count)"),
        Mutant("milestones-taken-for-lengths", "formula", STEPS, "sorted(milestones)", "np.cumsum(milestones)"),
        Mutant("every-sixth-step", "formula", STEPS, "sorted(milestones)", "range(milestones[0], 1000, milestones[0])"),
        Mutant("cut-by-subtraction", "unstable", STEPS, SECOND, "rate - (1 - gamma) * rate"),
        Mutant("factor-in-float32", "precision", STEPS, SECOND, "lr * float(np.float32(gamma)) ** count"),
        *counted(STEPS, "rate = lr"),
        *coarse(STEPS, "np.where(t > m if late else t >= m, lr * gamma**count, rate)"),
    ),
}  # fmt: skip
