"""An array whose elements are records with one number per row: a row is one run of the formula.

NumPy treats a record as one element, so shapes, indexing, views, windows, stacking and assignment are NumPy's
own. A ufunc or function that computes is dispatched to the rule registered for it, and raises if it has none.
"""

import inspect
import operator
from collections.abc import Callable
from typing import Any, NoReturn, TypeVar

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from bench.noise.names import HANDBOOK, advice, named, names
from bench.noise.precision import LAYOUTS, LOW_LAYOUTS
from bench.noise.rounding import current

_BASES = {"f": np.dtype(np.float64), "b": np.dtype(np.bool_), "i": np.dtype(np.int64)}

# An element whose rows are all equal (an input) is one number. It has three field names, because NumPy
# assigns records by position: so NumPy raises if such an element is mixed with a full one.
SINGLE = np.dtype({"names": ["a", "b", "c"], "formats": ["f8"] * 3, "offsets": [0] * 3, "itemsize": 8})
_FULL = {
    (layout.rows, kind): np.dtype([("rows", base, (layout.rows - 1,)), ("exact", base)])
    for layout in (*LAYOUTS.values(), *LOW_LAYOUTS.values())
    for kind, base in _BASES.items()
}
_ROWS_OF = {SINGLE: np.dtype((np.float64, (1,)))} | {
    element: np.dtype((_BASES[kind], (rows,))) for (rows, kind), element in _FULL.items()
}
_KINDS = {SINGLE: "f"} | {element: kind for (_, kind), element in _FULL.items()}

Rule = Callable[..., Any]
OneRule = TypeVar("OneRule", bound=Rule)

_RULES: dict[tuple[Any, str], Rule] = {}  # filled when the modules of the rules are imported

# functions that only move elements or return shapes
MOVES = {
    *(np.reshape, np.ravel, np.transpose, np.swapaxes, np.moveaxis, np.rollaxis, np.squeeze, np.expand_dims),
    *(np.atleast_1d, np.atleast_2d, np.atleast_3d, np.broadcast_to, np.broadcast_arrays, sliding_window_view),
    *(np.split, np.array_split, np.hsplit, np.vsplit, np.dsplit),
    *(np.roll, np.flip, np.fliplr, np.flipud, np.rot90),
    *(np.repeat, np.tile, np.take, np.tril, np.triu, np.diagonal, np.delete),
    *(np.shape, np.ndim, np.size),
}


def rule(*functions: Rule, method: str = "__call__") -> Callable[[OneRule], OneRule]:
    """A decorator that registers a rule for these NumPy functions, or for this method of these ufuncs.

    ``operator.getitem`` and ``operator.setitem`` mean indexing with a key that holds records. Raises
    ValueError if one of them already has a rule.
    """

    def register(found: OneRule) -> OneRule:
        for function in functions:
            if _RULES.setdefault((function, method), found) is not found:
                raise ValueError(f"rule of {function.__name__}.{method}: got a second one, should be one")
        return found

    return register


def rules(*functions: Rule) -> Callable[[OneRule], OneRule]:
    """A decorator for a function that makes a rule: it registers the result for each of these functions."""

    def register(make: OneRule) -> OneRule:
        for function in functions:
            rule(function)(make(function))
        return make

    return register


def element(kind: str = "f") -> np.dtype[np.void]:
    """The dtype of a record with all rows."""
    return _FULL[current().layout.rows, kind]


def noisy(x: Any) -> bool:
    """Whether x holds records, as a Noisy or as a plain array such as np.zeros(n, x.dtype)."""
    return isinstance(x, np.ndarray) and x.dtype in _KINDS


def kind(x: Any) -> str:
    """The kind of the numbers in the rows: f, b or i."""
    return _KINDS[x.dtype]


def rows(x: Any, *, inverted: bool = False) -> NDArray[Any]:
    """x as a plain array with the rows on the last axis; of length 1 if all rows are equal."""
    if noisy(x):
        return x.view(np.ndarray).getfield(_ROWS_OF[x.dtype], 0)
    if isinstance(x, float | np.floating):
        return current().constant(float(x), inverted=inverted)
    plain = np.asarray(x)
    if plain.dtype == bool:
        return plain[..., None]
    if plain.dtype.kind in "iu" and not inverted:
        return plain[..., None]
    if plain.dtype.kind not in "fiu":
        raise NotImplementedError(
            f"got an operand of dtype {plain.dtype}, should be real; compute its parts separately"
        )
    return current().constants(np.asarray(plain, dtype=np.float64, order="C"), inverted=inverted)


def exact(x: Any) -> NDArray[Any]:
    """The exact row of x."""
    return rows(x)[..., -1] if noisy(x) else np.asarray(x)


def pack(values: NDArray[Any]) -> Any:
    """The inverse of `rows`. Integers and booleans become a plain array if all rows are equal."""
    if values.dtype.kind == "u":
        values = values.astype(np.int64)
    if values.shape[-1] == 1 and values.dtype.kind != "f":
        return values[..., 0]
    if values.strides[-1] != values.itemsize:
        values = np.asarray(values, order="C")
    rows = values.shape[-1]
    return values.view(SINGLE if rows == 1 else _FULL[rows, values.dtype.kind])[..., 0].view(Noisy)


def spread_out(values: NDArray[Any], dtype: Any = np.float64) -> NDArray[Any]:
    """A new contiguous copy with all rows."""
    copy = np.empty((*values.shape[:-1], current().layout.rows), dtype)
    copy[...] = values
    return copy


def full(x: Any) -> "Noisy":
    """A writable copy of x with all rows."""
    return pack(spread_out(rows(x)))


class Noisy(np.ndarray[Any, Any]):
    """The array of records: see the module. `pack` makes one, and `rows` reads it."""

    def __array_ufunc__(self, ufunc: Any, method: Any, *inputs: Any, **kwargs: Any) -> Any:
        found = _RULES.get((ufunc, method))
        if found is None:
            _refuse(named(ufunc, method))
        out = kwargs.pop("out", (None,))[0]
        if any(value is not None for key, value in kwargs.items() if key in ("dtype", "signature")):
            _refuse(f"{named(ufunc, method)} with dtype=")
        if "where" in kwargs:
            _refuse(f"{named(ufunc, method)} with where=")
        kwargs = {key: value for key, value in kwargs.items() if key in ("axis", "keepdims", "initial")}
        result = _computed(found, named(ufunc, method), inputs, kwargs)
        if out is None:
            return result
        if not noisy(out):
            _refuse(f"{named(ufunc, method)} into a plain array", "make it by np.zeros_like or np.empty_like")
        out.view(Noisy)[...] = result
        return out

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if found := _RULES.get((func, "__call__")):
            return _computed(found, named(func), args, kwargs)
        if func not in MOVES:
            _refuse(named(func))
        return _as_noisy(super().__array_function__(func, types, args, kwargs))

    def __getitem__(self, key: Any) -> Any:
        if _has_noisy(key):
            return _RULES[operator.getitem, "__call__"](self, key)
        return _as_noisy(super().__getitem__(key))

    def __setitem__(self, key: Any, value: Any) -> None:
        if _has_noisy(key):
            _RULES[operator.setitem, "__call__"](self, key, value)
            return
        values = rows(value)
        if self.dtype == SINGLE:
            _refuse("writing into an input", "copy it first, x = x.copy()")
        plain = self.view(np.ndarray)
        if not noisy(value) and values.size == 1:
            plain[key] = values.ravel()[0]
        else:
            plain[key] = pack(spread_out(values, _BASES[kind(self)])).view(np.ndarray)

    def __iter__(self) -> Any:
        return (self[i] for i in range(len(self)))

    def __repr__(self) -> str:
        return f"Noisy(shape={self.shape}, kind={kind(self)!r})"

    def __eq__(self, other: Any) -> Any:
        return np.equal(self, other)

    def __ne__(self, other: Any) -> Any:
        return np.not_equal(self, other)

    __hash__ = None

    def astype(self, dtype: Any, *args: Any, **kwargs: Any) -> Any:
        if np.dtype(dtype) not in _KINDS and kind(self) == "f":
            _refuse(f"astype({np.dtype(dtype)}) of a rounded value", "leave it out, or astype(x.dtype)")
        return full(self)

    def copy(self, order: Any = "C") -> Any:
        return full(self)

    def __bool__(self) -> bool:
        _refuse("branching on a value", "use np.where")

    def __float__(self) -> float:
        _refuse("float() of a rounded value", "keep the array, and use np.exp for math.exp")

    def __int__(self) -> int:
        _refuse("int() of a rounded value", "use np.argmax, or an integer of the formula")

    def __index__(self) -> int:
        _refuse("a rounded value as an index", "use np.argmax")

    def __complex__(self) -> complex:
        _refuse("complex() of a rounded value", "compute real and imaginary parts separately")

    def __contains__(self, key: object) -> bool:
        _refuse("membership in a rounded array", "use a comparison with np.where")


def _forwarded(name: str) -> Any:
    def method(self: Noisy, *args: Any, **kwargs: Any) -> Any:
        return getattr(np, name)(self, *args, **kwargs)

    return method


def _refused(name: str) -> Any:
    def method(self: Noisy, *args: Any, **kwargs: Any) -> NoReturn:
        _refuse(f"ndarray.{name}")

    return method


FORWARDED = (
    "argmax",
    "argmin",
    "clip",
    "cumprod",
    "cumsum",
    "dot",
    "max",
    "mean",
    "min",
    "prod",
    "std",
    "sum",
    "var",
)
_REFUSED = (
    *("all", "any", "argpartition", "argsort", "byteswap", "choose", "compress", "dump"),
    *("dumps", "fill", "item", "nonzero", "partition", "ptp", "put", "round", "searchsorted", "sort"),
    *("tobytes", "tofile", "tolist", "trace"),
)
for _name in FORWARDED:
    setattr(Noisy, _name, _forwarded(_name))
for _name in _REFUSED:
    setattr(Noisy, _name, _refused(_name))


def computing() -> dict[tuple[Any, str], Rule]:
    """The rules that compute, by function of NumPy or SciPy and method of a ufunc."""
    reading = {operator.getitem, operator.setitem}
    return {key: found for key, found in _RULES.items() if key[0] not in reading}


def having() -> set[str]:
    """The names of all functions that have a rule or need none."""
    found = {name for key in computing() for name in names(*key)}
    return found | {name for function in MOVES for name in names(function)}


def refusal(what: str, instead: str = "") -> NotImplementedError:
    """The error for an operation without a rule: it says what to write, `instead` or by `advice`."""
    return NotImplementedError(
        f"{what} has no rounding rule; {instead or advice(what, having())}; all are in {HANDBOOK}"
    )


def _refuse(what: str, instead: str = "") -> NoReturn:
    raise refusal(what, instead)


def _computed(found: Rule, name: str, args: Any, kwargs: Any) -> Any:
    """The result of the rule. Raises NotImplementedError if it does not accept an argument, with its name."""
    try:
        return found(*args, **kwargs)
    except TypeError:
        taken = inspect.signature(found).parameters
        if any(each.kind == each.VAR_KEYWORD for each in taken.values()) or not kwargs.keys() - taken.keys():
            raise
        given = ", ".join(f"{key}=" for key in sorted(kwargs.keys() - taken.keys()))
        _refuse(f"{name} with {given}", f"leave {given} out")


def _has_noisy(key: Any) -> bool:
    return any(noisy(part) for part in key) if isinstance(key, tuple) else noisy(key)


def _as_noisy(result: Any) -> Any:
    if isinstance(result, np.void) and result.dtype in _KINDS:
        return np.array(result, dtype=result.dtype).view(Noisy)
    if isinstance(result, np.ndarray) and not isinstance(result, Noisy) and noisy(result):
        return result.view(Noisy)
    if isinstance(result, list | tuple):
        return type(result)(map(_as_noisy, result))
    return result
