"""Planted faults of the learning rate of one cycle."""

from gaugeblock import Mutant
from suites.mutants.cosine_decay import wave
from suites.mutants.step_decay import coarse, counted

CYCLE = "schedule.one_cycle"
TOP, PEAK = "floor(share * steps)", "np.where(t < top, rising, falling)"

mutants = {
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
