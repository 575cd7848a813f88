"""The mapping between a framework's weights and the reference's, derived from the build itself.

A build only rearranges weights. Run on arrays whose elements are numbered, it shows where every element goes,
and so the way back. Zero stands for a constant.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

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
        sent, came = _elements(self.home).size, _elements(self.away)
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

    def forth(self, tree: Tree) -> Tree:
        """Map the reference's arrays and counters to the framework's names and layouts."""
        return _fill(self.away, _table(self.home, tree))

    def back(self, tree: Tree) -> Tree:
        """Map the framework's arrays (parameters or gradients) to the reference's names and layouts.

        Counters are left out. Raises ValueError if a shape is not the one that the build returned.
        """
        return _fill(_without_counters(self.home), _table(self.away, tree))

    def counters(self, tree: Tree) -> dict[str, Any]:
        """The framework's counters by their paths in the reference's tree, for those that `tree` has."""
        found = _table(self.away, tree)["counters"]
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


def _table(numbers: Tree, values: Tree) -> dict[str, Any]:
    """Values by number: one flat array for the elements, a dict for the counters."""
    found = flatten(values)
    arrays = {path: leaf for path, leaf in flatten(numbers).items() if _floating(leaf)}
    for path, leaf in arrays.items():
        if path not in found:
            raise ValueError(f"parameter {path}: got none, should be an array of shape {leaf.shape}")
    dtype = np.result_type(*(found[path] for path in arrays)) if arrays else np.dtype(float)
    flat = np.zeros(int(max((leaf.max(initial=0) for leaf in arrays.values()), default=0)) + 1, dtype)
    for path, leaf in arrays.items():
        array = np.asarray(found[path])
        if array.shape != leaf.shape:
            raise ValueError(f"parameter {path}: got shape {array.shape}, should be {leaf.shape}")
        flat[leaf.astype(np.int64)] = array
    flat[:1] = 0
    counters = {
        int(leaf): found[path]
        for path, leaf in flatten(numbers).items()
        if _counter(leaf) and path in found  # some loops do not give them
    }
    return {"elements": flat, "counters": counters}


def _fill(numbers: Tree, table: dict[str, Any]) -> Tree:
    def leaf(number: Any) -> Any:
        if _floating(number):
            return table["elements"][number.astype(np.int64)]
        if _counter(number):
            return type(number)(table["counters"][int(number)])
        return number

    return tree_map(leaf, numbers)


def _without_counters(tree: Tree) -> Tree:
    return {path: leaf for path, leaf in flatten(tree).items() if _floating(leaf)}


def _elements(tree: Tree) -> np.ndarray:
    found = [leaf.ravel() for leaf in flatten(tree).values() if _floating(leaf)]
    return np.concatenate(found) if found else np.empty(0)


def _counter(leaf: Any) -> bool:
    return not _floating(leaf) and np.ndim(leaf) == 0 and not isinstance(leaf, str | bool) and leaf > COUNTER
