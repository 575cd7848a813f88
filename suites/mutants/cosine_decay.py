"""Planted faults of cosine decay, from the start and after a warm-up."""

from gaugeblock import Mutant
from suites.mutants.step_decay import coarse, counted

COSINE, WAVE, WARM = "schedule.cosine_decay", "schedule._cosine", "schedule.warm_up_cosine"
FALL, RISING = "np.sin(rate * (stop - t)) ** 2", "end * np.sin(rate * (t - start)) ** 2"
HALF = f"begin * {FALL} + {RISING}"
RISE = "polynomial_decay(t, lr=begin, end=lr, steps=warm)"
CHOICE = "np.where(t < warm, rising, falling)"

wave = (
    Mutant("quarter-of-a-wave", "formula", WAVE, FALL, "np.sin(rate * (stop - t))"),
    Mutant("straight-for-the-cosine", "formula", WAVE, FALL, "(stop - t) / (stop - start)"),
    Mutant("half-left-out", "formula", WAVE, "pi / (2 * (stop - start))", "pi / (stop - start)"),
    Mutant("pi-in-float32", "precision", WAVE, "rate = pi", "rate = float(np.float32(pi))"),
    Mutant("angle-in-bfloat16", "precision", WAVE, "rate * (stop - t)", "bfloat16(rate * (stop - t))"),
    Mutant("one-and-the-cosine", "unstable", WAVE, FALL, "(1 + np.cos(2 * rate * (t - start))) / 2"),
)  # fmt: skip

mutants = {
    "cosine-decay": (
        *wave,
        Mutant("end-at-zero", "formula", WAVE, f" + {RISING}", "", option="to-a-tenth"),
        Mutant("end-added", "formula", WAVE, RISING, "end", option="to-a-tenth"),
        Mutant("rises-again-beyond-the-end", "mask", COSINE, "t if periodic else np.minimum(t, steps)", "t"),
        Mutant("stays-beyond-the-end", "mask", COSINE, "t if periodic else np.minimum(t, steps)", "np.minimum(t, steps)", option="periodic"),
        Mutant("begins-again", "mask", COSINE, "np.minimum(t, steps)", "t % steps"),
        Mutant("ends-a-step-early", "mask", COSINE, "lr, end, t, 0, steps)", "lr, end, t, 0, steps - 1)"),
        Mutant("power-left-out", "formula", COSINE, ") ** power", ") ** 1", option="power"),
        Mutant("power-of-the-rise", "formula", COSINE, "_cosine(1.0, 0.0, t, 0, steps) ** power", "1 - _cosine(0.0, 1.0, t, 0, steps) ** power", option="power"),
        Mutant("end-added-to-the-power", "formula", COSINE, "end * (1 - left)", "end", option="power"),
        *counted(COSINE, "t = t if periodic"),
        *coarse(WAVE, HALF)[:3],
        Mutant("one-rate-off-by-a-thousandth", "local", WAVE, HALF, f"({HALF}) * (1 + 0.001 * (np.arange(t.size) == 3)).astype(t.dtype)"),
    ),
    "warm-up-cosine": (
        *wave[1:-1],
        Mutant("warm-up-from-zero", "formula", WARM, "lr=begin", "lr=0.0"),
        Mutant("no-warm-up", "formula", WARM, CHOICE, "falling"),
        Mutant("no-decay", "formula", WARM, CHOICE, "rising"),
        Mutant("warm-up-squared", "formula", WARM, "steps=warm)", "steps=warm, power=2.0)"),
        Mutant("warm-up-of-a-cosine", "formula", WARM, RISE, "cosine_decay(t, lr=begin, end=lr, steps=warm)"),
        Mutant("cosine-from-the-first-step", "formula", WARM, "np.maximum(t - warm, 0)", "t"),
        Mutant("cosine-over-all-steps", "formula", WARM, "steps=steps - warm", "steps=steps"),
        Mutant("end-at-zero", "formula", WARM, ", end=end, power", ", power", option="to-a-tenth"),
        Mutant("power-left-out", "formula", WARM, ", power=power", "", option="power"),
        Mutant("peak-a-step-early", "mask", WARM, "steps=warm)", "steps=warm - 1)"),
        Mutant("warm-up-a-step-longer", "mask", WARM, CHOICE, "np.where(t <= warm, rising, falling)", equivalent="at t = w the two pieces meet: both give α"),
        Mutant("warm-up-a-step-shorter", "mask", WARM, CHOICE, "np.where(t < warm - 1, rising, falling)"),
        *counted(WARM, "rising ="),
        *coarse(WARM, CHOICE),
    ),
}  # fmt: skip
