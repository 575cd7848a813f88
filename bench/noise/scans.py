"""Rules for running sums and products.

A scan combines only neighbors, so not every order of summation is possible. Every other row is sequential, as
in NumPy: the rounding error of a partial result stays in all later ones. The other rows use doubling, as
parallel scans do: a prefix is combined from blocks of 1, 2, 4, … terms, and each combination is rounded. So
the size of the errors and their correlation between neighbors are those of one of the two algorithms.
"""

from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index
from numpy.typing import NDArray

from bench.noise.array import Rule, pack, rule, spread_out
from bench.noise.bits import Array, binade, lowest, odd, to_bits
from bench.noise.elementwise import numbers
from bench.noise.reductions import alike, plain_dtype
from bench.noise.rounding import current
from bench.noise.sums import into


def scan(ufunc: np.ufunc) -> Rule:
    """The rule of a scan. A prefix is exact if no order rounds: one term, zeros, powers of two, integers."""

    def on_records(a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
        plain_dtype("cumsum" if ufunc is np.add else "cumprod", dtype)
        x = numbers(a)
        if axis is None:
            x, axis = x.reshape(-1, x.shape[-1]), 0
        axis = normalize_axis_index(axis, x.ndim - 1)
        still = ufunc.accumulate(x, axis=axis)
        if x.dtype.kind != "f" or not x.size:
            return into(pack(still), out)
        terms = np.moveaxis(x, axis, 0)
        y = np.moveaxis(scanned(ufunc, terms, np.moveaxis(still, axis, 0), alike(a)), 0, axis)
        return into(pack(np.asarray(y, order="C")), out)

    return on_records


rule(np.cumsum)(scan(np.add))
rule(np.cumprod)(scan(np.multiply))


@rule(np.add, method="accumulate")
def added_up(a: Any, axis: Any = 0) -> Any:
    return np.cumsum(a, axis)


@rule(np.multiply, method="accumulate")
def multiplied_up(a: Any, axis: Any = 0) -> Any:
    return np.cumprod(a, axis)


def scanned(ufunc: np.ufunc, x: Array, still: Array, alike: bool) -> Array:
    """The rounded prefixes of x along its first axis; `still` are the unrounded ones."""
    rounding, e, value = current(), np.asarray(x[..., -1], order="C"), still[..., -1].copy()
    count, within = _exact(ufunc, e, value, alike)
    stays = _stays(ufunc, value)
    within |= count <= 1
    held = within & rounding.fits(value) & ((to_bits(value, rounding.precision.bits) == value) | (count <= 1))
    flushed = (value != 0) & (np.abs(value) < rounding.precision.tiny)  # flushed in some rows, even if exact
    if (held & stays & ~flushed).all():
        return still
    still = spread_out(still)
    if rounding.worst:
        y = still.copy()
        size = count * np.add.accumulate(np.abs(e)) if ufunc is np.add else (count - 1) * np.abs(value)
        half = np.where(np.isfinite(value), rounding.accumulator * size, 0)
        rounding.spread(y, half, rounding.u * binade(value))
    else:
        y = _in_turn(ufunc, x, value)
        by_halves = slice(1, rounding.layout.full, 2)
        y[..., by_halves] = _by_doubling(ufunc, x)[..., by_halves]
    y[within & stays] = still[within & stays]
    last = np.where(held, 0, rounding.u * binade(value))
    half = last if rounding.accumulator < rounding.u else np.zeros_like(last)
    exact_sums = last if ufunc is np.add else half
    rounding.underflow(y, value, half)
    half[held & stays] = 0
    rounding.spread(y, half, exact_sums)
    return y


def _in_turn(ufunc: np.ufunc, x: Array, value: Array) -> Array:
    """The sequential scan: the rounding error of each partial result is added to its last term."""
    rounding, terms = current(), spread_out(x)
    e, size = terms[..., -1].copy(), np.abs(value)
    step = binade(value)
    if ufunc is np.add:
        half = np.hypot(rounding.accumulator * step, rounding.tiny) * (e != 0)
        half[1:] *= value[:-1] != 0
        half[0], exact_sums = 0, rounding.u * binade(e)
    else:
        share = np.abs(e) * np.divide(step, size, out=np.zeros_like(size), where=size > 0)
        share[(odd(e) == 1) & (x.shape[-1] == 1)] = 0
        share[0] = 0
        half, exact_sums = rounding.accumulator * share, rounding.u * share
    half = np.where(np.isfinite(value), half, 0)
    rounding.spread(terms, half, np.where(np.isfinite(value), exact_sums, 0))
    y = np.asarray(ufunc.accumulate(terms, axis=0), order="C")
    _leave(ufunc, y, np.logical_or.accumulate)
    return y


def _by_doubling(ufunc: np.ufunc, x: Array) -> Array:
    """The parallel scan: each combination of two blocks is rounded."""
    rounding, y, step = current(), spread_out(x), 1
    while step < len(x):
        joined = ufunc(y[step:], y[:-step])
        value = joined[..., -1].copy()
        half = rounding.accumulator * binade(value)
        half[_neutral(ufunc, y[:-step]) | _neutral(ufunc, y[step:])] = 0
        rounding.spread(joined, half)
        _leave(ufunc, joined, lambda gone: gone)
        y = np.concatenate([y[:step], joined])
        step *= 2
    return y


def _neutral(ufunc: np.ufunc, y: Array) -> NDArray[np.bool_]:
    """A mask of the elements that are 0 (1 in a product) in all rows: combining them is exact."""
    return np.asarray((y[..., 0] == ufunc.identity) & (y[..., -1] == ufunc.identity))


def _leave(ufunc: np.ufunc, y: Array, later: Any) -> None:
    """Set a product to 0 in place if it underflows in the accumulator; `later` extends the mask."""
    rounding = current()
    size, noisy = np.abs(y[..., -1]), rounding.layout.noisy
    under = (size < rounding.inside.tiny) & (size > 0)
    if ufunc is np.multiply and under.any():
        y[later(under), :noisy] *= 0


def _stays(ufunc: np.ufunc, value: Array) -> NDArray[np.bool_]:
    """A mask of the prefixes that do not underflow, as do none before them."""
    size = np.abs(value)
    gone = (size < current().inside.tiny) & (size > 0) & (ufunc is np.multiply)
    return ~np.logical_or.accumulate(gone)


def _exact(ufunc: np.ufunc, e: Array, value: Array, alike: bool) -> tuple[Any, NDArray[np.bool_]]:
    """The number of terms of each prefix that matter, and a mask of those that no order rounds inside."""
    bits = 2.0 ** current().inside.bits
    if ufunc is np.add:
        count = np.add.accumulate(e != 0, dtype=np.int64)
        whole = np.minimum.accumulate(lowest(e))
        return count, np.add.accumulate(np.abs(e)) <= (whole * bits if alike else 0)
    odds = odd(e) if alike else np.full(e.shape, np.inf)
    return np.add.accumulate(odds != 1, dtype=np.int64), np.multiply.accumulate(odds) <= bits
