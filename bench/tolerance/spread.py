"""The spread of each output element by rounding, from one run of the reference with all draws."""

import tracemalloc
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench import noise
from bench.tree import Tree, flatten, tree_map
from bench.tree import floating as _floating

Array = NDArray[np.float64]

MEMORY = 2**31  # bytes of all rows of one run, at most; rounding rules hold three copies at once
FEW = 2**15  # elements of input; with fewer, no formula needs that much memory


@dataclass(frozen=True)
class Expected:
    """One output: its float64 value, and for each element how far rounding may move it.

    `sigma` is the spread by rounding. `sigma1` is the spread per unit roundoff when sums accumulate exactly,
    corrected for its small sample so that (error/sigma1)² is unbiased. `jump` is the largest change if
    undecided choices went the other way. `scatter` is the rms over the tensor of the widest draw, in units
    of the rms of sigma: 1 if elements round independently, about 2 if they share one rounding error.
    `undecided` counts the choices of the whole run that rounding could change. `draws` is the number of draws
    from which `sigma` is known.
    """

    value: Array
    sigma: Array
    sigma1: Array
    jump: Array
    scatter: float = 1.0
    undecided: int = 0
    draws: int = noise.FULL


def spread(
    function: Callable[..., Tree],
    trees: tuple[Tree, ...],
    *,
    dtype: object,
    accumulator: object = None,
    seed: int,
    worst: bool = False,
) -> dict[str, Expected]:
    """``function(*trees)`` under the rounding of `dtype`, by path of the outputs.

    Floating inputs are not rounded, so they must already hold numbers of `dtype`; integers, booleans and
    Python numbers pass through. `worst` replaces the rounding of every sum by that of its worst order.
    With the accumulator ``float32 inside`` everything is computed in float32 and only outputs are rounded to
    `dtype`; with ``float32, TF32 factors`` matrix products use 11 bits of each factor.
    """
    found, runs, rounding = parts(
        function, trees, dtype=dtype, accumulator=accumulator, seed=seed, worst=worst
    )
    return {path: _pooled(part, runs, rounding) for path, part in found.items()}


def parts(
    function: Callable[..., Tree],
    trees: tuple[Tree, ...],
    *,
    dtype: object,
    accumulator: object,
    seed: int,
    worst: bool = False,
    few: bool = False,
) -> tuple[dict[str, "Part"], int, noise.Rounding]:
    """What `spread` makes its result of: statistics by path, the number of runs, and the rounding.

    With `few`, there is one run of several, with the part of the draws that fits in memory.
    """
    inside = accumulator == noise.INSIDE
    how: dict[str, Any] = {"seed": seed, "worst": worst}
    special: dict[object, dict[str, Any]] = {
        noise.INSIDE: {"dtype": "float32"},
        noise.TF32_FACTORS: {"dtype": dtype, "tf32": True},
    }
    how |= special.get(accumulator, {"dtype": dtype, "accumulator": accumulator})
    runs = _runs(function, trees, how["dtype"], few)
    found: dict[str, Part] = {}
    for run in range(1 if few else runs):
        rounding = noise.Rounding(**how, runs=runs, run=run, alone=few)
        with noise.under(rounding), noise.explained():
            leaves = flatten(function(*tree_map(_lift, trees)))
        rounding = rounding.outside(dtype) if inside else rounding
        with noise.under(rounding):
            for path, leaf in leaves.items():
                part = _part(_rounded(leaf, rounding) if inside else leaf, rounding, few)
                found[path] = _both(found[path], part) if path in found else part
    return found, 1 if few else runs, rounding


def _rounded(leaf: Any, rounding: noise.Rounding) -> Any:
    """An output rounded to the dtype, except elements that rounding left exact, such as copied inputs."""
    if not noise.noisy(leaf):
        return leaf
    rows = np.array(noise.rows(leaf))
    if rows.shape[-1] > 1:
        value = rows[..., -1]
        held = (rows == value[..., None]).all(axis=-1) & (
            noise.to_bits(value, rounding.precision.bits) == value
        )
        rounding.round(rows, exact=held)
    return noise.pack(rows)


def _runs(function: Callable[..., Tree], trees: tuple[Tree, ...], dtype: object, few: bool = False) -> int:
    """The number of runs over which the draws are divided, so that each run fits in `MEMORY`.

    With `few` draws, which are those of one run, it may be three times as large.
    """
    leaves = [leaf for leaf in flatten(trees).values() if isinstance(leaf, np.ndarray)]
    layouts = noise.layouts(dtype, alone=few)
    if sum(leaf.size for leaf in leaves) < FEW:
        return min(layouts)
    plain = tree_map(lambda leaf: leaf.astype(np.float64) if _floating(leaf) else leaf, trees)
    tracemalloc.start()
    try:
        with np.errstate(all="ignore"):
            function(*plain)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    fitting = [runs for runs, layout in layouts.items() if layout.rows * peak <= MEMORY * (1 + 2 * few)]
    return min(fitting, default=max(layouts))


def _lift(leaf: Any) -> Any:
    return noise.pack(np.array(leaf, dtype=np.float64)[..., None]) if _floating(leaf) else leaf


MANY = 30  # undecided choices, whose joint effect is a random sum


def _jump(turned: Array, many: bool) -> Array:
    """The largest change by contrary choices: of all of them in the first row, of half of them in others.

    Of `many` choices a framework makes some subset. The change by a random one is normal about half of that
    by all, and the rows of half of them show how far it scatters.
    """
    largest = np.asarray(np.abs(turned).max(axis=-1))
    if not many:
        return largest
    middle = turned[..., 0] / 2
    scatter = noise.rms(turned[..., 1:] - middle[..., None])
    return np.maximum(largest, np.abs(middle) + noise.multiple(middle.size, CERTAIN) * scatter)


CERTAIN = 10**6  # draws, from which Student's t is normal


@dataclass(frozen=True)
class Part:
    """The statistics of an output over the rows of one or more runs."""

    value: Array
    sigma: Array  # for several runs, the root of the sum of squares
    sigma1: Array
    jump: Array
    draws: Array  # the rms over the tensor of each draw
    undecided: int
    thirds: tuple[Array, ...] = ()  # with few draws, sigma of each third of them


def _part(leaf: Any, rounding: noise.Rounding, few: bool = False) -> Part:
    if not noise.noisy(leaf):
        leaf = noise.pack(np.asarray(leaf, dtype=np.float64)[..., None])
    rows = noise.rows(leaf)
    within = -rounding.overflow < rows.min(initial=0) and rows.max(initial=0) < rounding.overflow
    if not within and (beyond := np.abs(rows) >= rounding.overflow).any():
        rows = np.where(beyond, np.copysign(np.inf, rows), rows)
    value = np.array(rows[..., -1], dtype=np.float64)
    zero = np.zeros_like(value)
    if rows.shape[-1] == 1:
        return Part(value, zero, zero, zero, np.zeros(1), rounding.undecided, (zero,) * 3 if few else ())
    layout = rounding.layout
    away = rows - value[..., None]
    if not within:
        away[np.broadcast_to((rows == value[..., None]), away.shape)] = 0  # inf - inf
    full, exact_sums = away[..., : layout.full], away[..., layout.full : layout.noisy]
    return Part(
        value,
        noise.rms(full),
        noise.rms(exact_sums),
        _jump(away[..., layout.turned], few and rounding.undecided > MANY) if rounding.undecided else zero,
        noise.rms(full.reshape(-1, layout.full).T) if value.size else np.zeros(1),
        rounding.undecided,
        tuple(map(noise.rms, np.split(full, 3, axis=-1))) if few else (),
    )


def _both(one: Part, other: Part) -> Part:
    """Merge two parts at once: keeping the parts of all runs would take too much memory."""
    return Part(
        one.value,
        np.hypot(one.sigma, other.sigma),
        np.hypot(one.sigma1, other.sigma1),
        np.maximum(one.jump, other.jump),
        np.concatenate([one.draws, other.draws]),
        max(one.undecided, other.undecided),
    )


def _pooled(part: Part, runs: int, rounding: noise.Rounding) -> Expected:
    """The pooled statistics; runs have equal weight because they have equally many rows."""
    sigma, one, draws = part.sigma / np.sqrt(runs), part.sigma1 / np.sqrt(runs), part.draws
    widest = draws.max() / noise.rms(draws) if np.isfinite(draws).all() and draws.any() else 1.0
    unbiased = np.sqrt(noise.EXACT_SUMS / (noise.EXACT_SUMS - 2))  # E[1/s²] of a χ² sample
    return Expected(
        part.value,
        scaled(sigma, part.value, rounding),
        one * unbiased / rounding.u,
        part.jump,
        float(widest),
        part.undecided,
    )


def scaled(sigma: Array, value: Array, rounding: noise.Rounding) -> Array:
    """The measured spread for the dtype's own unit roundoff."""
    moved = sigma > 0
    sigma = sigma * rounding.shrink * rounding.both
    # the error of a flushed subnormal is its size, which does not shrink with u
    low = moved & (np.abs(value) < rounding.precision.tiny)
    return np.where(low, np.maximum(sigma, np.abs(value)), sigma)


_WHOLE: dict[str, Any] = {"undecided": int, "scatter": float, "draws": int}


def to_arrays(expected: Mapping[str, Expected]) -> dict[str, NDArray[Any]]:
    """Arrays for np.savez, named ``<field>/<path>``, in order."""
    return {
        f"{field.name}/{path}": np.asarray(getattr(one, field.name))
        for path, one in expected.items()
        for field in fields(Expected)
    }


def from_arrays(arrays: Mapping[str, NDArray[Any]]) -> dict[str, Expected]:
    found: dict[str, dict[str, Any]] = {}
    for name, array in arrays.items():
        field, path = name.split("/", 1)
        found.setdefault(path, {})[field] = _WHOLE.get(field, np.asarray)(array)
    return {path: Expected(**parts) for path, parts in found.items()}
