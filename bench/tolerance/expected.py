"""The expected outputs of a cell: the reference's values, and the spread that rounding gives each element."""

import hashlib
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from bench import noise, pages
from bench.backends.numpy import named
from bench.cache import arrays, folder, source
from bench.case import INTEGERS, known
from bench.cells.cell import Cell
from bench.inputs import inputs, rounded, seeded, shared
from bench.noise import ACCUMULATORS, precision
from bench.tolerance import spread as spread_module
from bench.tolerance.spread import Expected, from_arrays, spread, to_arrays
from bench.tree import Tree, flatten, tree_map

Expectation = dict[str, Expected]


def expectation(cell: Cell, *, worst: bool = False, accumulator: str | None = None) -> Expectation:
    """Values and spreads by tensor, from the cache if they were derived before from the same inputs.

    Paths are ``forward.<output>`` and ``gradient.<input>``, or ``training.<step>.…``. `worst`
    replaces the rounding of every sum by its worst case. `accumulator` is the dtype of sums; the default is
    the widest that the cell's dtype may have.
    """
    common, accumulator = shared(cell), accumulator or ACCUMULATORS[cell.dtype]
    return dict(_expectation(folder(), key(common, worst, accumulator), common, worst, accumulator))


@lru_cache(maxsize=2)  # both directions and their saboteurs use the same one in sequence
def _expectation(where: Path, name: str, common: Cell, worst: bool, accumulator: str) -> Expectation:
    return from_arrays(arrays(name, lambda: to_arrays(derive(common, worst, accumulator))))


def derive(cell: Cell, worst: bool = False, accumulator: str | None = None) -> Expectation:
    """Derive what `expectation` returns, without the cache."""
    cell = shared(cell)
    seed, found = seeded(*map(str, (cell, "noise"))), Expectation()
    for number, (prefix, function, trees) in enumerate(formulas(cell)):
        if cell.regime == INTEGERS:
            return _exact(function, trees, cell)
        expected = spread(
            function, trees, dtype=cell.dtype, accumulator=accumulator, seed=seed + number, worst=worst
        )
        found |= {f"{prefix}{path}": value for path, value in expected.items()}
    return found


def formulas(cell: Cell) -> list[tuple[str, Callable[..., Tree], tuple[Tree, ...]]]:
    """The functions whose values are expected, each with the prefix of its paths and its arguments.

    It is one function for outputs and gradients, or one for each step of a training.
    """
    case, option = pages.case(cell.case), pages.case(cell.case).options[cell.option]
    given = inputs(cell)

    def both(weights: Tree, data: Mapping[str, Any], cotangents: Mapping[str, Any]) -> Tree:
        assert case.reference is not None
        found = {"forward": named(case.reference(**data, **weights, **known(case.reference, option)))}
        if case.gradient is None:
            return found
        cotangent = cotangents["y"] if set(cotangents) == {"y"} else cotangents
        gradient = case.gradient(cotangent, **data, **weights, **known(case.gradient, option))
        return found | {"gradient": gradient}

    def one(weights: Tree, state: Tree, batch: Mapping[str, Any]) -> Tree:
        assert case.step is not None
        weights, state, loss = case.step(weights, state, **batch, **known(case.step, option))
        return {"loss": loss, "weights": weights, "state": _arrays(state)}

    if not case.training:
        return [("", both, (given.weights, given.data, given.cotangents))]
    return [(f"training.{step}.", one, start) for step, start in enumerate(given.starts)]


def _exact(function: Callable[..., Tree], trees: tuple[Tree, ...], cell: Cell) -> Expectation:
    """The values on integers, with zero tolerance. Raises ValueError if a sum could need rounding."""
    values = flatten(function(*rounded(trees, "float64")))
    sizes = flatten(function(*tree_map(_size, rounded(trees, "float64"))))
    largest = 2.0 ** precision(cell.dtype).bits
    for path, y in flatten(function(*rounded(trees, cell.dtype))).items():
        if not np.array_equal(y, values[path]) or 4 * np.max(np.abs(sizes[path]), initial=0) > largest:
            bits = pages.case(cell.case).integers[cell.option]
            raise ValueError(
                f"case {cell.case}, option {cell.option}: {path} is not exact in {cell.dtype} on "
                f"integers of {bits} bits, should be; set fewer bits in `integers`, or leave the option out"
            )
    wide = {path: np.asarray(y, dtype=np.float64) for path, y in values.items()}
    return {path: Expected(y, 0 * y, 0 * y, 0 * y) for path, y in wide.items()}


def _size(leaf: Any) -> Any:
    return np.abs(leaf) if isinstance(leaf, np.ndarray) and leaf.dtype.kind == "f" else leaf


def _arrays(state: Tree) -> Tree:
    """The arrays of a state. Counters are Python numbers, exact on both sides, and are not compared."""
    return {path: leaf for path, leaf in flatten(state).items() if hasattr(leaf, "shape")}


def key(cell: Cell, worst: bool, accumulator: str) -> str:
    """A cache key of everything that an expectation depends on: exact inputs, but no library version."""
    case = pages.case(cell.case)
    option = sorted(case.options[cell.option].items())
    parts = (str(cell), inputs(cell).digest, option, worst, accumulator, _sources(pages.page(case)))
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]


@cache
def _sources(page: str) -> str:
    """A hash of the code behind an expectation: the noise, the spread, the page and its reference."""
    rules = sorted(Path(str(noise.__file__)).parent.glob("*.py"))
    return source([*rules, Path(str(spread_module.__file__)), Path(__file__), *pages.sources(page)])
