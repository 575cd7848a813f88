"""The inputs of a cell: drawn from its seed and rounded to its dtype, the same for every contender.

They are made once and cached with the limits that are derived from them. Pages compute weights, targets and
states, and the last bits of a matrix product depend on BLAS, instruction set and number of threads. So a
process that made its own inputs would be compared with the reference on different ones.

A cell has further sets of inputs by number, with the same weights: a contender is judged and timed on
several. Set 0 is drawn from the cell's seed, further ones from other seeds. At sizes beyond a case's first,
whose limits take long to derive, and where a page's data are fixed, they are the examples of set 0 in another
order, if the reference shows that this changes nothing but the order of the results.
"""

import hashlib
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench import answers, pages, size, tree
from bench.cache import Arrays, arrays, digest, folder, source
from bench.case import INTEGERS, Case
from bench.cells import catalogue
from bench.cells.catalogue import CATALOGUE, COTANGENTS, listed
from bench.cells.cell import Cell
from bench.size import dims, headline
from bench.tree import Tree, flatten, floating, from_arrays, numpy_dtype, to_arrays, tree_map


@dataclass(frozen=True)
class Inputs:
    """A cell's inputs, rounded to its dtype. A training case has one element of `starts` per judged step.

    `steps` has the numbers of these steps: all that the page draws, and at a headline size the first and one
    later. `digest` is a hash of all their bits. If the set has the examples of set 0 in another order,
    `order` has their numbers, and `moved` the paths of the outputs and gradients that are in that order too;
    gradients then have the other sign, as the cotangents have.
    """

    weights: Tree
    data: Mapping[str, Any]
    cotangents: Mapping[str, Any]
    starts: tuple[tuple[Tree, Tree, Mapping[str, Any]], ...] = ()  # (weights, state, batch)
    steps: tuple[int, ...] = ()
    order: NDArray[np.int64] | None = None
    moved: tuple[str, ...] = ()
    digest: str = ""


def inputs(cell: Cell, number: int = 0) -> Inputs:
    """Set `number` of a cell's inputs, for every contender, from the cache if any process has made them.

    Raises RuntimeError if they differ from those that this process had before.
    """
    return _inputs(shared(cell), number, folder())


_GIVEN: dict[tuple[Cell, int, Path], str] = {}  # the digest of the first inputs of each cell in this process


@lru_cache(maxsize=12)  # all sets of a workload, which its contenders use in turn
def _inputs(cell: Cell, number: int, where: Path) -> Inputs:
    further = f"-{number}" if number else ""
    found = arrays(f"inputs-{_key(cell)}{further}", lambda: _named(make(cell, number), number))
    given = Inputs(**from_arrays(found), digest=str(found["digest"]))
    if number:
        given = replace(given, weights=inputs(cell).weights)
    if _GIVEN.setdefault((cell, number, where), given.digest) != given.digest:
        raise RuntimeError(f"inputs of {cell}: got new ones, should be those of before; {where} was emptied")
    return given


def _named(given: Inputs, number: int) -> Arrays:
    """As arrays for the cache; a further set is kept without its weights, which are those of set 0."""
    found = to_arrays(parts := {each.name: getattr(given, each.name) for each in fields(given)[:-1]})
    bits = np.array(digest(found))
    return (to_arrays(parts | {"weights": None}) if number else found) | {"digest": bits}


_LENT: dict[str, str] = {}  # cache keys that another process gave, by cell


def lend(keys: Mapping[str, str]) -> None:
    """Take the inputs of these cells from the cache under the keys of another process, which made them.

    That process may have other sources or another NumPy, and would be compared on inputs that differ.
    """
    _LENT.update(keys)


def lent(cell: Cell, sets: int) -> dict[str, str]:
    """Make sets of a cell's inputs for other processes; the keys for their `lend`."""
    for number in range(1 if pages.case(cell.case).training else sets):
        inputs(cell, number)
    return {str(shared(cell)): _key(shared(cell))}


def _key(cell: Cell) -> str:
    """A cache key of everything that inputs depend on."""
    if str(cell) in _LENT:
        return _LENT[str(cell)]
    case = pages.case(cell.case)
    option = sorted(case.options[cell.option].items())
    parts = (str(cell), cell.seed, sorted(dims(case, cell.size).items()), option, _sources(pages.page(case)))
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]


@cache
def _sources(page: str) -> str:
    return source(
        [
            Path(__file__),
            *(Path(str(each.__file__)) for each in (catalogue, size, tree)),
            *pages.sources(page),
        ]
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


def draw(case: Case, cell: Cell) -> tuple[Tree, dict[str, Any]]:
    """The case's weights and data in float64; case, regime, size and seed determine the generator."""
    rng = np.random.default_rng(seeded(case.name, cell.regime, cell.size, cell.seed))
    whole, edges = cell.regime == INTEGERS, listed(case, cell.regime)
    usual = whole or edges
    extra = {"regime": next(iter(case.regimes)) if usual else cell.regime} if len(case.regimes) > 1 else {}
    with answers.calling(case, "inputs"):
        given = case.inputs(rng, **dims(case, cell.size), **case.options[cell.option], **extra)
    weights, data = answers.pair(case, given)
    if whole:
        found = headline(case, cell.size)
        bits = found.bits if found else _bits(case, cell)
        lone = not any(getattr(x, "dtype", np.dtype(int)).kind == "f" for x in flatten(data).values())
        return integers(weights, bits if lone else 2), integers(data, bits)
    if edges:
        return catalogue.changed(case, cell.regime, rng, weights, data, cell.dtype)
    return weights, data


FEWEST = 1  # bits of whole numbers at sizes that no page lists, whose sums may have many terms


def _bits(case: Case, cell: Cell) -> int:
    bits = case.integers[cell.option]
    return min(bits, FEWEST) if size.is_spelled(cell.size) else bits


def drawn(cell: Cell) -> tuple[Tree, dict[str, Any]]:
    """What `draw` gives, rounded to the cell's dtype, from the cache if any process has drawn it."""
    cell = shared(cell)
    found = arrays(
        f"drawn-{_key(cell)}",
        lambda: to_arrays(list(rounded(draw(pages.case(cell.case), cell), cell.dtype))),
    )
    weights, data = from_arrays(found)
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


def make(cell: Cell, number: int = 0) -> Inputs:
    """Make a set of a cell's inputs, without the cache (a further set needs set 0, which may be cached)."""
    cell = shared(cell)
    if number:
        return _further(cell, number)
    case, option = pages.case(cell.case), pages.case(cell.case).options[cell.option]
    weights, data = rounded(draw(case, cell), cell.dtype)
    if case.training:
        steps = STEPS if headline(case, cell.size) else tuple(range(len(next(iter(data.values())))))
        starts = _trajectory(case, option, weights, data, cell.dtype, steps)
        return Inputs(weights, data, {}, starts, steps)
    exact = {**rounded(data, "float64"), **rounded(weights, "float64")}
    outputs = answers.outputs(case, exact, option)
    rng = np.random.default_rng(seeded(cell.case, cell.regime, cell.size, cell.seed, "cotangents"))
    fixed = case.fixed if len(outputs) > 1 else ()  # a single output may have the name of the targets
    cotangents = {
        name: rng.standard_normal(y.shape)
        for name, y in flatten(outputs).items()
        if y.dtype.kind == "f" and name not in fixed
    }
    cotangents = _usual(case, cell, rng, cotangents)
    if not headline(case, cell.size):  # where it takes seconds; it has been checked at the first size
        answers.differentiate(case, exact, cotangents, option)
    return Inputs(weights, data, rounded(cotangents, cell.dtype))


FORWARD, GRADIENT = "forward.", "gradient."  # as paths of the reference's values start


@lru_cache(maxsize=16)  # contenders and directions ask for the same in turn
def unjudged(cell: Cell, number: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Data and cotangents of a further set for which nothing is expected: no reference runs."""
    case, first = pages.case(cell.case), inputs(cell)
    large = headline(case, cell.size)  # drawing takes seconds there
    data = (None if large else _drawn(case, cell, first, number)) or _rolled(case, first, number)
    return data, _cotangents(cell, first, number)


STEPS = 0, 3  # the steps of a training that are judged at a headline size
OTHER = 7919  # added to the seed for each further set
TRIES = 100  # draws until the shapes are those of set 0


def _further(cell: Cell, number: int) -> Inputs:
    """A further set: the examples of set 0 in another order, or other data and cotangents."""
    case, first = pages.case(cell.case), inputs(cell)
    large = cell.size != next(iter(case.sizes))
    if large and (given := _reordered(case, cell, first, number)):
        return given
    data = _drawn(case, cell, first, number)
    if not large and data is None and (given := _reordered(case, cell, first, number)):
        return given
    return Inputs(first.weights, data or _rolled(case, first, number), _cotangents(cell, first, number))


def _cotangents(cell: Cell, first: Inputs, number: int) -> dict[str, Any]:
    rng = np.random.default_rng(seeded(cell.case, cell.regime, cell.size, cell.seed, "cotangents", number))
    cotangents = {name: rng.standard_normal(np.shape(dy)) for name, dy in first.cotangents.items()}
    return rounded(_usual(pages.case(cell.case), cell, rng, cotangents), cell.dtype)


def _usual(case: Case, cell: Cell, rng: np.random.Generator, cotangents: dict[str, Any]) -> dict[str, Any]:
    """Normal draws as the cotangents that the cell's regime asks for."""
    if cell.regime == INTEGERS:
        return dict(integers(cotangents, 2))
    if listed(case, cell.regime) and (kind := CATALOGUE[cell.regime]).of == COTANGENTS:
        return {name: kind.change(rng, dy, cell.dtype) for name, dy in cotangents.items()}
    return cotangents


def _drawn(case: Case, cell: Cell, first: Inputs, number: int) -> dict[str, Any] | None:
    """Other data of the same shapes, for which programs are compiled; None if the page draws no such data."""
    for seed in range(TRIES):
        other = replace(cell, seed=cell.seed + OTHER * number + seed)
        _, data = rounded(draw(case, other), cell.dtype)
        if tree_map(_like, data) == tree_map(_like, first.data):  # else shapes are drawn too
            differ = any(not np.array_equal(x, first.data[name]) for name, x in data.items())
            return data if differ else None
    return None


def _rolled(case: Case, first: Inputs, number: int) -> dict[str, Any]:
    """The data of set 0 with their numbers at other places."""
    return {
        name: np.roll(x, number) if floating(x) and name not in case.fixed else x
        for name, x in first.data.items()
    }


SAME = 2.0**-40  # float64 results that differ by less, relative to the largest, differ by rounding only


def _reordered(case: Case, cell: Cell, first: Inputs, number: int) -> Inputs | None:
    """The examples of set 0 in reverse order, rotated by `number`, and the negative of their cotangents.

    None unless the reference shows that outputs and gradients then only change their order and sign.
    """
    several = [len(x) for x in first.data.values() if np.ndim(x)]
    if case.reference is None or not several or (length := several[0]) <= number:
        return None
    order = np.roll(np.arange(length)[::-1], number - 1)

    def moved(leaf: Any) -> Any:
        return leaf[order] if np.shape(leaf)[:1] == (length,) else leaf

    other = replace(
        first,
        data={name: moved(x) for name, x in first.data.items()},
        cotangents={name: np.asarray(-moved(dy)) for name, dy in first.cotangents.items()},
        order=order,
        digest="",
    )
    if headline(case, cell.size):  # the reference takes seconds there, and shows the same at the first size
        few = replace(cell, size=next(iter(case.sizes)))
        shown = _reordered(case, few, inputs(few), 1)
        return shown and replace(other, moved=shown.moved)
    option = case.options[cell.option]
    before, after = (
        flatten(answers.values(case, option, *rounded((each.weights, each.data, each.cotangents), "float64")))
        for each in (first, other)
    )
    before |= {path: -y for path, y in before.items() if path.startswith(GRADIENT)}
    finite = [np.max(np.abs(y), initial=0, where=np.isfinite(y)) for y in before.values()]

    def same(one: Any, other: Any) -> bool:
        one, other = np.asarray(one), np.asarray(other)
        equal = (one == other) | (np.isnan(one) & np.isnan(other))
        with np.errstate(invalid="ignore"):  # inf - inf
            return bool((equal | (np.abs(one - other) <= SAME * max(finite))).all())

    held = [path for path, y in before.items() if same(y, after[path])]
    paths = [path for path, y in before.items() if path not in held and same(moved(y), after[path])]
    if len(held) + len(paths) < len(before) or not any(path.startswith(FORWARD) for path in paths):
        return None
    return replace(other, moved=tuple(paths))


def _like(leaf: Any) -> Any:
    return (np.shape(leaf), leaf.dtype) if isinstance(leaf, np.ndarray) else leaf


def _trajectory(
    case: Case, option: Any, weights: Tree, data: Any, dtype: str, steps: tuple[int, ...]
) -> tuple[Any, ...]:
    """The weights, state and batch with which each of these steps of the reference starts."""
    state, starts = answers.started(case, weights, option), {}
    for step in range(steps[-1] + 1):
        starts[step] = (*rounded((weights, state), dtype), batch(data, step))
        if step < steps[-1] or step == 0:  # which also checks the page's step
            exact = rounded(starts[step], "float64")
            weights, state = answers.stepped(case, exact[0], exact[1], exact[2], option)
    return tuple(starts[step] for step in steps)


def seeded(*parts: Any) -> int:
    return zlib.crc32("/".join(map(str, parts)).encode())
