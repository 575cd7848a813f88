"""What rounding does to each element of a formula's outputs: one run of the reference, with all draws at once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench import noise
from bench.tree import Tree, flatten, tree_map

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Expected:
    """One output: its value in float64, and per element what may move it.

    `sigma` is the spread that rounding gives an element; `sigma1` the spread per unit roundoff when sums accumulate
    exactly, corrected for its small sample so that error/sigma1 is unbiased in the square; `jump` what turning the
    undecided choices changes, at most. `scatter` is the rms over the tensor of the widest draw, in units of the rms
    of sigma: 1 where elements round independently, about 2 where they share one rounding. `undecided` counts the
    choices of the whole run that rounding could turn.
    """

    value: Array
    sigma: Array
    sigma1: Array
    jump: Array
    scatter: float = 1.0
    undecided: int = 0


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

    Floating arrays among the inputs are taken as they are, so they should hold numbers of `dtype`; integers, booleans
    and Python numbers pass through. `worst` replaces the rounding of every sum by its worst order.
    """
    rounding = noise.Rounding(dtype, accumulator=accumulator, seed=seed, worst=worst)
    with noise.under(rounding):
        outputs = flatten(function(*tree_map(_lift, trees)))
        return {path: _expected(leaf, rounding) for path, leaf in outputs.items()}


def _lift(leaf: Any) -> Any:
    if isinstance(leaf, np.ndarray | np.floating) and (
        leaf.dtype.kind == "f" or leaf.dtype.name == "bfloat16"
    ):
        return noise.pack(np.array(leaf, dtype=np.float64)[..., None])
    return leaf


def _expected(leaf: Any, rounding: noise.Rounding) -> Expected:
    if not noise.noisy(leaf):
        leaf = noise.pack(np.asarray(leaf, dtype=np.float64)[..., None])
    rows = noise.rows(leaf)
    value = rows[..., -1].astype(np.float64)
    zero = np.zeros_like(value)
    if rows.shape[-1] == 1:
        return Expected(value, zero, zero, zero, 1.0, rounding.undecided)
    away = rows - value[..., None]
    away[np.broadcast_to((rows == value[..., None]), away.shape)] = 0  # inf - inf
    draws = away[..., : noise.FULL], away[..., noise.FULL : noise.NOISY], away[..., noise.NOISY : -1]
    sigma, one = (np.sqrt(np.mean(np.square(some), axis=-1)) for some in draws[:2])
    unbiased = np.sqrt(noise.EXACT_SUMS / (noise.EXACT_SUMS - 2))  # E[1/s²] of a χ² sample
    jump = np.abs(draws[2]).max(axis=-1) if rounding.undecided else zero
    return Expected(
        value,
        sigma * rounding.shrink * rounding.both,
        one * unbiased / rounding.u,
        jump,
        _scatter(draws[0]),
        rounding.undecided,
    )


def _scatter(draws: Array) -> float:
    """The widest draw's mean square over the mean of all."""
    largest = np.abs(draws).max(initial=0)
    if largest == 0 or not np.isfinite(largest):
        return 1.0
    each = np.square(draws / largest).reshape(-1, noise.FULL).mean(axis=0)
    return float(np.sqrt(each.max() / each.mean()))


_WHOLE: dict[str, Any] = {"undecided": int, "scatter": float}


def to_arrays(expected: Mapping[str, Expected]) -> dict[str, NDArray[Any]]:
    """For np.savez: ``<field>/<path>``, in order."""
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
