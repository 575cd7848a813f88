"""Lists of the functions that a reference may use, for the handbook."""

from collections.abc import Mapping

from bench.noise.array import FORWARDED, MOVES, computing
from bench.noise.names import INSTEAD, names

GROUPS = {
    "elementwise": "Element by element",
    "sums": "Sums and statistics",
    "reductions": "Norms and products of all elements",
    "scans": "Running sums and products",
    "products": "Products of matrices",
    "choices": "Choices and order",
    "making": "Making arrays",
}
MOVING, METHODS = "Moving elements", "Methods of arrays"


def usable() -> Mapping[str, tuple[str, ...]]:
    """The names of all functions that have a rounding rule or need none, by group."""
    found: dict[str, set[str]] = {title: set() for title in GROUPS.values()}
    for (function, method), rule in computing().items():
        found[GROUPS[rule.__module__.rpartition(".")[2]]].update(names(function, method))
    found[MOVING] = {name for function in MOVES for name in names(function)}
    found[METHODS] = {f"x.{name}" for name in FORWARDED}
    return {title: tuple(sorted(group)) for title, group in found.items()}


def refused() -> Mapping[str, str]:
    """What to write instead of common functions that have no rule."""
    return dict(INSTEAD)
