"""What rounding does to one operation: the draws, and how far each result of each kind may move."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.noise.bits import MANTISSA, Array, binade, mixed, to_bits
from bench.noise.precision import ACCUMULATORS, TF32_BITS, layouts, precision

# The mean of (2^⌊log2 m⌋ / m)² over mantissas that are spread as 1/m.
BENFORD = 3 / (8 * np.log(2))

_CHUNK = 1024  # elements whose rows stay in the cache while they are rounded


class Rounding:
    """The rounding of one dtype, seeded. Half-widths are of uniform draws; variances are of sums.

    float64 is drawn as if it had 43 bits, because at 53 the noise drowns in the arithmetic that carries it;
    `shrink` brings what is measured back to size.
    """

    def __init__(
        self,
        dtype: object,
        *,
        accumulator: object = None,
        tf32: bool = False,
        seed: int,
        worst: bool = False,
        runs: int = 1,
        run: int = 0,
    ) -> None:
        self.layout, self.run = layouts(dtype)[runs], run
        self.precision = precision(dtype)
        self.shrink = 2.0**-10 if self.precision.bits == 53 else 1.0
        # in float64 the reference's own value is rounded like any other
        self.both = np.sqrt(2.0) if self.precision.bits == 53 else 1.0
        self.u = self.precision.u / self.shrink
        self.inside = precision(accumulator or ACCUMULATORS[str(dtype)])  # sums, and what is not stored
        self.accumulator = self.inside.u / self.shrink
        self.tiny = self.precision.tiny / self.shrink
        # single and double range is wide enough to be left alone
        self.overflow = self.precision.overflow if self.precision.smallest > -126 else None
        self.worst, self.tf32 = worst, tf32
        self.undecided = 0
        self._bits = np.random.SFC64([seed, run])
        self._seed = np.uint64((seed + (run << 40)) % 2**64)
        self._constants: dict[tuple[float, bool], Array] = {}

    def outside(self, dtype: object) -> "Rounding":
        """The rounding to `dtype` of what this one computed: its rows and choices, and draws of its own."""
        other = Rounding(dtype, seed=int(self._seed) ^ 1 << 32, run=self.run)
        other.layout, other.undecided = self.layout, self.undecided
        return other

    def draws(self, count: int, columns: int) -> NDArray[np.int16]:
        """Uniform over the 16-bit integers: the quickest source that NumPy has."""
        words = -(-count * columns // 4)
        raw = np.asarray(self._bits.random_raw(words)).view(np.int16)
        return raw[: count * columns].reshape(count, columns)

    def spread(self, y: Array, half: Array, exact_sums: Array | None = None) -> None:
        """Add noise of half-width `half` to the noisy rows of y, in place; `exact_sums` is for those rows."""
        full, noisy = self.layout.full, self.layout.noisy
        y, half = y.reshape(-1, self.layout.rows), half.reshape(-1, 1) * 2.0**-15
        other = half if exact_sums is None else exact_sums.reshape(-1, 1) * 2.0**-15
        noise = np.zeros((min(_CHUNK, len(y)), self.layout.rows))
        for start in range(0, len(y), _CHUNK):
            part = y[start : start + _CHUNK]
            some = noise[: len(part)]
            some[:, :noisy] = self.draws(len(part), noisy)
            if exact_sums is None:
                some *= half[start : start + _CHUNK]
            else:
                some[:, :full] *= half[start : start + _CHUNK]
                some[:, full:noisy] *= other[start : start + _CHUNK]
            part += some

    def round(
        self, y: Array, ulps: float = 1.0, exact: NDArray[np.bool_] | None = None, floor: float = 0.0
    ) -> None:
        """Round an elementwise result in place: `ulps` half units in the last place, none where `exact`.

        `floor` is the least half-width of what is not zero, in unit roundoffs.
        """
        value = y[..., -1].copy()
        half = np.asarray(self.u * np.maximum(ulps * binade(value), floor * (value != 0)))
        self.underflow(y, value, half)
        if exact is not None:
            half[np.broadcast_to(exact, half.shape)] = 0
        self.spread(y, half)
        self.leave(y)

    def leave(self, y: Array) -> None:
        """Noisy rows out of the dtype's range are infinite."""
        if self.overflow is not None:
            some = y[..., : self.layout.noisy]
            some[np.abs(some) >= self.overflow] *= np.inf

    def underflow(self, y: Array, value: Array, half: Array) -> None:
        """Subnormal results may be flushed to zero: in half of the noisy rows they are.

        A row is flushed for what it is itself: what the exact row has of a zero by formula is very small.
        """
        size = np.abs(value)
        low = size < self.precision.tiny / self.precision.u
        if not low.any():
            return
        low &= size > 0
        half[low] += self.tiny
        subnormal = low & (size < self.precision.tiny)
        half[subnormal] = 0
        noisy = self.layout.noisy
        kept = self.draws(int(np.count_nonzero(subnormal)), noisy) > 0
        y[subnormal, :noisy] *= kept | (np.abs(y[subnormal, :noisy]) >= self.tiny)

    def sum(
        self, y: Array, squares: Array, sizes: Array, n: NDArray[np.int64] | int, products: bool | None = None
    ) -> None:
        """Round a sum of n terms in place: Σx² and Σ|x| of the terms are given for the exact row.

        The mean over all orders of summation: each partial sum is rounded, and so is each term that is itself
        a product (`products` is None for a plain sum, False where the products are exact).
        """
        total = y[..., -1].copy()
        n = np.maximum(n, 1)
        last = np.asarray(self.u * binade(total))  # a scalar takes no assignment
        last[np.broadcast_to(n == 1, last.shape) & (not products)] = 0
        inside = self.inside_sum(total, squares, sizes, n, bool(products))
        half = np.hypot(inside, last) if self.accumulator < self.u else inside
        half = np.where(np.isfinite(half), half, 0)
        # where sums accumulate exactly, each term still is a rounded number, and so is the total
        exact_sums = np.where(n == 1, last, np.hypot(last, self.u * np.sqrt(BENFORD * squares)))
        self.spread(y, np.broadcast_to(half, total.shape), exact_sums)
        self.leave(y)

    def inside_sum(
        self, total: Array, squares: Array, sizes: Array, n: NDArray[np.int64] | int, products: bool
    ) -> Array:
        """The half-width of what the partial sums of n terms leave in their total: see `sum`."""
        if self.worst:
            return np.asarray(self.accumulator * n * sizes)
        inner = BENFORD * ((n - 2) / 3 * total**2 + ((n + 1) / 6 - 1 / n) * squares)
        inner = np.where(n == 1, 0, np.maximum(inner, 0) + binade(total) ** 2)
        if products:
            inner = inner + BENFORD * squares
        underflow = np.where(n == 1, 0, n * self.tiny**2)
        return np.asarray(np.sqrt(self.accumulator**2 * inner + underflow))

    def factors(self, x: Array) -> Array:
        """A factor of a product of matrices, as the hardware takes it; x itself but under TF32.

        Units differ in how they come to so many bits: every other draw is to the nearest, the others are cut.
        A number that is used again is rounded again alike. Exact sums are sums of whole factors, so that the
        bits which are read from them are those of the dtype.
        """
        value = x[..., -1]
        if not self.tf32 or not (rounds := to_bits(value, TF32_BITS) != value).any():
            return x
        full, y = self.layout.full, np.repeat(x, self.layout.rows // x.shape[-1], axis=-1)
        half = np.where(rounds, 2.0**-TF32_BITS * binade(value), 0) * np.sign(value)
        uniform = self._stirred(value, full)
        uniform[..., 1::2] -= 1
        y[..., :full] += uniform * half[..., None]
        return y

    def _stirred(self, c: Array, rows: int) -> Array:
        """Uniform draws between -1 and 1, that are a number's own in each row."""
        bits: Any = np.asarray(c, order="C").view(np.uint64)
        each = np.arange(rows, dtype=np.uint64) << np.uint64(20)
        return np.asarray(mixed(bits[..., None] ^ each ^ self._seed).view(np.int64) * 2.0**-63)

    def constant(self, c: float, *, inverted: bool = False) -> Array:
        """A number of the formula, rounded once a run: one row where the dtype holds it, else all.

        A division by c may be carried out as a product with the rounded 1/c.
        """
        key = c, inverted
        if key not in self._constants:
            self._constants[key] = self.constants(np.array([c]), inverted=inverted)[0]
        return self._constants[key]

    def constants(self, c: Array, *, inverted: bool = False) -> Array:
        """`constant` for an array: one row or all."""
        low = np.int64(2 ** (53 - self.precision.bits) - 1)
        bits = c.view(np.int64)
        rounds = (bits & (MANTISSA if inverted else low)) != 0
        rounds &= np.isfinite(c)
        if not rounds.any():
            return c[..., None]
        rows, noisy = np.repeat(c[..., None], self.layout.rows, axis=-1), self.layout.noisy
        rows[..., :noisy] += self._stirred(c, noisy) * (self.u * binade(np.where(rounds, c, 0.0)))[..., None]
        return rows

    def tosses(self, margin: Array) -> NDArray[np.bool_]:
        """Which of the undecided choices each contrary row turns: all, then half by half.

        The coin is the margin itself, so that the same choice made twice falls alike.
        """
        bits: Any = np.abs(margin).view(np.uint64)
        bits = bits[..., None] + np.arange(self.layout.contrary, dtype=np.uint64)
        turned = (mixed(bits ^ self._seed) >> np.uint64(63)).astype(bool)
        turned[..., 0] |= self.run == 0
        return turned


_CURRENT: ContextVar[Rounding] = ContextVar("rounding")


def current() -> Rounding:
    """The rounding under which the arrays at hand are computed."""
    return _CURRENT.get()


@contextmanager
def under(rounding: Rounding) -> Iterator[Rounding]:
    token = _CURRENT.set(rounding)
    try:
        with np.errstate(all="ignore"):
            yield rounding
    finally:
        _CURRENT.reset(token)
