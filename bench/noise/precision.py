"""The dtypes that can be judged, the rows that a run carries, and the one global constant."""

from dataclasses import dataclass

from scipy.special import stdtrit


@dataclass(frozen=True)
class Layout:
    """How many rows of each kind one run carries, and which is which.

    The first rows round everything; the next round everything but the inside of a sum; contrary rows do not
    round, but take the other side of every choice that rounding could turn; the last row is exact.
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

# By the number of runs that share the draws: what is too large for memory is run more often with less.
LAYOUTS = {1: Layout(FULL, EXACT_SUMS, 4), 5: Layout(6, 2, 1), 10: Layout(3, 1, 1)}
# Few bits leave many choices open, and a few tosses may miss what two of them change together.
LOW_LAYOUTS = {1: Layout(FULL, EXACT_SUMS, 16), 5: Layout(6, 2, 4), 10: Layout(3, 1, 2)}

# the chance that one honest cell is rejected: the one global constant of every verdict
P = 1e-6


@dataclass(frozen=True)
class Precision:
    """A floating dtype: its significant bits and the exponent of its smallest normal number."""

    bits: int
    smallest: int

    @property
    def overflow(self) -> float:
        """The smallest number that is rounded to infinity."""
        return 2.0 ** (1 - self.smallest) * (1 - self.u / 2) * 2  # infinite in float64, and no error

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

INSIDE = "float32 inside"  # an accumulator, and more: only results are rounded to the dtype
TF32_FACTORS = "float32, TF32 factors"  # another: products of matrices take `TF32_BITS` of each factor
TF32_BITS = 11

# what sums and products accumulate in, unless the caller says otherwise
ACCUMULATORS = {"float64": "float64", "float32": "float32", "bfloat16": "float32", "float16": "float32"}


def accumulators(dtype: str, *, tf32: bool = False) -> tuple[str, ...]:
    """What sums of this dtype may accumulate in, the widest first; `tf32`: where that is allowed."""
    if ACCUMULATORS[dtype] != dtype:
        return (INSIDE, ACCUMULATORS[dtype], dtype)
    return (dtype, TF32_FACTORS) if tf32 and dtype == "float32" else (dtype,)


def layouts(dtype: object) -> dict[int, Layout]:
    """The layouts of a dtype by number of runs."""
    return LAYOUTS if str(dtype) in ("float64", "float32") else LOW_LAYOUTS


def precision(dtype: object) -> Precision:
    name = str(dtype)
    if name not in PRECISIONS:
        raise ValueError(f"dtype: got {name}, should be one of {', '.join(PRECISIONS)}")
    return PRECISIONS[name]


def multiple(elements: int) -> float:
    """How many spreads an honest element may be off, when the worst of so many is asked for."""
    return -float(stdtrit(FULL - 1, P / (2 * max(elements, 1))))
