"""The spread of the elements of a large tensor, from few draws that they share.

A spread that each element gets from its own draws takes forty runs of the reference. A tensor of the size
that people run has so many elements that a few draws of all of them say nearly as much: an element moves like
the elements of similar value, times an effect of its place: its index along an axis (a feature with larger
weights, a later step of a sequence), along two (a token of an example), or along one for its value and sign.
These are means of squared deviations over many draws. What they leave unexplained is measured too, and
widens the limits as if there were fewer draws.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

LEAST = 64  # elements of similar value whose draws are averaged, where an octave has as many
ENOUGH = 12  # draws that a mean needs, at least
OWN = 2**12  # elements; in a tensor with no more, each has an effect of its own
PLACES = 2**16  # of an effect of two axes, at most: what is carried stays small
LITTLE = 0.05  # of a variance: effects that scatter by less are left out
PASSES = 4
EIGHTH = 49  # bits of a float64 below the first three of its mantissa
OCTAVE = 8  # keys
KEYS = 2**14  # the exponent and three bits
BINS = 32  # octaves below a tensor's largest value, and the sign
VALUE = -1  # instead of an axis: an effect of the value


@dataclass(frozen=True)
class Effect:
    """Factors by index along some axes; if the first of them is `VALUE`, by bin of the value."""

    axes: tuple[int, ...]
    factors: Array


@dataclass(frozen=True)
class Shared:
    """The variance of each element of a tensor of a given shape, by its value and its place.

    variances: of each eighth of an octave of the absolute value, by the upper bits of a float64.
    effects: factors by place.
    top: the octave of the largest value, of which the bins of values count.
    draws: from how many an element's own variance would be known as well.
    """

    variances: Array
    effects: Sequence[Effect]
    top: int
    draws: int

    def at(self, value: Array) -> Array:
        """The variances of elements with these values."""
        keys = _keys(value)
        found = self.variances[keys]
        for each in self.effects:
            shape = tuple(BINS if axis == VALUE else value.shape[axis] for axis in each.axes)
            if each.factors.shape == shape:  # a larger size has more examples
                found *= _spread_out(each.factors, each.axes, value, keys, self.top)
        return found


def fit(squares: Array, value: Array, draws: int) -> Shared:
    """What the elements of a tensor share.

    squares: mean squared deviations over `draws` draws; elements with none are never moved, and left out.
    value: the exact value of each element.
    """
    moved, keys = squares > 0, _keys(value)
    count = int(np.count_nonzero(moved))
    top = int(keys.max(initial=0)) // OCTAVE
    if count == 0:
        return Shared(np.ones(KEYS), (), top, draws)
    left, table = squares / (mean := squares.sum() / count), np.full(KEYS, mean)
    groups = _groups(squares.shape, count) if count > 1 else ()
    counts = {axes: _sums(moved, axes, value, keys, top) for axes in groups}
    found = {axes: np.ones_like(each) for axes, each in counts.items()}
    for _ in range(PASSES if count > 1 else 0):
        factors = _by_value(keys, left, moved, draws)
        table, left = table * factors, left / factors[keys]
        for axes, before in found.items():
            means = _sums(left, axes, value, keys, top) / np.maximum(counts[axes], 1)
            found[axes] = _kept(before * means, counts[axes] * draws)
            if np.ptp(found[axes]) > 0 or np.ptp(before) > 0:
                left = left / _spread_out(found[axes] / before, axes, value, keys, top)
        found = {axes: factors for axes, factors in found.items() if np.ptp(factors) > 0}
    effects = [Effect(axes, factors) for axes, factors in found.items()]
    return Shared(table * left.sum() / count, effects, top, draws * count)


def judged(thirds: Sequence[Array], value: Array, each: Array) -> Shared:
    """What elements share by the first third of some draws, judged by the others, and what single ones add.

    Two thirds that the model has not seen agree, element by element, on what it leaves unexplained, whatever
    distribution the rounding errors have. Elements that share one rounding error count as one: then the mean
    square over the tensor scatters from draw to draw.
    thirds: mean squared deviations over a third of the draws each.
    each: the mean square over the tensor of each draw.
    """
    draws, mean = each.size, np.mean(thirds, axis=0)
    moved = mean > 0
    count, one = int(np.count_nonzero(moved)), fit(mean, value, draws)
    if count < 2 or not all(third.any() for third in thirds):
        return replace(one, draws=draws)
    unexplained = _unexplained(
        fit(thirds[0], value, draws // 3).at(value)[moved], *(x[moved] for x in thirds[1:])
    )
    effects = list(one.effects)
    if value.size <= OWN:
        kept = unexplained / (unexplained + 2 / draws)
        own = np.where(moved, 1 + kept * (mean / one.at(value) - 1), 1)
        effects.append(Effect(tuple(range(value.ndim)), own))
        unexplained *= 1 - kept
    alone = np.clip(2 / max(float(np.var(each / each.mean())), 2 / count), 1, count)
    return replace(one, effects=effects, draws=equal(unexplained, int(draws * alone)))


def equal(variance: float, most: int) -> int:
    """The number of draws for which Student's t allows for variances that scatter about their model.

    `variance` is that of the ratio of true variances to the model's. Its logarithm is taken as normal, with a
    standard deviation of 2s. Variances from 1/2s² draws would scatter as much, but Student's t has longer
    tails than errors whose spreads scatter so: with some more draws it has the quantiles that limits need.
    """
    s = np.sqrt(np.log1p(variance)) / 2
    return most if s == 0 else int(np.clip(0.5 / s**2 + 1.8 / s + 3, 1, most))


def _groups(shape: tuple[int, ...], count: int) -> Iterator[tuple[int, ...]]:
    """The axes of each effect: one alone, one by value, two."""
    axes = [axis for axis, size in enumerate(shape) if size > 1]
    whole = axes if len(axes) > 1 or count > OWN else []
    yield from ((axis,) for axis in whole)
    yield from ((VALUE, axis) for axis in whole)
    pairs = combinations(axes, 2) if len(axes) > 2 else ()
    yield from (pair for pair in pairs if shape[pair[0]] * shape[pair[1]] <= PLACES)


def _keys(value: Array) -> NDArray[Any]:
    bits = np.ascontiguousarray(np.abs(value), dtype=np.float64).view(np.uint64)
    return np.asarray((bits >> np.uint64(EIGHTH)).astype(np.int16)).reshape(value.shape)


def _places(axes: tuple[int, ...], value: Array, keys: NDArray[Any], top: int) -> NDArray[Any]:
    """The place of each element in the factors by value and an axis."""
    (_, axis), octaves = axes, np.minimum(np.abs(top - keys // OCTAVE), BINS // 2 - 1)
    index = np.arange(value.shape[axis]).reshape([-1 if each == axis else 1 for each in range(value.ndim)])
    return (octaves * 2 + (value < 0)).astype(np.intp) * value.shape[axis] + index


def _sums(x: NDArray[Any], axes: tuple[int, ...], value: Array, keys: NDArray[Any], top: int) -> Array:
    if axes[0] != VALUE:
        return np.asarray(x.sum(axis=tuple(each for each in range(x.ndim) if each not in axes), dtype=float))
    places, size = _places(axes, value, keys, top), BINS * value.shape[axes[1]]
    sums = np.bincount(places.ravel(), weights=x.ravel(), minlength=size)
    return np.asarray(sums.reshape(BINS, -1), dtype=np.float64)


def _spread_out(factors: Array, axes: tuple[int, ...], value: Array, keys: NDArray[Any], top: int) -> Array:
    """The factor of each element, in an array that broadcasts."""
    if axes[0] == VALUE:
        return np.asarray(factors.ravel()[_places(axes, value, keys, top)])
    return factors.reshape([size if axis in axes else 1 for axis, size in enumerate(value.shape)])


def _by_value(keys: NDArray[Any], left: Array, moved: NDArray[np.bool_], draws: int) -> Array:
    """The mean for each key; keys with few elements share one with their neighbours, up to an octave."""
    some = keys[moved]
    counts = np.bincount(some, minlength=KEYS)
    sums = np.bincount(some, weights=left[moved], minlength=KEYS)
    groups: list[list[float]] = []  # the lowest key, sum and number; from the largest values down
    size = highest = 0
    for key in np.flatnonzero(counts)[::-1]:
        wide = highest - key >= OCTAVE and size * draws >= ENOUGH
        if not groups or size >= LEAST or wide:
            groups.append([key, 0.0, 0])
            highest, size = int(key), 0
        size += int(counts[key])
        groups[-1] = [key, groups[-1][1] + sums[key], size]
    if len(groups) > 1 and size * draws < ENOUGH:
        low, total, few = groups.pop()
        groups[-1] = [low, groups[-1][1] + total, groups[-1][2] + few]
    table, end = np.ones(KEYS), KEYS
    for low, total, number in groups:
        table[int(low) : end] = total / number
        end = int(low)
    table[:end] = groups[-1][1] / groups[-1][2]
    return table


def _kept(full: Array, draws: Array) -> Array:
    """Means of so many draws near 1, each without the part of its scatter that chance explains."""
    known = np.where(draws >= ENOUGH, draws, 0)
    if not known.any():
        return np.ones_like(full)
    full = full / np.average(full, weights=known)
    chance = 2 / np.maximum(draws, 1)
    scatter = float(np.average(np.square(full - 1) - chance, weights=known))
    if scatter < LITTLE**2:
        return np.ones_like(full)
    return np.where(known > 0, 1 + scatter / (scatter + chance) * (full - 1), 1.0)


def _unexplained(model: Array, one: Array, other: Array) -> float:
    """The variance of elements' variances relative to the model's, with its standard error.

    one, other: squared deviations that are independent of each other and of the model.
    """
    one, other = one / model, other / model
    products = one * other / (one.mean() * other.mean())
    return max(float(products.mean() - 1 + products.std() / np.sqrt(products.size)), 0.0)
