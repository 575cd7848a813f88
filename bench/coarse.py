"""Arrays that compute with few bits, like low-precision hardware: used for the general mutants."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import wraps
from typing import Any

import numpy as np

from bench.case import Case
from bench.tree import tree_map

PRODUCTS = {np.matmul, np.multiply, np.vecdot}
FUNCTIONS = {
    *(np.exp, np.expm1, np.log, np.log1p, np.logaddexp, np.tanh, np.sqrt, np.divide, np.power, np.square),
}  # and those of scipy.special: see `_is_function`
OPERANDS = {np.einsum, np.tensordot, np.dot}  # do not call ufuncs


@dataclass(frozen=True)
class Coarseness:
    """The bits of operands of products, of results of sums, and of results of functions."""

    products: int = 53
    sums: int = 53
    functions: int = 53


def coarse(case: Case, how: Coarseness) -> Case:
    """The case with its formula computed by the same code with these few bits."""

    def within(function: Callable[..., Any] | None) -> Any:
        if function is None:
            return None

        @wraps(function)
        def run(*args: Any, **kwargs: Any) -> Any:
            with np.errstate(all="ignore"):
                return tree_map(_bare, function(*tree_map(of, args), **tree_map(of, kwargs)))

        return run

    def of(leaf: Any) -> Any:
        return _as(kind, leaf) if isinstance(leaf, np.ndarray) and leaf.dtype.kind == "f" else leaf

    kind = type("Coarse", (Coarse,), {"how": how})
    return replace(
        case, reference=within(case.reference), gradient=within(case.gradient), step=within(case.step)
    )


class Coarse(np.ndarray[Any, Any]):
    """An array that computes with few bits; subclasses set `how`."""

    how = Coarseness()

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        given: list[Any] = [_bare(x) for x in inputs]
        if ufunc in PRODUCTS and method == "__call__":
            given = [cut(x, self.how.products) for x in given]
        if out := kwargs.get("out"):
            kwargs["out"] = tuple(_bare(x) for x in out)
        result = getattr(ufunc, method)(*given, **kwargs)
        if method == "at":
            return None
        if (method == "reduce" and ufunc is np.add) or ufunc is np.matmul:
            result = cut(result, self.how.sums)
        elif _is_function(ufunc):
            result = cut(result, self.how.functions)
        if out:
            out[0][...] = result
            return out[0]
        return _as(type(self), result)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if func in OPERANDS:
            bare = tree_map(lambda x: cut(_bare(x), self.how.products), list(args))
            return _as(type(self), cut(func(*bare, **kwargs), self.how.sums))
        return super().__array_function__(func, types, args, kwargs)


def cut(x: Any, bits: int) -> Any:
    """x rounded to `bits` significant bits, in its own dtype; anything but a float array is unchanged."""
    if bits >= 53 or not isinstance(x, np.ndarray | np.floating) or x.dtype.kind != "f":
        return x
    mantissa, exponent = np.frexp(x)
    return np.ldexp(np.rint(mantissa * 2.0**bits).astype(x.dtype), exponent - bits)


def _is_function(ufunc: np.ufunc) -> bool:
    return ufunc in FUNCTIONS or ufunc.__name__ in ("erf", "expit", "log_expit")


def _bare(x: Any) -> Any:
    return x.view(np.ndarray) if isinstance(x, Coarse) else x


def _as(kind: type[Coarse], x: Any) -> Any:
    return x.view(kind) if isinstance(x, np.ndarray) else x
