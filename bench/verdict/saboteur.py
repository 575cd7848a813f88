"""Saboteurs: forged outputs. If a cell's check would accept one, its verdict is mistrusted."""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from bench import answers, pages
from bench.cache import kept, source
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
    exact = {path: _rounded(one.value, cell.dtype) for path, one in expected.items()}
    for name, forged in _saboteurs(cell, direction, expected):
        answer = {path: _rounded(forged[path], cell.dtype) for path in expected}
        if _plainly_wrong(answer, expected, cell.dtype):
            continue
        honest = all(np.array_equal(answer[path], exact[path], equal_nan=True) for path in expected)
        if not honest and compare(answer, expected, dtype=cell.dtype).status == "agrees":
            return name
    return ""


FIRST = 4096  # elements of a tensor that are looked at before all


def _plainly_wrong(answer: Tensors, expected: Mapping[str, Expected], dtype: str) -> bool:
    """Whether one of the first elements of a tensor is outside its limit."""
    count = sum(one.value.size for one in expected.values())
    for path, one in expected.items():
        value, sigma, sigma1, jump = (
            np.ravel(each)[:FIRST] for each in (one.value, one.sigma, one.sigma1, one.jump)
        )
        few = Expected(value, sigma, sigma1, jump, one.scatter, draws=one.draws)
        got = np.ravel(np.asarray(answer[path], dtype=np.float64))[:FIRST]
        if errors_of(path, got, few, count, dtype).outside:
            return True
    return False


def _saboteurs(cell: Cell, direction: str, expected: Mapping[str, Expected]) -> Iterator[tuple[str, Tensors]]:
    values = {path: one.value for path, one in expected.items()}
    yield "zeros", {path: np.zeros_like(y) for path, y in values.items()}
    with np.errstate(all="ignore"):
        yield "the answer times 1.2", {path: 1.2 * y for path, y in values.items()}
    yield "an echo of the input", _echo(cell, values)
    yield "the previous answer", _previous(cell, direction, values)


def _echo(cell: Cell, values: Tensors) -> Tensors:
    """The numbers of the first input, repeated to fill each output."""
    given = inputs(cell)
    trees = (dict(given.data), given.weights, given.starts[0] if given.starts else ())
    floats = [np.ravel(x) for x in flatten(trees).values() if getattr(x, "dtype", np.dtype(int)).kind == "f"]
    first = next((x for x in floats if x.size), np.ones(1)).astype(np.float64)
    return {path: np.resize(first, y.shape) for path, y in values.items()}


def _previous(cell: Cell, direction: str, values: Tensors) -> Tensors:
    """The outputs for other inputs of the same shapes: from another seed, or from the previous step."""
    case = pages.case(cell.case)
    if case.training:  # a path starts with the step
        return {path: values.get(_before(path), np.zeros_like(y)) for path, y in values.items()}
    if headline(case, cell.size):  # whose reference may take seconds
        every = expectation(replace(cell, direction=direction), number=1)
        return {path: every[f"{direction}.{path}"].value for path in values}
    other = make(replace(cell, seed=cell.seed + 1))
    trees = rounded((other.weights, other.data, other.cotangents), "float64")
    flat = flatten(answers.values(case, case.options[cell.option], *trees)[direction])
    return {path: flat[path] if np.shape(flat[path]) == y.shape else 0 * y for path, y in values.items()}


def _before(path: str) -> str:
    step, _, rest = path.partition(".")
    return f"{int(step) - 1}.{rest}"


def _rounded(value: Any, dtype: str) -> Any:
    with np.errstate(all="ignore"):
        return rounded({"": np.asarray(value)}, dtype)[""]
