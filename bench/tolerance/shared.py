"""The spread of the elements of a large tensor, from few draws that they share.

A spread that each element gets from its own draws takes forty runs of the reference. A tensor of the size
that people run has so many elements that a few draws of all of them say as much: an element moves like the
elements of similar value, times an effect of its index along each axis (a feature with larger weights, a
later step of a sequence). These are means of squared deviations, over hundreds of draws.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

LEAST = 64  # elements whose draws are averaged, at least
ENOUGH = 256  # draws that an effect of an index needs
PASSES = 2
EIGHTH = 49  # bits of a float64 below the first three of its mantissa
KEYS = 2**14  # the exponent and three bits


@dataclass(frozen=True)
class Shared:
    """The variance of each element of a tensor of a given shape, by its value and its place.

    variances: of each eighth of an octave of the absolute value, by the upper bits of a float64.
    effects: for each axis one factor for each index, or a single 1.
    draws: from how many the variance of an element is known.
    """

    variances: Array
    effects: Sequence[Array]
    draws: int

    def at(self, value: Array) -> Array:
        """The variances of elements with these values."""
        found = self.variances[_keys(value)]
        for axis, effect in enumerate(self.effects):
            if effect.size == value.shape[axis] > 1:  # a larger size has more examples
                found *= effect.reshape([-1 if each == axis else 1 for each in range(value.ndim)])
        return found


def fit(squares: Array, value: Array, draws: int) -> Shared:
    """What the elements of a tensor share.

    squares: mean squared deviations over `draws` draws; elements with none are never moved, and left out.
    value: the exact value of each element.
    """
    moved = squares > 0
    count = int(np.count_nonzero(moved))
    keys, effects = _keys(value), [np.ones(1) for _ in squares.shape]
    if count < LEAST:
        mean = squares.sum() / max(count, 1)
        return Shared(np.full(KEYS, mean), effects, max(count, 1) * draws)
    left, tables = squares, np.ones(KEYS)
    for _ in range(PASSES):
        table = _table(keys, left, moved)
        tables, left = tables * table, left / table[keys]
        for axis in range(squares.ndim):
            effect = _effect(left, moved, axis, draws)
            if effect.size > 1:
                effects[axis] = effects[axis] * effect
                left = left / effect.reshape([-1 if each == axis else 1 for each in range(squares.ndim)])
    return Shared(tables, effects, LEAST * draws)


def _keys(value: Array) -> NDArray[Any]:
    bits = np.ascontiguousarray(np.abs(value), dtype=np.float64).view(np.uint64)
    return np.asarray((bits >> np.uint64(EIGHTH)).astype(np.int16)).reshape(value.shape)


def _table(keys: NDArray[Any], squares: Array, moved: NDArray[np.bool_]) -> Array:
    """The mean of the squares for each key; keys with few elements share one with their neighbours."""
    counts = np.bincount(keys[moved], minlength=KEYS)
    sums = np.bincount(keys[moved], weights=squares[moved], minlength=KEYS)
    table, start, total, size = np.ones(KEYS), 0, 0.0, 0
    groups: list[tuple[int, float, int]] = []
    for key in np.flatnonzero(counts):
        total, size = total + sums[key], size + int(counts[key])
        if size >= LEAST:
            groups.append((start, total, size))
            start, total, size = int(key) + 1, 0.0, 0
    if size:
        start, more, count = groups.pop()
        groups.append((start, more + total, count + size))
    for start, total, size in groups:
        table[start:] = total / size
    return table


def _effect(left: Array, moved: NDArray[np.bool_], axis: int, draws: int) -> Array:
    """The mean along the other axes for each index, near 1; without what chance explains of its scatter."""
    others = tuple(each for each in range(left.ndim) if each != axis)
    counts: Any = np.count_nonzero(moved, axis=others)
    known = counts * draws >= ENOUGH
    if left.shape[axis] < 2 or not known.any():
        return np.ones(1)
    means = left.sum(axis=others, where=moved) / np.maximum(counts, 1)
    chance = float(np.mean(2 / (counts[known] * draws)))
    scatter = float(np.var(means[known]))
    kept = 1 - chance / scatter if scatter > chance else 0.0
    if kept * scatter < LITTLE**2:
        return np.ones(1)
    return np.where(known, np.maximum(1 + kept * (means - 1), LITTLE), 1.0)


LITTLE = 0.05  # of a variance: effects that scatter by less are left out
