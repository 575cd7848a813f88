"""The dtypes that can be judged, the rows of a run, and the probability of a false rejection."""

from dataclasses import dataclass
from functools import cache

from scipy.special import stdtrit


@dataclass(frozen=True)
class Layout:
    """The number of rows of each kind in one run, in this order; the last row is exact.

    full: rows that round everything.
    exact_sums: rows that round everything except the inside of sums.
    contrary: rows that do not round, but make the opposite choice wherever rounding could change it.
    """

    full: int
    exact_sums: int
    contrary: int

    @property
    def noisy(self) -> int:
        return self.full + self.exact_sums

    @property
    def rows(self) -> int:
        return self.noisy + self.contrary + 1

    @property
    def turned(self) -> slice:
        return slice(self.noisy, self.rows - 1)


FULL, EXACT_SUMS = 30, 10

# By number of runs: a formula that is too large for memory runs more often, with fewer rows each time.
LAYOUTS = {1: Layout(FULL, EXACT_SUMS, 4), 5: Layout(6, 2, 1), 10: Layout(3, 1, 1)}
# With few bits, many choices are undecided, and few rows may miss the joint effect of two of them.
LOW_LAYOUTS = {1: Layout(FULL, EXACT_SUMS, 16), 5: Layout(6, 2, 4), 10: Layout(3, 1, 2)}

# One run alone has more contrary rows than each of several.
ALONE = {1: LAYOUTS[1], 5: Layout(6, 2, 4), 10: Layout(3, 1, 2)}

# the probability that a correct cell is rejected: the only global constant of a verdict
P = 1e-6


@dataclass(frozen=True)
class Precision:
    """A floating dtype: its significant bits, and the exponent of its smallest normal number."""

    bits: int
    smallest: int

    @property
    def overflow(self) -> float:
        """The smallest number that rounds to infinity."""
        return 2.0 ** (1 - self.smallest) * (1 - self.u / 2) * 2  # inf in float64; no OverflowError

    @property
    def u(self) -> float:
        return 2.0**-self.bits

    @property
    def tiny(self) -> float:
        return 2.0**self.smallest


PRECISIONS = {
    "float64": Precision(53, -1022),
    "float32": Precision(24, -126),
    "bfloat16": Precision(8, -126),
    "float16": Precision(11, -14),
}

INSIDE = "float32 inside"  # also an accumulator: only results are rounded to the dtype
TF32_FACTORS = "float32, TF32 factors"  # also one: matrix products round factors to `TF32_BITS`
TF32_BITS = 11

# the default accumulator of sums and products, by dtype
ACCUMULATORS = {"float64": "float64", "float32": "float32", "bfloat16": "float32", "float16": "float32"}


def accumulators(dtype: str, *, tf32: bool = False) -> tuple[str, ...]:
    """The accumulators that sums of this dtype may use, the widest first; `tf32` if TF32 is allowed."""
    if ACCUMULATORS[dtype] != dtype:
        return (INSIDE, ACCUMULATORS[dtype], dtype)
    return (dtype, TF32_FACTORS) if tf32 and dtype == "float32" else (dtype,)


def layouts(dtype: object, alone: bool = False) -> dict[int, Layout]:
    """The layouts of a dtype by number of runs, of which there is one `alone` or all."""
    if alone:
        return ALONE
    return LAYOUTS if str(dtype) in ("float64", "float32") else LOW_LAYOUTS


def precision(dtype: object) -> Precision:
    name = str(dtype)
    if name not in PRECISIONS:
        raise ValueError(f"dtype: got {name}, should be one of {', '.join(PRECISIONS)}")
    return PRECISIONS[name]


@cache
def multiple(elements: int, draws: int = FULL) -> float:
    """The largest error of a correct element in units of its spread, for the worst of `elements`.

    The spread is known from that many draws.
    """
    return -float(stdtrit(max(draws - 1, 1), P / (2 * max(elements, 1))))
