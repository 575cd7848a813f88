"""Rounding of one operation: the random draws, and the size of the error for each kind of result."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.noise.bits import MANTISSA, Array, binade, mixed, to_bits
from bench.noise.precision import ACCUMULATORS, TF32_BITS, layouts, precision

# The mean of (2^⌊log2 m⌋ / m)² over mantissas m with the density 1/m (Benford).
BENFORD = 3 / (8 * np.log(2))

_CHUNK = 1024  # elements that are rounded together, so that their rows stay in the CPU cache


class Rounding:
    """Seeded rounding to one dtype. Errors are uniform draws, given by their half-widths.

    The range is wide: an intermediate result that overflows is what one algorithm loses, and a formula whose
    result is in range does not force it. Results out of range are infinite: see `bench.tolerance.spread`.

    float64 is rounded as if it had 43 bits, because at 53 bits the errors would be lost in the float64
    arithmetic of the simulation. `shrink` scales measured spreads back.
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
        alone: bool = False,
    ) -> None:
        self.layout, self.run = layouts(dtype, alone)[runs], run
        self.precision = precision(dtype)
        self.shrink = 2.0**-10 if self.precision.bits == 53 else 1.0
        # a float64 reference has rounding errors of its own
        self.both = np.sqrt(2.0) if self.precision.bits == 53 else 1.0
        self.u = self.precision.u / self.shrink
        self.inside = precision(accumulator or ACCUMULATORS[str(dtype)])  # for sums
        self.accumulator = self.inside.u / self.shrink
        self.tiny = self.precision.tiny / self.shrink
        self.overflow = self.precision.overflow  # in float64 the arithmetic itself overflows
        self.worst, self.tf32 = worst, tf32
        self.undecided = 0
        self._bits = np.random.SFC64([seed, run])
        self._seed = np.uint64((seed + (run << 40)) % 2**64)
        self._constants: dict[tuple[float, bool], Array] = {}

    def outside(self, dtype: object) -> "Rounding":
        """A rounding to `dtype` for results of this one, with the same rows and choices and new draws."""
        other = Rounding(dtype, seed=int(self._seed) ^ 1 << 32, run=self.run)
        other.layout, other.undecided = self.layout, self.undecided
        return other

    def draws(self, count: int, columns: int) -> NDArray[np.int16]:
        """Random 16-bit integers, from NumPy's fastest generator."""
        words = -(-count * columns // 4)
        raw = np.asarray(self._bits.random_raw(words)).view(np.int16)
        return raw[: count * columns].reshape(count, columns)

    def spread(self, y: Array, half: Array, exact_sums: Array | None = None) -> None:
        """Add errors of half-width `half` to the noisy rows of y in place (`exact_sums` to those rows).

        The same operation on the same numbers has the same error, so what repeats along an axis gets one.
        """
        first = _first(y, half, half if exact_sums is None else exact_sums)
        if first is not None:
            one = y[first].copy()
            self.spread(one, half[first], None if exact_sums is None else exact_sums[first])
            y[...] = one
            return
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
        """Round an elementwise result in place by up to `ulps` half ulps, except elements in `exact`.

        `floor` is the smallest half-width of nonzero elements, in unit roundoffs.
        """
        value = y[..., -1].copy()
        half = np.asarray(self.u * np.maximum(ulps * binade(value), floor * (value != 0)))
        low = self.underflow(y, value, half)
        if exact is not None:
            half[np.broadcast_to(exact, half.shape)] = 0
        signs = np.sign(y[low])
        self.spread(y, half)
        if low.any():
            y[low] = signs * np.maximum(signs * y[low], 0)  # rounding changes no sign

    def fits(self, value: Array) -> NDArray[np.bool_]:
        """A mask of the values that are in the range of the dtype, and of infinities."""
        return np.asarray((np.abs(value) < self.overflow) | ~np.isfinite(value))

    def underflow(self, y: Array, value: Array, half: Array) -> NDArray[np.bool_]:
        """Flush subnormal results to zero in half of the noisy rows, because frameworks may do so.

        Returns a mask of the results that are so small that their bits are fewer.
        A row is flushed only if its own value is subnormal: the exact row may have a tiny value for a zero.
        """
        size = np.abs(value)
        low = size < self.precision.tiny / self.precision.u
        if not low.any():
            return low
        low &= size > 0
        half[low] += self.tiny
        subnormal = low & (size < self.precision.tiny)
        half[subnormal] = 0
        noisy = self.layout.noisy
        kept = self.draws(int(np.count_nonzero(subnormal)), noisy) > 0
        y[subnormal, :noisy] *= kept | (np.abs(y[subnormal, :noisy]) >= self.tiny)
        return low

    def sum(
        self,
        y: Array,
        squares: Array,
        sizes: Array,
        n: NDArray[np.int64] | int,
        products: bool | None = None,
        alike: Array | float = 1.0,
    ) -> None:
        """Round a sum of n terms in place, given Σx² and Σ|x| of the terms in the exact row.

        The variance is the mean over all orders of summation. Each partial sum is rounded, and so is each
        term if it is a product (`products` is None for a plain sum, False for exact products). `alike` is
        the mean number of equal terms: a partial sum has the same error each time that the same is added.
        """
        total = y[..., -1].copy()
        n = np.maximum(n, 1)
        last = np.asarray(self.u * binade(total))  # a scalar cannot be assigned to
        last[np.broadcast_to(n == 1, last.shape) & (not products)] = 0
        inside = self.inside_sum(total, squares, sizes, n, bool(products), alike)
        half = np.hypot(inside, last) if self.accumulator < self.u else inside
        half = np.where(np.isfinite(half), half, 0)
        # even if sums accumulate exactly, each term and the total are rounded
        exact_sums = np.where(n == 1, last, np.hypot(last, self.u * np.sqrt(BENFORD * squares)))
        self.spread(y, np.broadcast_to(half, total.shape), exact_sums)

    def inside_sum(
        self,
        total: Array,
        squares: Array,
        sizes: Array,
        n: NDArray[np.int64] | int,
        products: bool,
        alike: Array | float = 1.0,
    ) -> Array:
        """The half-width of the error of a total from its partial sums: see `sum`."""
        if self.worst:
            return np.asarray(self.accumulator * n * sizes)
        inner = BENFORD * ((n - 2) / 3 * total**2 + ((n + 1) / 6 - 1 / n) * squares)
        inner = np.where(n == 1, 0, alike * np.maximum(inner, 0) + binade(total) ** 2)
        if products:
            inner = inner + BENFORD * squares
        underflow = np.where(n == 1, 0, n * self.tiny**2)
        return np.asarray(np.sqrt(self.accumulator**2 * inner + underflow))

    def factors(self, x: Array) -> Array:
        """A factor of a matrix product as the hardware reads it: rounded under TF32, else x itself.

        Hardware differs: every other row rounds to nearest, the others truncate. The same number is rounded
        in the same way each time. In the rows with exact sums factors are not rounded, so that effective bits
        are relative to the dtype.
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
        """Uniform draws between -1 and 1 for each row, from a hash of the number in c."""
        bits: Any = np.asarray(c, order="C").view(np.uint64)
        each = np.arange(rows, dtype=np.uint64) << np.uint64(20)
        return np.asarray(mixed(bits[..., None] ^ each ^ self._seed).view(np.int64) * 2.0**-63)

    def constant(self, c: float, *, inverted: bool = False) -> Array:
        """A constant of the formula, rounded once per run: one row if it fits the dtype, else all rows.

        If `inverted`, c is a divisor: the division may be computed as a product with the rounded 1/c.
        """
        key = c, inverted
        if key not in self._constants:
            self._constants[key] = self.constants(np.array([c]), inverted=inverted)[0]
        return self._constants[key]

    def constants(self, c: Array, *, inverted: bool = False) -> Array:
        """`constant` for an array."""
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
        """A mask of the undecided choices that each contrary row changes: all in the first, else half.

        It is a hash of the margin, so a choice that is made twice has the same outcome.
        """
        bits: Any = np.abs(margin).view(np.uint64)
        bits = bits[..., None] + np.arange(self.layout.contrary, dtype=np.uint64)
        turned = (mixed(bits ^ self._seed) >> np.uint64(63)).astype(bool)
        turned[..., 0] |= self.run == 0
        return turned


def _first(y: Array, *halves: Array) -> tuple[slice, ...] | None:
    """An index of the first of what repeats in y and `halves`, along the axes where all is equal; or None."""
    found = [slice(None)] * (y.ndim - 1)
    for axis in range(y.ndim - 1 if y.size else 0):
        one, other = ((slice(None),) * axis + (slice(at, at + 1),) for at in (0, 1))
        same = y.shape[axis] > 1 and (y[..., -1][one] == y[..., -1][other]).all()
        if same and all((each == each[one]).all() for each in (y, *halves)):
            found[axis] = slice(0, 1)
    return tuple(found) if slice(0, 1) in found else None


_CURRENT: ContextVar[Rounding] = ContextVar("rounding")


def current() -> Rounding:
    """The rounding that is in effect: see `under`."""
    return _CURRENT.get()


@contextmanager
def under(rounding: Rounding) -> Iterator[Rounding]:
    """Within this context, operations on records use this rounding."""
    token = _CURRENT.set(rounding)
    try:
        with np.errstate(all="ignore"):
            yield rounding
    finally:
        _CURRENT.reset(token)
