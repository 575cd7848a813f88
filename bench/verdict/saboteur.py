"""Saboteurs: answers that nobody computed. A cell whose check would let one pass is mistrusted."""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from bench import pages
from bench.backends.numpy import named
from bench.cache import kept, source
from bench.case import known
from bench.cells.cell import Cell
from bench.inputs import inputs, make, rounded, shared
from bench.noise import ACCUMULATORS
from bench.tolerance.expected import expectation, key
from bench.tolerance.limit import limit_of
from bench.tolerance.spread import Expected
from bench.tree import flatten
from bench.verdict.compare import compare
from bench.verdict.errors import errors_of

Tensors = Mapping[str, Any]


def passing(unit: Cell, direction: str) -> str:
    """The first saboteur that this cell's check would let pass, or nothing; the answer is kept on disk."""
    cell = shared(unit)
    limits = key(cell, worst=False, accumulator=ACCUMULATORS[cell.dtype])
    return kept(f"{limits}-{direction}-{_sources()}", lambda: _passing(cell, direction))


@lru_cache
def _sources() -> str:
    """A hash of the code that judges saboteurs, beside what their limits depend on."""
    files = (
        __file__,
        *(str(sys.modules[each.__module__].__file__) for each in (compare, errors_of, limit_of)),
    )
    return source(map(Path, files))[:16]


def _passing(cell: Cell, direction: str) -> str:
    prefix = f"{direction}."
    expected = {
        path.removeprefix(prefix): one for path, one in expectation(cell).items() if path.startswith(prefix)
    }
    exact = {path: _rounded(one.value, cell.dtype) for path, one in expected.items()}
    for name, forged in _saboteurs(cell, direction, expected):
        answer = {path: _rounded(forged[path], cell.dtype) for path in expected}
        honest = all(np.array_equal(answer[path], exact[path], equal_nan=True) for path in expected)
        if not honest and compare(answer, expected, dtype=cell.dtype).status == "agrees":
            return name
    return ""


def _saboteurs(cell: Cell, direction: str, expected: Mapping[str, Expected]) -> Iterator[tuple[str, Tensors]]:
    values = {path: one.value for path, one in expected.items()}
    yield "zeros", {path: np.zeros_like(y) for path, y in values.items()}
    with np.errstate(all="ignore"):
        yield "the answer times 1.2", {path: 1.2 * y for path, y in values.items()}
    yield "an echo of the input", _echo(cell, values)
    yield "the previous answer", _previous(cell, direction, values)


def _echo(cell: Cell, values: Tensors) -> Tensors:
    """The numbers of the first input, repeated to fill the output."""
    given = inputs(cell)
    trees = (dict(given.data), given.weights, given.starts[0] if given.starts else ())
    floats = [np.ravel(x) for x in flatten(trees).values() if getattr(x, "dtype", np.dtype(int)).kind == "f"]
    first = next((x for x in floats if x.size), np.ones(1)).astype(np.float64)
    return {path: np.resize(first, y.shape) for path, y in values.items()}


def _previous(cell: Cell, direction: str, values: Tensors) -> Tensors:
    """The answer to other inputs of the same shapes: those of another seed, or of the step before."""
    case = pages.case(cell.case)
    if case.training:  # paths start with the step
        return {path: values.get(_before(path), np.zeros_like(y)) for path, y in values.items()}
    assert case.reference is not None
    other = make(replace(cell, seed=cell.seed + 1))
    option = case.options[cell.option]
    arrays = {**rounded(other.data, "float64"), **rounded(other.weights, "float64")}
    if direction == "forward":
        found = named(case.reference(**arrays, **known(case.reference, option)))
    else:
        assert case.gradient is not None
        cotangents = rounded(other.cotangents, "float64")
        cotangent = cotangents["y"] if set(cotangents) == {"y"} else cotangents
        found = case.gradient(cotangent, **arrays, **known(case.gradient, option))
    flat = flatten(found)
    return {path: flat[path] if np.shape(flat[path]) == y.shape else 0 * y for path, y in values.items()}


def _before(path: str) -> str:
    step, _, rest = path.partition(".")
    return f"{int(step) - 1}.{rest}"


def _rounded(value: Any, dtype: str) -> Any:
    with np.errstate(all="ignore"):
        return rounded({"": np.asarray(value)}, dtype)[""]
