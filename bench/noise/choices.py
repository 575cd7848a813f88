"""Rules for choices (comparisons, signs, argmax) and for the functions that use them.

All rounding rows make the choice of the exact row. The contrary rows make the opposite choice where rounding
could change it. So the spread does not include changed choices, and their effect is measured separately. A
choice that rounding cannot change is a plain array.
"""

import operator
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index
from numpy.typing import NDArray

from bench.noise.array import (
    SINGLE,
    Noisy,
    Rule,
    exact,
    full,
    kind,
    noisy,
    pack,
    rows,
    rule,
    rules,
    spread_out,
)
from bench.noise.bits import rms
from bench.noise.elementwise import numbers
from bench.noise.precision import multiple
from bench.noise.rounding import current


@rules(np.less, np.less_equal, np.greater, np.greater_equal, np.equal, np.not_equal)
def compare(ufunc: np.ufunc) -> Rule:
    def on_records(a: Any, b: Any) -> Any:
        x, y = numbers(a), numbers(b)
        if "f" not in (x.dtype.kind, y.dtype.kind):
            return _settled(ufunc(x, y))
        choice = ufunc(x[..., -1], y[..., -1])
        turned = undecided(x, y)
        if turned is None:
            return choice
        if ufunc in (np.equal, np.not_equal):
            raise NotImplementedError(
                f"{ufunc.__name__} of rounded values has no rounding rule; write np.argmax or >"
            )
        return _turn(choice, turned)

    return on_records


@rule(np.sign)
def sign(x: Any) -> Any:
    """The sign, which is a choice with the values +1, -1 and 0."""
    values = numbers(x)
    choice = np.sign(values[..., -1])
    turned = undecided(values, np.zeros(1))
    if turned is None:
        return choice
    out = spread_out(choice[..., None])
    out[..., current().layout.turned] = np.where(turned, -choice[..., None], choice[..., None])
    return pack(out)


def undecided(x: NDArray[Any], y: NDArray[Any]) -> NDArray[np.bool_] | None:
    """A mask of the comparisons that each contrary row (last axis) changes; None if rounding changes none."""
    if x.shape[-1] == 1 and y.shape[-1] == 1:
        return None
    rounding = current()
    margin = np.asarray(x[..., -1] - y[..., -1], order="C")
    full = rounding.layout.full
    some = x[..., :full] - y[..., :full]
    some -= margin[..., None]
    spread = rms(some) * rounding.shrink
    open_ = np.abs(margin) < multiple(margin.size) * spread
    count = int(np.count_nonzero(open_))
    if not count:
        return None
    rounding.undecided += count
    return open_[..., None] & rounding.tosses(margin)


@rule(np.argmax)
def argmax(a: Any, axis: Any = None, out: Any = None, *, keepdims: Any = False) -> Any:
    return _argmax(numbers(a), axis, out, bool(keepdims))


@rule(np.argmin)
def argmin(a: Any, axis: Any = None, out: Any = None, *, keepdims: Any = False) -> Any:
    return _argmax(-numbers(a), axis, out, bool(keepdims))


def _argmax(x: NDArray[Any], axis: Any, out: Any, keepdims: bool) -> Any:
    if out is not None:
        raise NotImplementedError("np.argmax with out= has no rounding rule; leave it out")
    shape = (1,) * (x.ndim - 1)
    if axis is None:
        x, axis = x.reshape(-1, x.shape[-1]), 0
    else:
        axis = axis % (x.ndim - 1)
        shape = (*x.shape[:axis], 1, *x.shape[axis + 1 : -1])
    first = np.argmax(x[..., -1], axis=axis, keepdims=True)
    chosen = _runners(x, first, axis)
    chosen = chosen.reshape(*shape, chosen.shape[-1])
    if not keepdims:
        chosen = chosen.squeeze(tuple(i for i in range(len(shape)) if axis == i or first.ndim != len(shape)))
    return _settled(chosen)


def _runners(x: NDArray[Any], first: NDArray[np.int64], axis: int) -> NDArray[np.int64]:
    """The index for each row: that of the exact row or, in contrary rows, a runner-up that is close."""
    if x.shape[-1] == 1:
        return first[..., None]
    rounding = current()
    best = np.take_along_axis(x, first[..., None], axis=axis)
    margin = np.asarray(best[..., -1] - x[..., -1], order="C")
    some = best[..., : rounding.layout.full] - x[..., : rounding.layout.full]
    some -= margin[..., None]
    spread = rms(some) * rounding.shrink
    reach = multiple(margin.size) * spread - margin
    np.put_along_axis(reach, first, -1.0, axis=axis)
    reach[~(np.isfinite(reach) & (spread > 0))] = -1.0
    second = np.argmax(reach, axis=axis, keepdims=True)
    deepest = np.take_along_axis(reach, second, axis=axis)
    close = deepest > 0
    count = int(np.count_nonzero(close))
    if not count:
        return first[..., None]
    rounding.undecided += count
    index = spread_out(first[..., None], np.int64)
    turned = close[..., None] & rounding.tosses(
        np.asarray(np.take_along_axis(margin, second, axis=axis), order="C")
    )
    index[..., rounding.layout.turned] = np.where(turned, second[..., None], first[..., None])
    return index


@rule(np.sort)
def sort(a: Any, axis: Any = -1, kind: Any = None, order: Any = None, *, stable: Any = None) -> Any:
    """Each row is sorted by itself. Nothing is rounded, and values that change places are close together."""
    if order is not None:
        raise NotImplementedError("np.sort with order= has no rounding rule; leave it out")
    x = rows(a)
    if axis is None:
        x, axis = x.reshape(-1, x.shape[-1]), 0
    return pack(np.sort(x, axis=normalize_axis_index(axis, x.ndim - 1)))


@rule(np.where)
def where(condition: Any, x: Any, y: Any) -> Noisy:
    c = rows(condition)
    return pack(np.where(c if c.dtype == bool else c != 0, numbers(x), numbers(y)))


@rule(np.take_along_axis)
def take_along_axis(arr: Any, indices: Any, axis: Any = -1) -> Any:
    def one(x: NDArray[Any], i: NDArray[Any]) -> NDArray[Any]:
        return np.take_along_axis(x, i, axis=axis)

    return _read(arr, indices, one)


@rule(np.put_along_axis)
def put_along_axis(arr: Any, indices: Any, values: Any, axis: Any) -> None:
    def one(x: NDArray[Any], i: NDArray[Any], v: NDArray[Any]) -> None:
        np.put_along_axis(x, i, v, axis=axis)

    _write(arr, indices, values, one)


@rule(operator.getitem)
def gather(x: Noisy, key: Any) -> Any:
    """x[key] with indices that rounding could change. For a mask, the shape of the result would change."""
    parts = key if isinstance(key, tuple) else (key,)
    _indices_only(parts, "reading by a mask")
    at = next(i for i, part in enumerate(parts) if noisy(part))
    if sum(map(noisy, parts)) > 1:
        raise NotImplementedError(
            "reading by two indices that rounding could change has no rounding rule; read twice"
        )
    return _read(x, parts[at], lambda a, i: a[(*parts[:at], i, *parts[at + 1 :])])


@rule(operator.setitem)
def scatter(x: Noisy, key: Any, value: Any) -> None:
    """x[key] = value with a mask or an index that rounding could change."""
    parts = key if isinstance(key, tuple) else (key,)
    if len(parts) == 1 and kind(parts[0]) == "b":
        mask = parts[0].reshape(parts[0].shape + (1,) * (x.ndim - parts[0].ndim))
        x[...] = where(mask, value, x)
        return
    _indices_only(parts, "writing by this key")
    at = next(i for i, part in enumerate(parts) if noisy(part))

    def one(a: NDArray[Any], i: NDArray[Any], v: NDArray[Any]) -> None:
        a[(*parts[:at], i, *parts[at + 1 :])] = v

    _write(x, parts[at], value, one)


def _read(x: Any, index: Any, one: Any) -> Any:
    """Read all rows at the exact index, then each contrary row at its own."""
    if not noisy(index):
        return one(x.view(np.ndarray), index).view(Noisy)
    y = full(one(full(x).view(np.ndarray), exact(index)).view(Noisy))
    inside, i = rows(y), rows(index)
    source = np.broadcast_to(rows(x), (*x.shape, inside.shape[-1]))
    for row in _contrary():
        inside[..., row] = one(source[..., row], i[..., row])
    return y


def _write(x: Any, index: Any, values: Any, one: Any) -> None:
    if not noisy(x):
        raise NotImplementedError(
            "writing rounded values into a plain array has no rounding rule; make it by np.zeros_like"
        )
    if x.dtype == SINGLE:
        raise NotImplementedError("writing into an input has no rounding rule; copy it first, x = x.copy()")
    v = full(values)
    if not noisy(index):
        one(x.view(np.ndarray), index, v.view(np.ndarray))
        return
    inside, i, new = rows(x), rows(index), rows(v)
    turned = current().layout.turned
    old = inside[..., turned].copy()
    one(x.view(np.ndarray), exact(index), v.view(np.ndarray))
    inside[..., turned] = old
    for row in _contrary():
        each = inside[..., row].copy()
        one(each, i[..., row], new[..., row])
        inside[..., row] = each


def _contrary() -> range:
    turned = current().layout.turned
    return range(turned.start, turned.stop)


def _indices_only(parts: Any, what: str) -> None:
    if any(noisy(part) and kind(part) != "i" for part in parts):
        raise NotImplementedError(f"{what} that rounding could change has no rounding rule; use np.where")


def _turn(choice: NDArray[np.bool_], turned: NDArray[np.bool_]) -> Noisy:
    out = spread_out(choice[..., None], np.bool_)
    out[..., current().layout.turned] ^= turned
    return pack(out)


def _settled(choice: NDArray[Any]) -> Any:
    """The choice as a plain array if all rows are equal."""
    if choice.shape[-1] == 1 or (choice == choice[..., -1:]).all():
        return np.asarray(choice[..., -1], order="C")
    return pack(np.asarray(choice, order="C"))
