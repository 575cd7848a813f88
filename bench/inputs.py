"""The inputs of a cell: drawn from its seed and rounded to its dtype, the same for every contender.

They are made once and cached with the limits that are derived from them. Pages compute weights, targets and
states, and the last bits of a matrix product depend on BLAS, instruction set and number of threads. So a
process that made its own inputs would be compared with the reference on different ones.
"""

import hashlib
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from bench import answers, pages, size, tree
from bench.cache import Arrays, arrays, digest, folder, source
from bench.case import INTEGERS, Case
from bench.cells.cell import Cell
from bench.size import dims
from bench.tree import Tree, flatten, floating, from_arrays, numpy_dtype, to_arrays, tree_map


@dataclass(frozen=True)
class Inputs:
    """A cell's inputs, rounded to its dtype. A training case has one element of `starts` per judged step.

    `digest` is a hash of all their bits.
    """

    weights: Tree
    data: Mapping[str, Any]
    cotangents: Mapping[str, Any]
    starts: tuple[tuple[Tree, Tree, Mapping[str, Any]], ...] = ()  # (weights, state, batch)
    digest: str = ""


def inputs(cell: Cell) -> Inputs:
    """The inputs of every contender of this cell, from the cache if any process has made them.

    Raises RuntimeError if they differ from those that this process had before.
    """
    return _inputs(shared(cell), folder())


_GIVEN: dict[tuple[Cell, Path], str] = {}  # the digest of the first inputs of each cell in this process


@lru_cache(maxsize=8)
def _inputs(cell: Cell, where: Path) -> Inputs:
    found = arrays(f"inputs-{_key(cell)}", lambda: _named(make(cell)))
    given = Inputs(**from_arrays(found), digest=str(found["digest"]))
    if _GIVEN.setdefault((cell, where), given.digest) != given.digest:
        raise RuntimeError(f"inputs of {cell}: got new ones, should be those of before; {where} was emptied")
    return given


def _named(given: Inputs) -> Arrays:
    parts = {"weights": given.weights, "data": given.data, "cotangents": given.cotangents}
    found = to_arrays(parts | {"starts": given.starts})
    return found | {"digest": np.array(digest(found))}


def _key(cell: Cell) -> str:
    """A cache key of everything that inputs depend on."""
    case = pages.case(cell.case)
    option = sorted(case.options[cell.option].items())
    parts = (str(cell), cell.seed, sorted(dims(case, cell.size).items()), option, _sources(pages.page(case)))
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]


@cache
def _sources(page: str) -> str:
    return source(
        [Path(__file__), *(Path(str(each.__file__)) for each in (size, tree)), *pages.sources(page)]
    )


def shared(cell: Cell) -> Cell:
    """The cell with only the fields that its inputs depend on: such cells share inputs and expectations."""
    return Cell(cell.case, cell.option, cell.regime, cell.size, "", "", "", "", cell.dtype, "", cell.seed)


def rounded(tree: Tree, dtype: str) -> Tree:
    """The tree with floating arrays in `dtype`; integers, booleans and Python numbers are unchanged."""

    def leaf(value: Any) -> Any:
        if floating(value):
            # ascontiguousarray would change the shape () to (1,)
            return np.array(value, dtype=numpy_dtype(dtype), order="C")
        return value

    return tree_map(leaf, tree)


def draw(case: Case, cell: Cell, size: str | None = None) -> tuple[Tree, dict[str, Any]]:
    """The case's weights and data in float64; case, regime, size and seed determine the generator."""
    size = size or cell.size
    rng = np.random.default_rng(seeded(case.name, cell.regime, size, cell.seed))
    whole = cell.regime == INTEGERS
    extra = {"regime": next(iter(case.regimes)) if whole else cell.regime} if len(case.regimes) > 1 else {}
    with answers.calling(case, "inputs"):
        given = case.inputs(rng, **dims(case, size), **case.options[cell.option], **extra)
    weights, data = answers.pair(case, given)
    if whole:
        bits = case.integers[cell.option]
        lone = not any(getattr(x, "dtype", np.dtype(int)).kind == "f" for x in flatten(data).values())
        return integers(weights, bits if lone else 2), integers(data, bits)
    return weights, data


def integers(tree: Tree, bits: int) -> Tree:
    """The tree with floating arrays turned into whole numbers of at most `bits` bits, typically one less."""

    def leaf(value: Any) -> Any:
        if isinstance(value, np.ndarray | np.floating) and value.dtype.kind == "f":
            return np.clip(np.rint(value * 2.0 ** (bits - 1)), 1 - 2.0**bits, 2.0**bits - 1)
        return value

    return tree_map(leaf, tree)


def batch(data: Mapping[str, Any], step: int) -> dict[str, Any]:
    """The data of one step: every array has a leading axis of steps, which are used cyclically."""
    return {name: value[step % len(value)] for name, value in data.items()}


def make(cell: Cell) -> Inputs:
    """Make the inputs of a cell, without the cache."""
    cell = shared(cell)
    case, option = pages.case(cell.case), pages.case(cell.case).options[cell.option]
    weights, data = rounded(draw(case, cell), cell.dtype)
    if case.training:
        return Inputs(weights, data, {}, _trajectory(case, option, weights, data, cell.dtype))
    exact = {**rounded(data, "float64"), **rounded(weights, "float64")}
    outputs = answers.outputs(case, exact, option)
    rng = np.random.default_rng(seeded(cell.case, cell.regime, cell.size, cell.seed, "cotangents"))
    fixed = case.fixed if len(outputs) > 1 else ()  # a single output may have the name of the targets
    cotangents = {
        name: rng.standard_normal(y.shape)
        for name, y in flatten(outputs).items()
        if y.dtype.kind == "f" and name not in fixed
    }
    if cell.regime == INTEGERS:
        cotangents = integers(cotangents, 2)
    answers.differentiate(case, exact, cotangents, option)
    return Inputs(weights, data, rounded(cotangents, cell.dtype))


def _trajectory(case: Case, option: Any, weights: Tree, data: Any, dtype: str) -> Any:
    state, starts = answers.started(case, weights, option), []
    for step in range(len(next(iter(data.values())))):
        start = rounded((weights, state), dtype)
        starts.append((*start, batch(data, step)))
        exact = rounded(starts[-1], "float64")
        weights, state = answers.stepped(case, exact[0], exact[1], exact[2], option)
    return tuple(starts)


def seeded(*parts: Any) -> int:
    return zlib.crc32("/".join(map(str, parts)).encode())
