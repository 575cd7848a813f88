"""Rules for sums, means, variances, max, min and np.add.at."""

from functools import wraps
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from bench.noise.array import Noisy, Rule, noisy, pack, rows, rule, spread_out
from bench.noise.bits import Array, odd
from bench.noise.elementwise import numbers
from bench.noise.rounding import current


@rule(np.sum)
def total(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False) -> Noisy:
    x = numbers(a)
    axes = axes_of(x, axis)
    n = int(np.prod([x.shape[i] for i in axes]))
    y = np.sum(x, axis=axes, keepdims=bool(keepdims))
    if n == 1 or x.dtype.kind != "f":
        return into(pack(y), out)
    e = np.asarray(x[..., -1], order="C")
    how: dict[str, Any] = {"axis": axes, "keepdims": bool(keepdims)}
    count = np.count_nonzero(e, **how)
    y = spread_out(y) if y.shape[-1] == 1 else np.asarray(y, order="C")
    alike = equal_terms(e, axes).reshape(count.shape)
    current().sum(y, np.square(e).sum(**how), np.abs(e).sum(**how), count, alike=alike)
    return into(pack(y), out)


def equal_terms(e: Array, axes: tuple[int, ...]) -> Array:
    """The mean number of terms of a sum over `axes` that are equal to a term, itself among them.

    It is 1 if the partial sums of the equal ones are exact, because they have few bits.
    """
    terms = merged(e, axes)
    if not ((terms[..., 1:] == terms[..., :-1]) & (terms[..., 1:] != 0)).any():
        return np.ones(terms.shape[:-1])
    terms = np.sort(terms, axis=-1)
    place = np.arange(terms.shape[-1])
    changes = np.ones(terms.shape, bool)
    changes[..., 1:] = terms[..., 1:] != terms[..., :-1]
    before = place - np.maximum.accumulate(np.where(changes, place, 0), axis=-1)
    rounds = odd(terms) * (before + 1) > 2.0 ** current().inside.bits
    pairs = np.where(rounds, 2.0 * before, 0).sum(axis=-1)
    return 1 + pairs / np.maximum(np.count_nonzero(terms, axis=-1), 1)


def merged(x: Array, axes: tuple[int, ...]) -> Array:
    """x with these axes merged into one, which is last."""
    rest = [i for i in range(x.ndim) if i not in axes]
    moved = np.transpose(x, [*rest, *axes])
    return moved.reshape(*(x.shape[i] for i in rest), int(np.prod([x.shape[i] for i in axes])))


@rule(np.mean)
def mean(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False) -> Any:
    n = int(np.prod([a.shape[i] for i in axes_of(rows(a), axis)]))
    return into(np.divide(total(a, axis, keepdims=keepdims), float(n)), out)


@rule(np.var)
def var(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    ddof: Any = 0,
    keepdims: Any = False,
    **other: Any,
) -> Any:
    n = int(np.prod([a.shape[i] for i in axes_of(rows(a), axis)]))
    d = a - mean(a, axis, keepdims=True)
    correction = other.get("correction", ddof)
    return into(np.divide(total(d * d, axis, keepdims=keepdims), float(n - correction)), out)


@rule(np.std)
def std(a: Any, *args: Any, **kwargs: Any) -> Any:
    out = kwargs.pop("out", None)
    return into(np.sqrt(var(a, *args, **kwargs)), out)


def largest(ufunc: np.ufunc) -> Rule:
    """The rule of max or min: the result is one of the elements, so nothing is rounded."""

    def on_records(a: Any, axis: Any = None, out: Any = None, keepdims: Any = False) -> Any:
        x = rows(a)
        return into(pack(ufunc.reduce(x, axis=axes_of(x, axis), keepdims=bool(keepdims))), out)

    return on_records


rule(np.max, np.amax)(largest(np.maximum))
rule(np.min, np.amin)(largest(np.minimum))


def first_axis(rule_of: Rule) -> Rule:
    """The rule of ufunc.reduce, whose default is the first axis, from a rule whose default is all axes."""

    @wraps(rule_of)
    def on_records(a: Any, axis: Any = 0, keepdims: Any = False) -> Any:
        return rule_of(a, axis if np.ndim(a) else None, keepdims=keepdims)

    return on_records


rule(np.maximum, method="reduce")(first_axis(largest(np.maximum)))
rule(np.minimum, method="reduce")(first_axis(largest(np.minimum)))
rule(np.add, method="reduce")(first_axis(total))


@rule(np.add, method="at")
def add_at(target: Any, index: Any, values: Any) -> None:
    """Add each value to the element at its index, in any order."""
    if not noisy(target):
        raise NotImplementedError(
            "np.add.at into a plain array has no rounding rule; make it by np.zeros_like"
        )
    whole = isinstance(index, np.ndarray) and index.dtype.kind in "iu"  # rows, not elements
    named = target.shape[:1] if whole else target.shape
    place = np.arange(np.prod(named)).reshape(named)[index]
    v, inside = rows(values), rows(target)
    each = (*target.shape[len(named) :], v.shape[-1])
    v = np.broadcast_to(v, (*place.shape, *each)).reshape(place.size, *each)
    order = np.argsort(place, axis=None, kind="stable")
    where, start = np.unique(place.ravel()[order], return_index=True)
    if not len(where):
        return
    v = v[order]
    e = np.asarray(v[..., -1], order="C")
    at = np.unravel_index(where, named)
    old = inside[at]
    last = old[..., -1]
    y = old + np.add.reduceat(v, start, axis=0)
    squares = np.add.reduceat(np.square(e), start) + np.square(last)
    sizes = np.add.reduceat(np.abs(e), start) + np.abs(last)
    count = np.add.reduceat((e != 0).astype(np.int64), start) + (last != 0)
    current().sum(y, squares, sizes, count)
    inside[at] = y


def axes_of(x: Any, axis: Any) -> tuple[int, ...]:
    dimensions = x.ndim - 1
    return tuple(range(dimensions)) if axis is None else normalize_axis_tuple(axis, dimensions)


def into(result: Any, out: Any) -> Any:
    if out is None:
        return result
    out[...] = result
    return out
