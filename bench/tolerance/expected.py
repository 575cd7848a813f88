"""The expected outputs of a cell: the reference's values, and the spread that rounding gives each element."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from bench import answers, noise, pages
from bench.cache import arrays, folder, source
from bench.case import INTEGERS, known
from bench.cells.cell import Cell
from bench.inputs import GRADIENT, Inputs, inputs, rounded, seeded, shared
from bench.noise import ACCUMULATORS, precision
from bench.tolerance import spread as spread_module
from bench.tolerance.spread import Expected, from_arrays, spread, to_arrays
from bench.tree import Tree, flatten, tree_map

Expectation = dict[str, Expected]


def expectation(
    cell: Cell, *, worst: bool = False, accumulator: str | None = None, number: int = 0
) -> Expectation:
    """Values and spreads by tensor, from the cache if they were derived before from the same inputs.

    Paths are ``forward.<output>`` and ``gradient.<input>``, or ``training.<step>.…``. `worst`
    replaces the rounding of every sum by its worst case. `accumulator` is the dtype of sums; the default is
    the widest that the cell's dtype may have. `number` is the set of inputs: see `bench.inputs.inputs`.
    """
    common, accumulator = shared(cell), accumulator or ACCUMULATORS[cell.dtype]
    if number and (given := inputs(common, number)).order is not None:  # the examples of set 0
        first = expectation(common, worst=worst, accumulator=accumulator)
        return {path: _image(path, one, given) for path, one in first.items()}
    name = key(common, worst, accumulator, number)
    return dict(_expectation(folder(), name, common, worst, accumulator, number))


@lru_cache(maxsize=6)  # both directions, their saboteurs and all contenders use the same sets in turn
def _expectation(
    where: Path, name: str, common: Cell, worst: bool, accumulator: str, number: int
) -> Expectation:
    return from_arrays(arrays(name, lambda: to_arrays(derive(common, worst, accumulator, number))))


def _image(path: str, one: Expected, given: Inputs) -> Expected:
    """The expected values and spreads of the same examples in another order."""
    if path in given.moved:
        arrays = {name: getattr(one, name)[given.order] for name in ("value", "sigma", "sigma1", "jump")}
        one = replace(one, **arrays)
    return replace(one, value=-one.value) if path.startswith(GRADIENT) else one


def derive(cell: Cell, worst: bool = False, accumulator: str | None = None, number: int = 0) -> Expectation:
    """Derive what `expectation` returns, without the cache."""
    cell = shared(cell)
    case, found = pages.case(cell.case), Expectation()
    seed = seeded(*map(str, (cell, "noise", *([number] if number else []))))
    for step, (prefix, function, trees) in enumerate(formulas(cell, number)):
        if cell.regime == INTEGERS:
            return _exact(function, trees, cell)
        with answers.calling(case, "step" if case.training else "formula"):
            expected = spread(
                function, trees, dtype=cell.dtype, accumulator=accumulator, seed=seed + step, worst=worst
            )
        found |= {f"{prefix}{path}": value for path, value in expected.items()}
    return found


def formulas(cell: Cell, number: int = 0) -> list[tuple[str, Callable[..., Tree], tuple[Tree, ...]]]:
    """The functions whose values are expected, each with the prefix of its paths and its arguments.

    It is one function for outputs and gradients, or one for each step of a training.
    """
    case, option = pages.case(cell.case), pages.case(cell.case).options[cell.option]
    given = inputs(cell, number)

    def one(weights: Tree, state: Tree, batch: Mapping[str, Any]) -> Tree:
        assert case.step is not None
        weights, state, loss = case.step(weights, state, **batch, **known(case.step, option))
        return {"loss": loss, "weights": weights, "state": _arrays(state)}

    if not case.training:
        both = partial(answers.values, case, option)
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


def key(cell: Cell, worst: bool, accumulator: str, number: int = 0) -> str:
    """A cache key of everything that an expectation depends on: exact inputs, but no library version."""
    case = pages.case(cell.case)
    option = sorted(case.options[cell.option].items())
    parts = (str(cell), inputs(cell, number).digest, option, worst, accumulator, _sources(pages.page(case)))
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]


@cache
def _sources(page: str) -> str:
    """A hash of the code behind an expectation: the noise, the spread, the page and its reference."""
    rules = sorted(Path(str(noise.__file__)).parent.glob("*.py"))
    own = (spread_module.__file__, answers.__file__, __file__)
    return source([*rules, *(Path(str(file)) for file in own), *pages.sources(page)])
