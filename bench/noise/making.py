"""Rules for functions that make arrays: zeros_like, copies, padding and concatenation."""

from typing import Any

import numpy as np

from bench.noise.array import (
    SINGLE,
    Noisy,
    Rule,
    element,
    exact,
    full,
    noisy,
    pack,
    rows,
    rule,
    rules,
    spread_out,
)
from bench.noise.choices import where as chosen


def like(fill: float) -> Rule:
    """The rule of zeros_like, ones_like and empty_like."""

    def on_records(
        a: Any, dtype: Any = None, order: Any = "K", subok: Any = True, shape: Any = None, **_: Any
    ) -> Any:
        return full_like(a, fill, dtype, order, subok, shape)

    return on_records


rule(np.zeros_like)(like(0.0))
rule(np.ones_like)(like(1.0))
rule(np.empty_like)(like(np.nan))  # NaN shows an element that is read before it is written


@rule(np.full_like)
def full_like(
    a: Any,
    fill_value: Any,
    dtype: Any = None,
    order: Any = "K",
    subok: Any = True,
    shape: Any = None,
    **_: Any,
) -> Any:
    shape = a.shape if shape is None else shape
    if dtype is not None and np.dtype(dtype).kind in "biu":
        return np.full(shape, fill_value, dtype)
    new = np.empty(shape, element()).view(Noisy)
    new[...] = fill_value
    return new


@rule(np.copy)
def copy(a: Any, *_: Any, **__: Any) -> Noisy:
    return full(a)


@rule(np.copyto)
def copyto(dst: Any, src: Any, casting: Any = "same_kind", where: Any = True) -> None:
    if not noisy(dst):
        raise NotImplementedError("np.copyto to a plain array has no rounding rule; make it by np.zeros_like")
    dst.view(Noisy)[...] = src if where is True else chosen(where, src, dst)


@rule(np.pad)
def pad(array: Any, pad_width: Any, mode: Any = "constant", **kwargs: Any) -> Any:
    if mode not in ("constant", "edge", "reflect", "symmetric", "wrap", "empty"):
        raise NotImplementedError(
            f"np.pad with mode={mode!r} has no rounding rule; 'constant' and 'edge' have"
        )
    if array.dtype == SINGLE:
        return pack(np.pad(exact(array), pad_width, mode, **kwargs)[..., None])
    return np.pad(array.view(np.ndarray), pad_width, mode, **kwargs).view(Noisy)


@rules(np.concatenate, np.stack, np.vstack, np.hstack, np.dstack, np.column_stack)
def joined(function: Rule) -> Rule:
    """The rule of a function that joins arrays: all parts are extended to all rows first.

    Whole numbers stay whole where all parts are: they may be indices.
    """

    def on_records(arrays: Any, *args: Any, **kwargs: Any) -> Any:
        inside = [rows(x) for x in arrays]
        dtype = np.int64 if all(each.dtype.kind in "iu" for each in inside) else np.float64
        parts = [pack(spread_out(each, dtype)).view(np.ndarray) for each in inside]
        whole = function(parts, *args, **kwargs)  # NumPy promotes a record to one without overlapping fields
        return whole.astype(parts[0].dtype, copy=False).view(Noisy)

    return on_records
