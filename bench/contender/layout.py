"""The mapping between a framework's weights and the reference's, derived from the build itself.

A build only rearranges weights. Run on arrays whose elements are numbered, it shows where every element goes,
and so the way back. Zero stands for a constant.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from bench.tree import Tree, flatten, tree_map
from bench.tree import floating as _floating

COUNTER = 2**30  # counters (Python integers) are numbered from here, and fit in 32 bits


@dataclass(frozen=True)
class Layout:
    """Two trees of the same numbers: `home` in the reference's layout, `away` in the framework's."""

    home: Tree
    away: Tree

    @property
    def problem(self) -> str | None:
        """Why the mapping is not one-to-one, or None."""
        if self._one_to_one:
            return None
        sent, came = _count(flatten(self.home).values()), _elements(self.away)
        came = came[came != 0]
        ours = came[(came > 0) & (came <= sent) & (came == np.rint(came))].astype(np.int64)
        times = np.bincount(ours, minlength=sent + 1)[1:]  # each of 1, 2, …, `sent` went out once
        if lost := np.count_nonzero(times == 0):
            return f"{lost} of {sent} elements of the weights reach no parameter"
        if foreign := came.size - ours.size:
            return f"{foreign} elements of the parameters are no element of the weights"
        if several := np.count_nonzero(times > 1):
            return f"{several} elements of the weights reach more than one parameter"
        return None

    @property
    def _one_to_one(self) -> bool:
        """Whether each element of `home` is once in `away`; takes a tenth of the time that reasons take."""
        sent, came = _count(flatten(self.home).values()), 0
        reached = np.zeros(sent + 1, dtype=bool)
        for numbers, leaf in zip(flatten(self.away).values(), flatten(self._away).values(), strict=True):
            if not isinstance(leaf, _Places):
                continue
            if not leaf.whole or leaf.least < 0 or leaf.most > sent:
                return False
            leaf.put(reached, True)
            came += numbers.size if leaf.least else int(np.count_nonzero(numbers))
        return came == sent and bool(reached[1:].all())

    @cached_property
    def _home(self) -> Tree:
        return tree_map(_places, self.home)

    @cached_property
    def _away(self) -> Tree:
        return tree_map(_places, self.away)

    def forth(self, tree: Tree) -> Tree:
        """Map the reference's arrays and counters to the framework's names and layouts."""
        return _fill(self._away, _table(self._home, tree))

    def back(self, tree: Tree) -> Tree:
        """Map the framework's arrays (parameters or gradients) to the reference's names and layouts.

        Counters are left out. Raises ValueError if a shape is not the one that the build returned.
        """
        home = {path: leaf for path, leaf in flatten(self._home).items() if isinstance(leaf, _Places)}
        return _fill(home, _table(self._away, tree))

    def counters(self, tree: Tree) -> dict[str, Any]:
        """The framework's counters by their paths in the reference's tree, for those that `tree` has."""
        found = _counters(self.away, flatten(tree))
        home = {path: int(leaf) for path, leaf in flatten(self.home).items() if _counter(leaf)}
        return {path: found[number] for path, number in home.items() if number in found}

    def moved(self, tree: Tree) -> str | None:
        """The path of a framework's constant that is no longer zero, or None."""
        found = flatten(tree)
        for path, numbers in flatten(self.away).items():
            if _floating(numbers) and np.any(np.asarray(found[path])[numbers == 0]):
                return path
        return None


def layout(build: Callable[[Tree], Tree], tree: Tree) -> Layout:
    """The layout of ``build(tree) -> params``, found by passing numbers through it."""
    home = _numbered(tree)
    return Layout(home, build(home))


def _numbered(tree: Tree) -> Tree:
    count, counters = 1, COUNTER

    def number(leaf: Any) -> Any:
        nonlocal count, counters
        if _floating(leaf):
            numbers = np.arange(count, count + leaf.size, dtype=np.float64).reshape(leaf.shape)
            count += leaf.size
            return numbers
        if isinstance(leaf, int) and not isinstance(leaf, bool):
            counters += 1
            return counters
        return leaf

    return tree_map(number, tree)


@dataclass(frozen=True)
class _Places:
    """Where the elements of an array lie in a flat one.

    numbers: the place of each, or None where places are evenly spaced along every axis, as those of a
        transposed or sliced array are: then the first place and the steps say it, and nothing is looked up.
    whole: whether the numbers that the build gave were whole.
    """

    shape: tuple[int, ...]
    numbers: NDArray[np.int64] | None
    first: int
    steps: tuple[int, ...]
    least: int
    most: int
    whole: bool

    def of(self, flat: NDArray[Any]) -> NDArray[Any]:
        """These elements: a view, or a copy."""
        if self.numbers is not None:
            return flat[self.numbers]
        if self.most >= flat.size:
            raise IndexError(f"layout: got {flat.size} elements, should be more than {self.most}")
        return as_strided(flat[self.first :], self.shape, [step * flat.itemsize for step in self.steps])

    def put(self, flat: NDArray[Any], values: Any) -> None:
        if self.numbers is not None:
            flat[self.numbers] = values
        else:
            self.of(flat)[...] = values


def _places(leaf: Any) -> Any:
    """The places that an array of numbers shows; other leaves as they are."""
    if not _floating(leaf):
        return leaf
    leaf = np.asarray(leaf)
    low, high = leaf.min(initial=2.0**62), leaf.max(initial=0)
    if not (np.isfinite(low) and np.isfinite(high)):  # a build that computes, of which `problem` is told
        return _Places(leaf.shape, np.zeros(leaf.shape, np.int64), 0, (), 0, 0, False)
    least, most = int(low), int(high)
    corner = (0,) * leaf.ndim
    first = int(leaf[corner]) if leaf.size else 0
    steps = tuple(
        int(leaf[(*corner[:axis], 1, *corner[axis + 1 :])]) - first if leaf.shape[axis] > 1 else 0
        for axis in range(leaf.ndim if leaf.size else 0)
    )
    even: Any = first
    for axis, step in enumerate(steps):
        even = even + (step * np.arange(leaf.shape[axis])).reshape(-1, *(1,) * (leaf.ndim - axis - 1))
    if leaf.size and least >= 0 and np.array_equal(leaf, even):
        return _Places(leaf.shape, None, first, steps, least, most, True)
    numbers = leaf.astype(np.int64)
    return _Places(leaf.shape, numbers, first, (), least, most, bool(np.array_equal(numbers, leaf)))


def _table(places: Tree, values: Tree) -> dict[str, Any]:
    """Values by number: one flat array for the elements, a dict for the counters."""
    found = flatten(values)
    arrays = {path: leaf for path, leaf in flatten(places).items() if isinstance(leaf, _Places)}
    for path, leaf in arrays.items():
        if path not in found:
            raise ValueError(f"parameter {path}: got none, should be an array of shape {leaf.shape}")
    dtype = np.result_type(*(found[path] for path in arrays)) if arrays else np.dtype(float)
    flat = np.zeros(max((leaf.most for leaf in arrays.values()), default=0) + 1, dtype)
    for path, leaf in arrays.items():
        array = np.asarray(found[path])
        if array.shape != leaf.shape:
            raise ValueError(f"parameter {path}: got shape {array.shape}, should be {leaf.shape}")
        leaf.put(flat, array)
    flat[:1] = 0
    return {"elements": flat, "counters": _counters(places, found)}


def _counters(numbers: Tree, found: Any) -> dict[int, Any]:
    return {
        int(leaf): found[path]
        for path, leaf in flatten(numbers).items()
        if _counter(leaf) and path in found  # some loops do not give them
    }


def _fill(places: Tree, table: dict[str, Any]) -> Tree:
    def leaf(place: Any) -> Any:
        if isinstance(place, _Places):
            return np.require(place.of(table["elements"]), requirements="C")  # the table is nobody else's
        if _counter(place):
            return type(place)(table["counters"][int(place)])
        return place

    return tree_map(leaf, places)


def _count(leaves: Iterable[Any]) -> int:
    return sum(leaf.size for leaf in leaves if _floating(leaf))


def _elements(tree: Tree) -> np.ndarray:
    found = [leaf.ravel() for leaf in flatten(tree).values() if _floating(leaf)]
    return np.concatenate(found) if found else np.empty(0)


def _counter(leaf: Any) -> bool:
    if _floating(leaf) or isinstance(leaf, _Places):
        return False
    return np.ndim(leaf) == 0 and not isinstance(leaf, str | bool) and leaf > COUNTER
