"""Planted faults of cosine decay, from the start and after a warm-up."""

from gaugeblock import Mutant
from suites.mutants.step_decay import coarse, counted

COSINE, WAVE, WARM = "schedule.cosine_decay", "schedule._cosine", "schedule.warm_up_cosine"
HALF = "end + (begin - end) * (1 + np.cos(pi * x)) / 2"
RISE = "polynomial_decay(t, lr=begin, end=lr, steps=warm)"
CHOICE = "np.where(t < warm, rising, falling)"

wave = (
    Mutant("quarter-of-a-wave", "formula", WAVE, "(1 + np.cos(pi * x)) / 2", "np.cos(pi * x / 2)"),
    Mutant("straight-for-the-cosine", "formula", WAVE, "(1 + np.cos(pi * x)) / 2", "(1 - x)"),
    Mutant("half-left-out", "formula", WAVE, ") / 2", ")"),
    Mutant("pi-in-float32", "precision", WAVE, "pi * x", "float(np.float32(pi)) * x"),
    Mutant("angle-in-bfloat16", "precision", WAVE, "pi * x", "bfloat16(pi * x)"),
)  # fmt: skip

mutants = {
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
}  # fmt: skip
