"""Saboteurs: forged outputs. If a cell's check would accept one, its verdict is mistrusted."""

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from bench import answers, pages
from bench.cache import kept, source
from bench.cells.catalogue import listed
from bench.cells.cell import Cell
from bench.inputs import inputs, make, rounded, shared
from bench.noise import ACCUMULATORS
from bench.size import headline
from bench.tolerance.expected import expectation, key
from bench.tolerance.limit import limit_of
from bench.tolerance.spread import Expected
from bench.tree import flatten
from bench.verdict.compare import compare
from bench.verdict.errors import errors_of

Tensors = Mapping[str, Any]


def passing(unit: Cell, direction: str) -> str:
    """The saboteur that this cell's check would accept, or empty; cached on disk."""
    cell = shared(unit)
    limits = key(cell, worst=False, accumulator=ACCUMULATORS[cell.dtype])
    return kept(f"{limits}-{direction}-{_sources()}", lambda: _passing(cell, direction))


@lru_cache
def _sources() -> str:
    """A hash of the code that judges saboteurs; the key of their limits covers the rest."""
    files = (
        __file__,
        *(str(sys.modules[each.__module__].__file__) for each in (compare, errors_of, limit_of)),
    )
    return source(map(Path, files))[:16]


def _passing(cell: Cell, direction: str) -> str:
    prefix = f"{direction}."
    every = expectation(replace(cell, direction=direction))
    expected = {path.removeprefix(prefix): one for path, one in every.items() if path.startswith(prefix)}
    values = {path: one.value for path, one in expected.items()}
    previous = _previous(cell, direction, values)
    few = {path: _first(one) for path, one in expected.items()}
    first, before = ({path: _head(y) for path, y in each.items()} for each in (values, previous))
    count = sum(y.size for y in values.values())
    for name, forge in _saboteurs(cell):
        some = _forged(forge, first, before, cell.dtype)
        if any(errors_of(path, some[path], one, count, cell.dtype).outside for path, one in few.items()):
            continue
        answer = _forged(forge, values, previous, cell.dtype)
        exact = {path: _rounded(y, cell.dtype) for path, y in values.items()}
        honest = all(np.array_equal(answer[path], exact[path], equal_nan=True) for path in values)
        if not honest and compare(answer, expected, dtype=cell.dtype).status == "agrees":
            return name
    return ""


FIRST = 4096  # elements of a tensor that are looked at before all: one of them is enough to tell


def _head(x: Any) -> Any:
    return x if x.size <= FIRST else x.flat[:FIRST]


def _first(one: Expected) -> Expected:
    """The first elements."""
    parts = {name: _head(getattr(one, name)) for name in ("value", "sigma", "sigma1", "jump")}
    return replace(one, **parts)


Forge = Callable[[Tensors, Tensors], Tensors]


def _forged(forge: Forge, values: Tensors, previous: Tensors, dtype: str) -> dict[str, Any]:
    """What a saboteur gives, in the dtype; the largest values overflow."""
    with np.errstate(all="ignore"):
        return {path: _rounded(y, dtype) for path, y in forge(values, previous).items()}


def _saboteurs(cell: Cell) -> Iterator[tuple[str, Forge]]:
    """What each makes of the right values, or of the first of each tensor, and of the previous answer."""
    yield "zeros", lambda values, previous: {path: np.zeros_like(y) for path, y in values.items()}
    yield "the answer times 1.2", lambda values, previous: {path: 1.2 * y for path, y in values.items()}
    yield "an echo of the input", lambda values, previous: _echo(cell, values)
    yield "the previous answer", lambda values, previous: previous


def _echo(cell: Cell, values: Tensors) -> Tensors:
    """The numbers of the first input, repeated to fill each output."""
    given = inputs(cell)
    trees = (dict(given.data), given.weights, given.starts[0] if given.starts else ())
    floats = [np.ravel(x) for x in flatten(trees).values() if getattr(x, "dtype", np.dtype(int)).kind == "f"]
    first = next((x for x in floats if x.size), np.ones(1)).astype(np.float64)
    return {path: np.resize(first, y.shape) for path, y in values.items()}


def _previous(cell: Cell, direction: str, values: Tensors) -> Tensors:
    """The outputs for other inputs of the same shapes: from another seed, or from the previous step.

    Beside the regimes of a page it is its typical one: the loss of equal logits is the same for any.
    """
    case = pages.case(cell.case)
    if case.training:  # a path starts with the step
        return {path: values.get(_before(path), np.zeros_like(y)) for path, y in values.items()}
    if headline(case, cell.size):  # whose reference may take seconds
        every = expectation(replace(cell, direction=direction), number=1)
        return {path: every[f"{direction}.{path}"].value for path in values}
    regime = next(iter(case.regimes)) if listed(case, cell.regime) else cell.regime
    other = make(replace(cell, seed=cell.seed + 1, regime=regime))
    trees = rounded((other.weights, other.data, other.cotangents), "float64")
    flat = flatten(answers.values(case, case.options[cell.option], *trees)[direction])
    return {path: flat[path] if np.shape(flat[path]) == y.shape else 0 * y for path, y in values.items()}


def _before(path: str) -> str:
    step, _, rest = path.partition(".")
    return f"{int(step) - 1}.{rest}"


def _rounded(value: Any, dtype: str) -> Any:
    with np.errstate(all="ignore"):
        return rounded({"": np.asarray(value)}, dtype)[""]
