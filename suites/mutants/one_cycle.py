"""Planted faults of the learning rate of one cycle."""

from gaugeblock import Mutant
from suites.mutants.cosine_decay import wave
from suites.mutants.step_decay import coarse, counted

CYCLE = "schedule.one_cycle"
TOP = "floor(share * steps)"
RATES, THREE = "[low, lr, low / final], [0, top, end]", "[low, lr, low, low / final], [0, top, 2 * top, end]"
PIECE = "curve(begin, stop, np.minimum(np.maximum(t, start), until), start, until)"

mutants = {
    "one-cycle": (
        *wave,
        Mutant("begins-at-zero", "formula", CYCLE, "low = lr / divisor", "low = 0.0"),
        Mutant("begins-at-the-peak", "formula", CYCLE, "rate is None else", "True else"),
        Mutant("ends-where-it-began", "formula", CYCLE, RATES, "[low, lr, low], [0, top, end]"),
        Mutant("end-of-the-peak", "formula", CYCLE, RATES, "[low, lr, lr / final], [0, top, end]"),
        Mutant("ends-at-zero", "formula", CYCLE, RATES, "[low, lr, 0.0], [0, top, end]"),
        Mutant("peak-in-the-middle", "formula", CYCLE, "share * steps)", "0.5 * steps)"),
        Mutant("peak-rounded-up", "mask", CYCLE, TOP, "-floor(-share * steps)", option="uneven"),
        Mutant("peak-not-rounded", "mask", CYCLE, TOP, "share * steps", option="uneven"),
        Mutant("peak-rounded", "mask", CYCLE, "share * steps - 1,", "floor(share * steps) - 1,", option="uneven-last"),
        Mutant("ends-with-the-last-step", "mask", CYCLE, f"({TOP}, steps)", f"({TOP}, steps - 1)"),
        Mutant("ends-after-the-last-step", "mask", CYCLE, "share * steps - 1, steps - 1)", "share * steps - 1, steps)", option="last"),
        Mutant("two-phases-of-three", "formula", CYCLE, "phases == 3", "False", option="last-phases"),
        Mutant("third-phase-of-the-peak", "formula", CYCLE, THREE, "[low, lr, lr, low / final], [0, top, 2 * top, end]", option="last-phases"),
        Mutant("second-phase-a-step-longer", "mask", CYCLE, "2 * top", "2 * top + 1", option="last-phases"),
        Mutant("cosine-for-the-line", "formula", CYCLE, "_line if linear", "_line if False", option="last-linear"),
        Mutant("line-for-the-cosine", "formula", CYCLE, "_line if linear", "_line if True"),
        Mutant("line-from-its-end", "formula", "schedule._line", "begin * ((stop - t)", "begin * ((t - start)", option="last-linear"),
        Mutant("momentum-with-the-rate", "formula", CYCLE, "[most, least, most, most]", "[least, most, least, least]", option="last-momentum"),
        Mutant("momentum-falls-at-the-end", "formula", CYCLE, "[most, least, most, most]", "[most, least, most, least]", option="last-momentum-phases"),
        Mutant("momentum-stays-low", "formula", CYCLE, "[most, least, most, most]", "[most, least, least, least]", option="last-momentum"),
        *counted(CYCLE, "top, end ="),
        *coarse(CYCLE, PIECE),
    ),
}  # fmt: skip
