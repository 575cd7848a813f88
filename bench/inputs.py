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

from bench import pages, size, tree
from bench.backends.numpy import named
from bench.cache import Arrays, arrays, digest, folder, source
from bench.case import INTEGERS, Case, known, misfit
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
    weights, data = _pair(case, case.inputs(rng, **dims(case, size), **case.options[cell.option], **extra))
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
    outputs = _outputs(case, exact, option)
    rng = np.random.default_rng(seeded(cell.case, cell.regime, cell.size, cell.seed, "cotangents"))
    fixed = case.fixed if len(outputs) > 1 else ()  # a single output may have the name of the targets
    cotangents = {
        name: rng.standard_normal(y.shape)
        for name, y in flatten(outputs).items()
        if y.dtype.kind == "f" and name not in fixed
    }
    if cell.regime == INTEGERS:
        cotangents = integers(cotangents, 2)
    _differentiate(case, exact, cotangents, option)
    return Inputs(weights, data, rounded(cotangents, cell.dtype))


def _pair(case: Case, given: Any) -> tuple[Tree, dict[str, Any]]:
    """What a page's inputs gave. Raises TypeError or ValueError unless it is weights and data."""
    should = "should give (weights, data), each a dict of arrays by name"
    if not (isinstance(given, tuple | list) and len(given) == 2):
        raise TypeError(f"case {case.name}: its inputs give {_kind(given)}, {should}")
    for what, part in zip(("weights", "data"), given, strict=True):
        if not isinstance(part, Mapping):
            raise TypeError(f"case {case.name}: its inputs give {_kind(part)} for {what}, {should}")
    for path, leaf in {**flatten(given[0]), **given[1]}.items():
        if not isinstance(leaf, np.ndarray | np.generic) or leaf.dtype.kind not in "fiub":
            got = f"an array of {leaf.dtype}" if isinstance(leaf, np.ndarray) else _kind(leaf)
            right = "NumPy's arrays of floats, integers or booleans"
            raise TypeError(f"case {case.name}: its inputs give {got} for {path}, should give {right}")
        if np.isnan(leaf).any():
            raise ValueError(f"case {case.name}: its inputs give NaN in {path}, should give numbers")
    return given[0], dict(given[1])


def _outputs(case: Case, exact: Mapping[str, Any], option: Any) -> dict[str, Any]:
    """The reference's outputs. Raises TypeError where it does not take the inputs, or gives no arrays."""
    assert case.reference is not None
    if why := misfit(case.reference, **exact, **known(case.reference, option)):
        raise TypeError(f"case {case.name}: reference: {why}, should take what inputs give: {_list(exact)}")
    outputs = named(case.reference(**exact, **known(case.reference, option)))
    for name, y in outputs.items():
        if not isinstance(y, np.ndarray | np.generic | Mapping):
            should = "should give an array, or a dict of arrays"
            raise TypeError(f"case {case.name}: its reference gives {_kind(y)} for {name}, {should}")
    return outputs


def _differentiate(case: Case, exact: Mapping[str, Any], cotangents: Any, option: Any) -> None:
    """Raise TypeError or ValueError unless the gradient gives an array like each input that has one."""
    if case.gradient is None:
        return
    where = f"case {case.name}: its gradient"
    if not cotangents:
        raise ValueError(f"{where} is of no floating output, should be left out, or inputs draw floats")
    cotangent = cotangents["y"] if set(cotangents) == {"y"} else cotangents
    option = known(case.gradient, option)
    if why := misfit(case.gradient, cotangent, **exact, **option):
        raise TypeError(f"{where}: {why}, should take a cotangent and what inputs give: {_list(exact)}")
    found = case.gradient(cotangent, **exact, **option)
    right = {
        path: leaf.shape
        for path, leaf in flatten(exact).items()
        if floating(leaf) and path.partition(".")[0] not in case.fixed
    }
    should = f"should give a dict of arrays by name: {_list(right)}"
    if not isinstance(found, Mapping):
        raise TypeError(f"{where} gives {_kind(found)}, {should}")
    got = {path: np.shape(leaf) for path, leaf in flatten(found).items()}
    if set(got) != set(right):
        raise ValueError(f"{where} gives {_list(got)}, {should}")
    for path, shape in got.items():
        if shape != right[path]:
            raise ValueError(f"{where} gives {path} of shape {shape}, should be {right[path]}")


def _list(names: Mapping[str, Any]) -> str:
    return ", ".join(names) or "nothing"


def _kind(value: Any) -> str:
    return "nothing" if value is None else f"a {type(value).__name__}"


def _trajectory(case: Case, option: Any, weights: Tree, data: Any, dtype: str) -> Any:
    assert case.step is not None and case.start is not None
    state = case.start(weights, **known(case.start, option))
    option, starts = known(case.step, option), []
    for step in range(len(next(iter(data.values())))):
        start = rounded((weights, state), dtype)
        starts.append((*start, batch(data, step)))
        exact = rounded(starts[-1], "float64")
        weights, state, _ = case.step(*exact[:2], **exact[2], **option)
    return tuple(starts)


def seeded(*parts: Any) -> int:
    return zlib.crc32("/".join(map(str, parts)).encode())
