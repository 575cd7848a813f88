"""Lane (d): exact invariants: a repeated call gives the same bits, and so does a cotangent times 2⁷.

A power of two does not change a mantissa, and a gradient is linear in its cotangent. So the gradient must be
exactly 2⁷ times the first, except near the ends of the dtype's range.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from bench.backends import Backend
from bench.noise import precision
from bench.tree import Tree, flatten, tree_map

SCALE = 2.0**7


GOES = 3  # calls; two may have the same bits by chance


def repeats(engine: Backend, call: Callable[..., Any], *given: Any) -> bool:
    """Whether several calls on the same inputs give the same bits."""
    found = [flatten(engine.get(call(*given))) for _ in range(GOES)]
    return all(
        np.array_equal(y, other[path], equal_nan=True) for other in found[1:] for path, y in found[0].items()
    )


def broken(
    engine: Backend,
    vjp: Callable[..., Any],
    params: Tree,
    data: Mapping[str, Any],
    cotangents: Mapping[str, Any],
    first: Tree,
) -> str:
    """The invariant that a further call breaks, as a sentence, or empty; `first` is the first result."""
    before = flatten(engine.get(first))
    again = flatten(engine.get(vjp(params, data, cotangents)))
    for path, y in before.items():
        if not np.array_equal(y, again[path], equal_nan=True):
            return f"the same call gave another {named(path)} the second time"
    if engine.dtype == "float16":  # intermediate results underflow that do not underflow times 2⁷
        return ""
    scaled = engine.put(tree_map(lambda dy: _times(dy, SCALE), engine.get(dict(cotangents))))
    louder = flatten(engine.get(vjp(params, data, scaled)))
    for path, g in before.items():
        if not path.startswith("1"):
            continue  # an output does not depend on the cotangent
        inside = _inside(g, engine.dtype) & _inside(louder[path], engine.dtype)
        if not np.array_equal(_times(g, SCALE)[inside], louder[path][inside]):
            return f"the cotangent times {SCALE:g} is not {named(path)} times {SCALE:g}, bit by bit"
    return ""


def _times(x: Any, factor: float) -> Any:
    """x times the factor in x's dtype; `_inside` excludes overflow."""
    with np.errstate(over="ignore"):
        return np.asarray(x * np.asarray(x).dtype.type(factor))  # NumPy makes a 0-d product a scalar


def _inside(x: Any, dtype: str) -> Any:
    """A mask of zeros and numbers far above the subnormals: smaller ones may have lost bits on the way."""
    size = np.abs(np.asarray(x, dtype=np.float64))
    tiny = precision(dtype).tiny / min(precision(dtype).u, precision("float32").u)
    return np.isfinite(size) & ((size == 0) | (size > tiny))


def named(path: str) -> str:
    """A path of ``(outputs, gradients)`` as a row names it."""
    kind, _, rest = path.partition(".")
    rest = rest.removeprefix("params.").removeprefix("data.")
    return f"gradient of {rest or 'the input'}" if kind == "1" else f"output {rest}"
