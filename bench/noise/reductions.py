"""Rules for np.prod, norms and logaddexp.reduce.

Each rule computes the error inside the operation, to first order, in the precision of the accumulator. If
the dtype has fewer bits, the result is rounded once more. In the rows with exact sums, the inside has the
precision of the dtype.

A product y of m factors that are not powers of two has m - 1 roundings in any order, each relative to the
product: the variance is u²/3 · ((m - 2) B y² + b²), with b the binade of y and B = `BENFORD` the mean of
(b/y)² over partial products. The order matters only where a partial product leaves the range.

A norm is √s with s = Σx². An error δ of s changes it by δ/(2√s), and the root is rounded. The squares are
not stored: they may leave the range of the dtype, but not that of the accumulator, as in NumPy's norm.

log Σeˣ is computed pair by pair, either sequentially as in NumPy or as a tree of pairs. Each partial result L
is rounded, and its error changes the total by e^(L - total) times as much, its share of the sum. In sequence,
the errors grow as √n. A sum of shifted exponentials has smaller errors, so a reference that computes that has
a tighter limit.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.noise.array import Noisy, kind, noisy, pack, rows, rule, spread_out
from bench.noise.bits import Array, binade, lowest, odd, to_bits
from bench.noise.elementwise import ULPS, ULPS_OF_POWER, finish, numbers
from bench.noise.rounding import BENFORD, current
from bench.noise.sums import axes_of, first_axis, into, merged, total


@rule(np.prod)
def prod(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False) -> Any:
    """A product. It is exact if all factors but one are powers of two, or for integers that fit the dtype."""
    plain_dtype("prod", dtype)
    x = numbers(a)
    axes = axes_of(x, axis)
    how: dict[str, Any] = {"axis": axes, "keepdims": bool(keepdims)}
    y = np.prod(x, **how)
    if x.dtype.kind != "f":
        return into(pack(y), out)
    rounding, e = current(), np.asarray(x[..., -1], order="C")
    odds = odd(e) if alike(a) else np.full(e.shape, np.inf)
    count = np.count_nonzero(odds != 1, **how)
    value = np.prod(e, **how)
    within = np.prod(odds, **how) <= 2.0**rounding.inside.bits
    held = (count <= 1) | within & (to_bits(value, rounding.precision.bits) == value)
    held &= rounding.fits(value)

    def inside(u: float) -> Array:
        worst = u * (count - 1) * np.abs(value)
        usual = u * np.sqrt(BENFORD * np.maximum(count - 2, 0) * value**2 + binade(value) ** 2)
        return np.where((count > 1) & ~within, worst if rounding.worst else usual, 0)

    stays = _stays(e, how)
    if not (stays and held.all()):
        y = spread_out(y)
        store(y, inside(rounding.accumulator), inside(rounding.u), held)
    if not stays:
        _leave(y, merged(e, axes))
    return into(pack(y), out)


rule(np.multiply, method="reduce")(first_axis(prod))


def _stays(e: Array, how: dict[str, Any]) -> bool:
    """Whether no partial product, in any order, underflows in the accumulator."""
    size = np.abs(e)
    smallest = np.prod(np.where(size > 0, np.minimum(size, 1), 1), **how)
    return bool((smallest >= current().inside.tiny).all())


def _leave(y: Array, factors: Array) -> None:
    """Set y to 0 if a partial product underflows: in sequence, or in random order."""
    rounding, n = current(), factors.shape[-1]
    y = y.reshape(*factors.shape[:-1], y.shape[-1])
    for row in range(rounding.layout.noisy):
        order = np.argsort(rounding.draws(n, 1)[:, 0]) if row % 2 else np.arange(n)
        partial = np.abs(np.multiply.accumulate(factors[..., order], axis=-1))
        under = (partial < rounding.inside.tiny) & (partial > 0)
        y[..., row] *= np.where(under.any(axis=-1), 0, 1)


@rule(np.linalg.norm)
def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: Any = False) -> Any:
    """Norms of vectors with any ord but 0, and norms of matrices that need no SVD."""
    dimensions = np.ndim(x)
    if axis is None and ord is None:
        return _euclidean(x, tuple(range(dimensions)), keepdims)
    axes = axes_of(numbers(x), axis)
    if len(axes) == 1:
        return _of_vectors(x, ord, axes, keepdims)
    if len(axes) != 2:
        raise ValueError(f"norm: got {len(axes)} axes, should be 1 or 2")
    if ord in (None, "fro", "f"):
        return _euclidean(x, axes, keepdims)
    if ord not in (1, -1, np.inf, -np.inf):
        raise NotImplementedError(
            f"np.linalg.norm of a matrix with ord={ord!r} has no rounding rule; use 'fro', 1 or np.inf"
        )
    summed, kept = axes if abs(ord) == 1 else axes[::-1]
    sums = total(np.abs(x), axis=summed, keepdims=True)
    y = (np.max if ord > 0 else np.min)(sums, axis=kept, keepdims=True)
    return y if keepdims else np.squeeze(y, axis=axes)


def _of_vectors(x: Any, ord: Any, axes: tuple[int, ...], keepdims: bool) -> Any:
    if ord in (None, 2):
        return _euclidean(x, axes, keepdims)
    if ord == 0 or isinstance(ord, str):
        raise NotImplementedError(
            f"np.linalg.norm of vectors with ord={ord!r} has no rounding rule; use None, 1, 2 or np.inf"
        )
    sizes = np.abs(x)
    if ord == np.inf and not np.shape(x)[axes[0]]:
        return total(sizes, axis=axes, keepdims=keepdims)  # zeros
    if np.isinf(ord):
        return (np.max if ord > 0 else np.min)(sizes, axis=axes, keepdims=keepdims)
    if ord == 1:
        return total(sizes, axis=axes, keepdims=keepdims)
    return _power(total(_power(sizes, ord), axis=axes, keepdims=keepdims), 1 / ord)


def _power(x: Any, exponent: float) -> Noisy:
    """A power whose exponent is a constant and so is rounded."""
    return finish(np.power(numbers(x), rows(float(exponent))), ULPS_OF_POWER)


def _euclidean(a: Any, axes: tuple[int, ...], keepdims: bool) -> Noisy:
    """The 2-norm. It is exact for one element, and for integers whose norm is an integer."""
    how: dict[str, Any] = {"axis": axes, "keepdims": bool(keepdims)}
    x, rounding = numbers(a).astype(np.float64), current()
    e = np.asarray(x[..., -1], order="C")
    y, square = np.sqrt(np.sum(np.square(x), **how)), np.square(e)
    s, count = np.sum(square, **how), np.count_nonzero(e, **how)
    value = np.sqrt(s)
    whole = np.square(np.min(lowest(e), initial=np.inf, **how)) * 2.0**rounding.inside.bits
    within = np.asarray(alike(a) & (s <= whole))
    rooted = within & (to_bits(value, 27) == value) & (np.square(value) == s)
    held = ((count == 1) | rooted) & (to_bits(value, rounding.precision.bits) == value) | (count == 0)
    held |= (count == 1) & (x.shape[-1] != 1)
    held &= rounding.fits(value)
    stays = (s >= rounding.inside.tiny) | (count == 0)
    if (held & stays).all():
        return pack(y)
    y = spread_out(y)
    steps = rounding.inside_sum(s, np.sum(np.square(square), **how), s, count, True)
    exact_sums = rounding.u * np.sqrt(BENFORD * np.sum(np.square(square), **how))

    def inside(steps: Array, u: float) -> Array:
        moved = np.divide(steps, 2 * value, out=np.zeros_like(value), where=value > 0)
        return np.hypot(np.where(within | (count <= 1), 0, moved), np.where(rooted, 0, u * binade(value)))

    store(y, inside(steps, rounding.accumulator), inside(exact_sums, rounding.u), held)
    low, noisy_rows = (s < rounding.inside.tiny) & (count > 0), rounding.layout.noisy
    y[low, :noisy_rows:2] = 0
    return pack(y)


@rule(np.logaddexp, method="reduce")
def log_sum_exp(a: Any, axis: Any = 0, keepdims: Any = False) -> Noisy:
    """log Σeˣ. Its variance is the mean of those of the sequential and the pairwise order."""
    x, rounding = numbers(a).astype(np.float64), current()
    axes = axes_of(x, axis if np.ndim(a) else None)
    how: dict[str, Any] = {"axis": axes, "keepdims": bool(keepdims)}
    y = np.logaddexp.reduce(x, **how)
    terms = merged(x[..., -1], axes)
    count = np.count_nonzero(terms != -np.inf, axis=-1)
    if (count <= 1).all():
        return pack(y)
    y = spread_out(y)
    value = y[..., -1].reshape(terms.shape[:-1])
    turns, halves = _in_turn(terms, value), _by_halves(terms, value)
    steps = np.sum(turns, axis=-1) if rounding.worst else np.hypot(_root(turns), halves) * np.sqrt(0.5)

    def inside(u: float, steps: Array) -> Array:
        half = np.sqrt(u**2 * np.square(steps) + count * rounding.tiny**2)
        return np.where((count > 1) & np.isfinite(value), half, 0).reshape(y.shape[:-1])

    held = (count <= 1).reshape(y.shape[:-1])
    store(y, inside(rounding.accumulator, steps), inside(rounding.u, halves), held)
    return pack(y)


def _in_turn(terms: Array, total: Array) -> Array:
    """The error of the total from each rounding of the sequential order, in unit roundoffs."""
    partial = np.logaddexp.accumulate(terms, axis=-1)
    return _shares(partial[..., :-1], terms[..., 1:], partial[..., 1:], total)


def _by_halves(terms: Array, total: Array) -> Array:
    """The error of the total from all roundings of the pairwise order: the root of the sum of squares."""
    found = np.zeros(terms.shape[:-1])
    while (n := terms.shape[-1]) > 1:
        whole = np.logaddexp(left := terms[..., : n - 1 : 2], right := terms[..., 1::2])
        found = np.hypot(found, _root(_shares(left, right, whole, total)))
        terms = np.concatenate([whole, terms[..., n - n % 2 :]], axis=-1)
    return found


def _shares(left: Array, right: Array, whole: Array, total: Array) -> Array:
    """c b e^(L - total): b is the binade of the result L or, if larger, of L minus the larger operand."""
    added = whole - np.maximum(left, right)
    size = ULPS[np.logaddexp] * binade(np.maximum(np.abs(whole), added))
    rounds = (np.minimum(left, right) > -np.inf) & np.isfinite(whole)
    return np.where(rounds, size * np.exp(whole - total[..., None]), 0)


def _root(x: Array) -> Array:
    return np.asarray(np.sqrt(np.sum(np.square(x), axis=-1)))


def alike(a: Any) -> bool:
    """Whether all rows are equal to the exact row, or hold choices."""
    return not noisy(a) or rows(a).shape[-1] == 1 or kind(a) == "b"


def plain_dtype(name: str, dtype: Any) -> None:
    if dtype is not None:
        raise NotImplementedError(f"np.{name} with dtype= has no rounding rule; leave it out")


def store(y: Array, inside: Array, exact_sums: Array, held: NDArray[np.bool_]) -> None:
    """Round y in place: add the errors `inside` and, if the accumulator is wider, round to the dtype.

    `held` is a mask of the results that are exact and fit the dtype.
    """
    rounding, value = current(), y[..., -1].copy()
    last = np.where(held, 0, rounding.u * binade(value))
    wide = rounding.accumulator < rounding.u
    half = np.where(np.isfinite(value), np.hypot(inside, last) if wide else inside, 0)
    exact_sums = np.where(np.isfinite(value), np.hypot(exact_sums, last) if wide else exact_sums, 0)
    rounding.underflow(y, value, half)
    half[held], exact_sums[held] = 0, 0
    rounding.spread(y, half, exact_sums)
