"""Planted faults of the schedules of learning rates."""

from bench.mutant import Mutant

STEPS, POWERS, LINE = "schedule.step_decay", "schedule.exponential_decay", "schedule.polynomial_decay"
COSINE, WAVE, WARM, CYCLE = (
    "schedule.cosine_decay",
    "schedule._cosine",
    "schedule.warm_up_cosine",
    "schedule.one_cycle",
)
FIRST, SECOND = "t > m if late else t >= m", "gamma * rate"
POWER, LEFT = "lr * gamma ** (t / steps)", "left = np.maximum(1 - np.minimum(t, steps) / steps, 0)"
RATE, HALF = "(lr - end) * left**power + end", "end + (begin - end) * (1 + np.cos(pi * x)) / 2"
THOUSANDTH = "(1 + 0.001 * (t == 3).astype(t.dtype))"
RISE, FALL = (
    "polynomial_decay(t, lr=begin, end=lr, steps=warm)",
    "cosine_decay(np.maximum(t - warm, 0), lr=lr, steps=steps - warm, end=end)",
)
UP, DOWN, TOP = (
    "_cosine(low, lr, np.minimum(t, top) / top)",
    "_cosine(lr, low / final, np.minimum(np.maximum(t - top, 0), end - top) / (end - top))",
    "floor(share * steps)",
)
CHOICE = "np.where(t < warm, rising, falling)"
PEAK = "np.where(t < top, rising, falling)"


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


wave = (
    Mutant("quarter-of-a-wave", "formula", WAVE, "(1 + np.cos(pi * x)) / 2", "np.cos(pi * x / 2)"),
    Mutant("straight-for-the-cosine", "formula", WAVE, "(1 + np.cos(pi * x)) / 2", "(1 - x)"),
    Mutant("half-left-out", "formula", WAVE, ") / 2", ")"),
    Mutant("pi-in-float32", "precision", WAVE, "pi * x", "float(np.float32(pi)) * x"),
    Mutant("angle-in-bfloat16", "precision", WAVE, "pi * x", "bfloat16(pi * x)"),
)  # fmt: skip

mutants = {
    "step-decay": (
        Mutant("cut-a-step-late", "mask", STEPS, FIRST, "t > m"),
        Mutant("cut-at-the-milestone", "mask", STEPS, FIRST, "t >= m", option="late"),
        Mutant("last-milestone-left-out", "mask", STEPS, "in milestones", "in milestones[:-1]"),
        Mutant("first-milestone-twice", "mask", STEPS, "in milestones", "in (milestones[0], *milestones)"),
        Mutant("cut-once", "formula", STEPS, SECOND, "gamma * lr * np.ones_like(t)"),
        Mutant("factor-of-what-is-taken", "formula", STEPS, SECOND, "(1 - gamma) * rate"),
        Mutant("cut-by-the-root", "formula", STEPS, SECOND, "gamma**0.5 * rate"),
        Mutant("milestones-taken-for-lengths", "formula", STEPS, "in milestones", "in np.cumsum(milestones)"),
        Mutant("every-sixth-step", "formula", STEPS, "in milestones", "in range(milestones[0], 1000, milestones[0])"),
        Mutant("cut-by-subtraction", "unstable", STEPS, SECOND, "rate - (1 - gamma) * rate"),
        Mutant("factor-in-float32", "precision", STEPS, SECOND, "float(np.float32(gamma)) * rate"),
        *counted(STEPS, "rate = lr"),
        *coarse(STEPS, "np.where(t > m if late else t >= m, gamma * rate, rate)"),
    ),
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
    "cosine-decay": (
        *wave,
        Mutant("end-at-zero", "formula", WAVE, "end + (begin - end)", "begin", option="to-a-tenth"),
        Mutant("end-added", "formula", WAVE, "(begin - end)", "begin", option="to-a-tenth"),
        Mutant("rises-again-beyond-the-end", "mask", COSINE, "t if periodic else np.minimum(t, steps)", "t"),
        Mutant("stays-beyond-the-end", "mask", COSINE, "t if periodic else np.minimum(t, steps)", "np.minimum(t, steps)", option="periodic"),
        Mutant("begins-again", "mask", COSINE, "np.minimum(t, steps)", "t % steps"),
        Mutant("ends-a-step-early", "mask", COSINE, ") / steps)", ") / (steps - 1))"),
        *counted(COSINE, "return"),
        *coarse(WAVE, HALF)[:3],
        Mutant("one-rate-off-by-a-thousandth", "local", WAVE, HALF, f"({HALF}) * (1 + 0.001 * (np.arange(x.size) == 3)).astype(x.dtype)"),
    ),
    "warm-up-cosine": (
        *wave[1:],
        Mutant("warm-up-from-zero", "formula", WARM, "lr=begin", "lr=0.0"),
        Mutant("no-warm-up", "formula", WARM, CHOICE, "falling"),
        Mutant("no-decay", "formula", WARM, CHOICE, "rising"),
        Mutant("warm-up-squared", "formula", WARM, "steps=warm)", "steps=warm, power=2.0)"),
        Mutant("warm-up-of-a-cosine", "formula", WARM, RISE, "cosine_decay(t, lr=begin, end=lr, steps=warm)"),
        Mutant("cosine-from-the-first-step", "formula", WARM, "np.maximum(t - warm, 0)", "t"),
        Mutant("cosine-over-all-steps", "formula", WARM, "steps=steps - warm", "steps=steps"),
        Mutant("end-at-zero", "formula", WARM, ", end=end)", ")", option="to-a-tenth"),
        Mutant("peak-a-step-early", "mask", WARM, "steps=warm)", "steps=warm - 1)"),
        Mutant("warm-up-a-step-longer", "mask", WARM, CHOICE, "np.where(t <= warm, rising, falling)", equivalent="at t = w the two pieces meet: both give α"),
        Mutant("warm-up-a-step-shorter", "mask", WARM, CHOICE, "np.where(t < warm - 1, rising, falling)"),
        *counted(WARM, "rising ="),
        *coarse(WARM, CHOICE),
    ),
    "one-cycle": (
        *wave,
        Mutant("begins-at-zero", "formula", CYCLE, "low = lr / divisor", "low = 0.0"),
        Mutant("begins-at-the-peak", "formula", CYCLE, PEAK, "falling"),
        Mutant("ends-where-it-began", "formula", CYCLE, "low / final", "low"),
        Mutant("end-of-the-peak", "formula", CYCLE, "low / final", "lr / final"),
        Mutant("ends-at-zero", "formula", CYCLE, "low / final", "0.0"),
        Mutant("peak-in-the-middle", "formula", CYCLE, "share * steps)", "0.5 * steps)"),
        Mutant("peak-rounded-up", "mask", CYCLE, TOP, "-floor(-share * steps)", option="uneven"),
        Mutant("peak-not-rounded", "mask", CYCLE, TOP, "share * steps", option="uneven"),
        Mutant("peak-rounded", "mask", CYCLE, "share * steps - 1,", "floor(share * steps) - 1,", option="uneven-last"),
        Mutant("ends-with-the-last-step", "mask", CYCLE, f"({TOP}, steps)", f"({TOP}, steps - 1)"),
        Mutant("ends-after-the-last-step", "mask", CYCLE, "share * steps - 1, steps - 1)", "share * steps - 1, steps)", option="last"),
        *counted(CYCLE, "top, end ="),
        *coarse(CYCLE, PEAK),
    ),
}  # fmt: skip
