"""Kinds of inputs that every formula takes, beside the regimes of its page: where silent faults live.

Each changes what the page draws in its typical regime. It concerns one kind of array: the first floating
array of the data (of the weights, if the data has none), the integers, the booleans, or the cotangents. What
a page fixes (targets) is left as it is. suites/exemptions/inputs.py has the formulas where one does not fit,
and why.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

import numpy as np

from bench import pages
from bench.case import Case, Option, known
from bench.tree import Tree, flatten, floating, tree_map

Array = np.ndarray[Any, Any]
Change = Callable[[np.random.Generator, Array, str], Array]

FLOATS, INTEGERS, BOOLEANS, COTANGENTS = "floats", "integers", "booleans", "cotangents"
KINDS = {FLOATS: "f", INTEGERS: "iu", BOOLEANS: "b"}
ROOM = 16  # for weights of a few units
WIDEST = -126  # the exponent of float32's smallest normal number: float64 gets no wider range


@dataclass(frozen=True)
class Kind:
    """A kind of input: which arrays it changes, how, and why anybody has such numbers.

    ``change(rng, x, dtype)`` returns another array of the same shape and dtype. Where the formula has no
    value that is a number, it has no gradient either: then only its `values` are judged.
    """

    of: str
    why: str
    change: Change
    values: bool = False


def precision(dtype: str) -> Any:
    """Bits and range of a dtype; imported late, because the noise needs SciPy."""
    from bench.noise import precision as found

    return found(dtype)


def _reach(dtype: str) -> int:
    return -max(int(precision(dtype).smallest), WIDEST)


def _huge(dtype: str) -> float:
    """A power of two whose square is out of the dtype's range."""
    return 2.0 ** (_reach(dtype) // 2 + _reach(dtype) // 32 + 3)


def _largest(x: Array) -> float:
    return float(np.abs(x).max(initial=0)) or 1.0


def _constant(x: Array) -> Array:
    return np.broadcast_to(x[..., :1], x.shape).copy() if x.ndim else x


def _placed(rng: np.random.Generator, x: Array, value: float) -> Array:
    """One element replaced."""
    found = x.copy()
    if found.size:
        found.ravel()[rng.integers(found.size)] = value
    return found


def _raised(rng: np.random.Generator, x: Array, dtype: str) -> Array:
    """One element of each row far above the others: exp of the gap is less than u, but no zero."""
    found = np.atleast_1d(x).copy()
    low, high = 0.7 * precision(dtype).bits, 0.63 * -precision(dtype).smallest
    rows = found.reshape(-1, found.shape[-1]) if found.size else found.reshape(0, 1)
    at = rng.integers(rows.shape[-1], size=len(rows))
    rows[np.arange(len(rows)), at] += rng.uniform(low, high, size=len(rows))
    return rows.reshape(x.shape)


def _mixed(rng: np.random.Generator, x: Array, dtype: str) -> Array:
    most = _reach(dtype) // 4
    return x * 2.0 ** rng.integers(-most, most + 1, size=x.shape)


def _ends(rng: np.random.Generator, x: Array, dtype: str) -> Array:
    low, high = (x.min(), x.max()) if x.size else (0, 0)
    return np.where(rng.uniform(size=x.shape) < 0.5, low, high).astype(x.dtype)


def _one_hot(rng: np.random.Generator, x: Array, dtype: str) -> Array:
    return _placed(rng, np.zeros_like(x), 1.0)


def _ordered(rng: np.random.Generator, x: Array, dtype: str) -> Array:
    return np.sort(x, axis=None).reshape(x.shape)


def _first(rng: np.random.Generator, x: Array, dtype: str) -> Array:
    return np.full_like(x, x.ravel()[0]) if x.size else x


def _shut(rng: np.random.Generator, x: Array, dtype: str) -> Array:
    """All of the last row that a mask has is left out."""
    found = x.copy()
    if x.size:
        found[(..., -1, slice(None)) if x.ndim > 1 else ...] = False
    return found


CATALOGUE: Mapping[str, Kind] = {
    "huge": Kind(FLOATS, "numbers whose squares overflow", lambda rng, x, d: x * _huge(d)),
    "near-largest": Kind(
        FLOATS,
        "numbers so large that their sum is just within the dtype's range",
        lambda rng, x, d: x / _largest(x) * 2.0 ** _reach(d) / (ROOM * max(x.size, 1)),
    ),
    "near-zero": Kind(FLOATS, "numbers whose squares underflow", lambda rng, x, d: x / _huge(d)),
    "subnormal": Kind(
        FLOATS,
        "numbers below the smallest normal one",
        lambda rng, x, d: x / _largest(x) * max(precision(d).tiny, 2.0**WIDEST),
    ),
    "mixed-magnitudes": Kind(FLOATS, "small and large numbers side by side", _mixed),
    "constant-rows": Kind(FLOATS, "rows whose elements are equal", lambda rng, x, d: _constant(x)),
    "constant-huge-rows": Kind(
        FLOATS, "rows whose elements are equal and huge", lambda rng, x, d: _constant(x) * _huge(d)
    ),
    "offset": Kind(
        FLOATS,
        "a large mean over a small spread: half of the bits are common to all",
        lambda rng, x, d: x + 2.0 ** (precision(d).bits // 2 + 1),
    ),
    "zeros-and-ties": Kind(
        FLOATS, "multiples of a half: exact zeros and ties", lambda rng, x, d: np.rint(2 * x) / 2
    ),
    "all-zeros": Kind(FLOATS, "an input that is all zeros", lambda rng, x, d: np.zeros_like(x)),
    "negative-zeros": Kind(
        FLOATS, "zeros of both signs among numbers", lambda rng, x, d: np.where(x < 0.3, np.copysign(0, x), x)
    ),
    "one-far-above": Kind(FLOATS, "one element of each row far above the others", _raised),
    "one-nan": Kind(
        FLOATS, "one element that is not a number", lambda rng, x, d: _placed(rng, x, np.nan), values=True
    ),
    "one-infinity": Kind(
        FLOATS, "one element that is infinite", lambda rng, x, d: _placed(rng, x, np.inf), values=True
    ),
    "same-index": Kind(INTEGERS, "the same index everywhere", _first),
    "sorted-indices": Kind(INTEGERS, "indices in order", _ordered),
    "edge-indices": Kind(INTEGERS, "the smallest and the largest index only", _ends),
    "all-masked-row": Kind(BOOLEANS, "a row that a mask leaves out whole", _shut),
    "nothing-masked": Kind(BOOLEANS, "a mask that leaves out nothing", lambda rng, x, d: np.ones_like(x)),
    "cotangents-of-ones": Kind(COTANGENTS, "the gradient of a plain sum", lambda rng, x, d: np.ones_like(x)),
    "one-hot-cotangents": Kind(COTANGENTS, "the gradient of one element", _one_hot),
}


def listed(case: Case, regime: str) -> bool:
    """Whether a regime is none of its page, but one that every formula takes."""
    return regime in CATALOGUE and regime not in case.regimes


def ways(case: Case, regime: str, directions: Sequence[str]) -> list[str]:
    """Those of a contender's directions that are judged on inputs of this regime."""
    alone = listed(case, regime) and CATALOGUE[regime].values
    return [each for each in directions if not (alone and each == "gradient")]


def changed(
    case: Case, regime: str, rng: np.random.Generator, weights: Tree, data: Mapping[str, Any], dtype: str
) -> tuple[Tree, dict[str, Any]]:
    """What a page draws, with the arrays changed that this kind of input concerns."""
    kind = CATALOGUE[regime]
    names = _names(case, kind.of, data)
    found = {name: kind.change(rng, x, dtype) if name in names else x for name, x in data.items()}
    if kind.of == FLOATS and not names:
        path = next(iter(_floating(weights)), None)
        given = iter(flatten(weights))
        weights = tree_map(
            lambda leaf: kind.change(rng, leaf, dtype) if next(given, None) == path else leaf, weights
        )
    return weights, found


def _names(case: Case, of: str, data: Mapping[str, Any]) -> list[str]:
    found = [
        name
        for name, x in data.items()
        if getattr(x, "dtype", np.dtype("O")).kind in KINDS.get(of, "") and name not in case.fixed
    ]
    return found[:1] if of == FLOATS else found


def _floating(tree: Tree) -> list[str]:
    return [path for path, x in flatten(tree).items() if floating(x)]


def fitting(case: Case, option: str) -> list[str]:
    """The kinds of inputs that fit a formula with this option; none if its page cannot draw."""
    try:
        weights, data = drawn(case, case.options[option], next(iter(case.sizes.values())))
    except Exception:  # the page's own cells tell what is wrong
        return []
    there = {of for of in KINDS if _names(case, of, data)}
    if _floating(weights) and not _floating(data):
        there.add(FLOATS)
    if case.gradient is not None:
        there.add(COTANGENTS)
    return [
        name
        for name, kind in CATALOGUE.items()
        if kind.of in there and name not in case.regimes and not unfit(case.name, option, name)
    ]


LARGE, SMALL = ("huge", "near-largest", "constant-huge-rows"), ("near-zero", "subnormal")


def vanishes(case: Case, option: str, kind: str) -> bool:
    """Whether a gradient overflows in float32 on inputs of a kind, so that its sign may be any.

    Or a result underflows, so that it may be zero.
    """
    if kind not in (*LARGE, *SMALL) or case.reference is None or case.gradient is None:
        return False
    keywords, dtype, rng = case.options[option], "float32", np.random.default_rng(0)
    try:
        with np.errstate(all="ignore"):
            weights, data = drawn(case, keywords, next(iter(case.sizes.values())))
            weights, data = changed(case, kind, rng, weights, data, dtype)
            y = case.reference(**data, **weights, **known(case.reference, keywords))
            dy = {n: np.ones_like(x) for n, x in y.items()} if isinstance(y, Mapping) else np.ones_like(y)
            found = case.gradient(dy, **data, **weights, **known(case.gradient, keywords))
            ends = [np.abs(x).max(initial=0) for tree in (found, y) for x in flatten(tree).values()]
            if kind in SMALL:
                return any(0 < end < 2.0**WIDEST / precision(dtype).u for end in ends)
            return not all(end < 2.0 ** _reach(dtype) for end in ends[: len(flatten(found))])
    except Exception:  # the page's own cells tell what is wrong
        return False


def drawn(case: Case, option: Option, size: Mapping[str, Any]) -> tuple[Tree, Mapping[str, Any]]:
    """Weights and data of a page's typical regime; raises what the page raises."""
    regime = {"regime": next(iter(case.regimes))} if len(case.regimes) > 1 else {}
    weights, data = case.inputs(np.random.default_rng(0), **size, **option, **regime)
    return weights, data


@cache
def unfit(case: str, option: str, kind: str) -> str:
    """Why a kind of input, or a size at the edges, does not fit a formula; empty if it does."""
    try:
        reasons = pages.exemptions("inputs").REASONS
    except ModuleNotFoundError:  # pages of somebody's own
        return ""
    for pattern, why in reasons.items():
        if fnmatchcase(f"{case}/{option}/{kind}", pattern):
            return str(why)
    return ""
