"""Planted faults of rotary positions."""

from gaugeblock import Mutant

TURN, BACK, PAIRS = "rotary.rotary", "rotary.rotary_vjp", "rotary._pairs"
CIRCLE, TURNS = "rotary._circle", "rotary._turns"
ON, BACKWARDS = "a * c - b * s, a * s + b * c", "a * c + b * s, b * c - a * s"
POSITIONS, TABLE = "positions[:, None, :, None]", "np.cos(theta), np.sin(theta)"
GIVEN = "    c, s = np.cos(theta), np.sin(theta)\n"
EXACT = "2 * np.pi * (whole - (k << 62) + p * np.array([float(each % 1) for each in f])) / 2**64"
BARE = "p * base ** (-np.arange(m) / m)"

mutants = {
    "rotary": (
        Mutant("turned-backwards", "formula", TURN, ON, BACKWARDS),
        Mutant("one-pair-late", "formula", TURNS, "Decimal(-i)", "Decimal(-i - 1)"),
        Mutant("exponent-of-the-whole-width", "formula", TURNS, "Decimal(-i) / m", "Decimal(-i) / (2 * m)"),
        Mutant("base-of-another-library", "formula", TURN, "base=10000.0", "base=500000.0"),
        Mutant("positions-from-one", "formula", CIRCLE, POSITIONS, f"1 + {POSITIONS}"),
        Mutant("half-of-the-share", "formula", PAIRS, "share *", "0.5 * share *", option="quarter"),
        Mutant("angle-not-reduced", "unstable", CIRCLE, f"    theta[...] = {EXACT}", f"    k = 0 * k\n    theta[...] = {BARE}", regime="long"),
        Mutant("angle-in-float32", "precision", CIRCLE, EXACT, f"float32({EXACT})"),
        Mutant("table-in-bfloat16", "precision", CIRCLE, TABLE, "bfloat16(np.cos(theta)), bfloat16(np.sin(theta))"),
        Mutant("turned-on", "gradient", BACK, BACKWARDS, ON),
        Mutant("rest-without-gradient", "gradient", BACK, ", rest, halves)}", ", 0 * rest, halves)}", option="quarter"),
        Mutant("sines-left-out", "gradient", BACK, BACKWARDS, "a * c, b * c"),
        Mutant("positions-of-the-first-example", "mask", CIRCLE, POSITIONS, "0 * positions[:, None, :, None] + positions[:1, None, :, None]", regime="apart"),
        Mutant("last-position-left-out", "mask", CIRCLE, GIVEN, f"    theta[:, :, -1:] = 0\n{GIVEN}"),
        Mutant("halves-for-neighbours", "layout", PAIRS, "    if halves:", "    if True:", option="neighbours"),
        Mutant("pairs-reversed", "layout", CIRCLE, GIVEN, f"    theta, k = theta[..., ::-1], k[..., ::-1]\n{GIVEN}"),
        Mutant("table-promotes", "dtype", CIRCLE, GIVEN, f"    theta = theta.astype(np.float64)\n{GIVEN}"),
        Mutant("one-pair-off-by-a-thousandth", "local", CIRCLE, TABLE, "np.cos(theta) * (1 + 0.001 * (np.arange(m) == m - 1)), np.sin(theta)"),
    ),
}  # fmt: skip
