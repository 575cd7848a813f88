"""Which rule belongs to which function of NumPy."""

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from bench.noise import choices, elementwise, products, sums
from bench.noise.array import SINGLE, Noisy, element, exact, full, noisy, pack

UFUNCS: dict[tuple[np.ufunc, str], Any] = {
    **{(ufunc, "__call__"): rule for ufunc, rule in elementwise.RULES.items()},
    **{(ufunc, "__call__"): rule for ufunc, rule in choices.RULES.items()},
    (np.matmul, "__call__"): products.matmul,
    (np.add, "reduce"): lambda a, axis=0, keepdims=False: sums.total(a, axis, keepdims=keepdims),
    (np.maximum, "reduce"): lambda a, axis=0, keepdims=False: np.max(a, axis=axis, keepdims=keepdims),
    (np.minimum, "reduce"): lambda a, axis=0, keepdims=False: np.min(a, axis=axis, keepdims=keepdims),
    (np.add, "at"): sums.add_at,
}


def _joined(func: Any) -> Any:
    """concatenate and its kin: all parts get all rows first."""

    def rule(arrays: Any, *args: Any, **kwargs: Any) -> Any:
        parts = [full(x).view(np.ndarray) for x in arrays]
        joined = func(parts, *args, **kwargs)  # NumPy promotes a record to one without overlap
        return joined.astype(parts[0].dtype, copy=False).view(Noisy)

    return rule


def _like(fill: float) -> Any:
    def rule(
        a: Any, dtype: Any = None, order: Any = "K", subok: Any = True, shape: Any = None, **_: Any
    ) -> Any:
        return _full_like(a, fill, dtype, order, subok, shape)

    return rule


def _full_like(
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


def _copyto(dst: Any, src: Any, casting: Any = "same_kind", where: Any = True) -> None:
    if not noisy(dst):
        raise NotImplementedError("copyto a plain array has no rule; make it by zeros_like")
    dst.view(Noisy)[...] = src if where is True else choices.where(where, src, dst)


def _pad(array: Any, pad_width: Any, mode: Any = "constant", **kwargs: Any) -> Any:
    if mode not in ("constant", "edge", "reflect", "symmetric", "wrap", "empty"):
        raise NotImplementedError(f"np.pad with mode {mode!r} has no rounding rule")
    if array.dtype == SINGLE:
        return pack(np.pad(exact(array), pad_width, mode, **kwargs)[..., None])
    return np.pad(array.view(np.ndarray), pad_width, mode, **kwargs).view(Noisy)


FUNCTIONS: dict[Any, Any] = {
    np.sum: sums.total,
    np.mean: sums.mean,
    np.var: sums.var,
    np.std: sums.std,
    np.max: sums.largest(np.maximum),
    np.min: sums.largest(np.minimum),
    np.amax: sums.largest(np.maximum),
    np.amin: sums.largest(np.minimum),
    np.dot: products.dot,
    np.tensordot: products.tensordot,
    np.einsum: products.einsum,
    np.linalg.solve: products.solve,
    np.clip: elementwise.clip,
    np.where: choices.where,
    np.argmax: choices.argmax,
    np.argmin: choices.argmin,
    np.take_along_axis: choices.take_along_axis,
    np.put_along_axis: choices.put_along_axis,
    np.zeros_like: _like(0.0),
    np.ones_like: _like(1.0),
    np.empty_like: _like(np.nan),  # what is read before it is written must show
    np.full_like: _full_like,
    np.copy: lambda a, *_, **__: full(a),
    np.copyto: _copyto,
    np.pad: _pad,
    **{f: _joined(f) for f in (np.concatenate, np.stack, np.vstack, np.hstack, np.dstack, np.column_stack)},
}

# functions that only move elements, or ask for shapes
MOVES = {
    *(np.reshape, np.ravel, np.transpose, np.swapaxes, np.moveaxis, np.rollaxis, np.squeeze, np.expand_dims),
    *(np.atleast_1d, np.atleast_2d, np.atleast_3d, np.broadcast_to, np.broadcast_arrays, sliding_window_view),
    *(
        np.split,
        np.array_split,
        np.hsplit,
        np.vsplit,
        np.dsplit,
        np.roll,
        np.flip,
        np.fliplr,
        np.flipud,
        np.rot90,
    ),
    *(np.repeat, np.tile, np.take, np.tril, np.triu, np.diagonal, np.delete),
    *(np.shape, np.ndim, np.size),
}
