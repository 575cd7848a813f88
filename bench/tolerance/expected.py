"""The expected outputs of a cell: the reference's values, and the spread that rounding gives each element."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from bench import answers, noise, pages
from bench.cache import Arrays, arrays, folder, source
from bench.case import INTEGERS, known
from bench.cells.cell import Cell
from bench.inputs import GRADIENT, Inputs, inputs, rounded, seeded, shared
from bench.noise import ACCUMULATORS, precision
from bench.size import dims, headline, varied
from bench.tolerance import carried
from bench.tolerance import shared as shared_module
from bench.tolerance import spread as spread_module
from bench.tolerance.carried import Carried
from bench.tolerance.spread import Expected, from_arrays, spread, to_arrays
from bench.tree import Tree, flatten, tree_map

Expectation = dict[str, Expected]


def expectation(
    cell: Cell,
    *,
    worst: bool = False,
    accumulator: str | None = None,
    number: int = 0,
    own: bool = False,
) -> Expectation:
    """Values and spreads by tensor, from the cache if they were derived before from the same inputs.

    Paths are ``forward.<output>`` and ``gradient.<input>``, or ``training.<step>.…``. `worst`
    replaces the rounding of every sum by its worst case. `accumulator` is the dtype of sums; the default is
    the widest that the cell's dtype may have. `number` is the set of inputs: see `bench.inputs.inputs`.
    At the size of a headline it has only the cell's direction, because the other may take minutes. There
    elements share few draws, unless each is to have its `own`, which takes minutes too.
    """
    if not cell.direction and _apart(cell):
        found = Expectation()
        for each in pages.case(cell.case).directions:
            one = replace(cell, direction=each)
            found |= expectation(one, worst=worst, accumulator=accumulator, number=number, own=own)
        return found
    mine, accumulator = common(cell), accumulator or ACCUMULATORS[cell.dtype]
    if number and (given := inputs(mine, number)).order is not None:  # the examples of set 0
        first = expectation(mine, worst=worst, accumulator=accumulator, own=own)
        return {path: _image(path, one, given) for path, one in first.items()}
    name = key(mine, worst, accumulator, number)
    if shares(cell) and accumulator == cell.dtype and not own:
        return dict(_together(folder(), name, mine, worst, number))
    return dict(_expectation(folder(), name, mine, worst, accumulator, number))


def common(cell: Cell) -> Cell:
    """The cell with only the fields that its expectation depends on."""
    return replace(shared(cell), direction=cell.direction) if _apart(cell) else shared(cell)


def _apart(cell: Cell) -> bool:
    """Whether each direction of the cell has an expectation of its own."""
    case = pages.case(cell.case)
    return len(case.directions) > 1 and headline(case, cell.size) is not None


@lru_cache(maxsize=6)  # both directions, their saboteurs and all contenders use the same sets in turn
def _expectation(
    where: Path, name: str, common: Cell, worst: bool, accumulator: str, number: int
) -> Expectation:
    return from_arrays(arrays(name, lambda: to_arrays(derive(common, worst, accumulator, number))))


def shares(cell: Cell) -> bool:
    """Whether the elements of a cell's tensors share few draws: at the size of a headline."""
    given = cell.dtype == "float32" and cell.regime != INTEGERS
    return given and headline(pages.case(cell.case), cell.size) is not None


GROWTH = "growth"  # the folder of those that only a curve of time over size needs
SHARED = "shared-"  # begins the name of a cache entry with spreads that elements share


@lru_cache(maxsize=2)  # it may take gigabytes
def _together(where: Path, name: str, common: Cell, worst: bool, number: int) -> Expectation:
    """Values from one run of the reference, and spreads that are carried with the pages or derived here."""
    found = arrays(f"{SHARED}{name}", lambda: _stored(_shared(common, worst, number)))
    return {
        path: replace(one, jump=np.broadcast_to(one.jump, one.value.shape))
        for path, one in from_arrays(found).items()
    }


def _shared(cell: Cell, worst: bool, number: int) -> Expectation:
    found, values = spreads(cell, number, worst), _values(cell, number)
    return {path: one.expected(values[path]) for path, one in found.items()}


def _values(cell: Cell, number: int) -> dict[str, Any]:
    """The reference's values by path."""
    with answers.calling(pages.case(cell.case), "formula"):
        return {
            f"{prefix}{path}": np.asarray(y, dtype=np.float64)
            for prefix, function, trees in formulas(cell, number)
            for path, y in flatten(function(*rounded(trees, "float64"))).items()
        }


def _stored(found: Expectation) -> Arrays:
    """As arrays for the cache, which take a gigabyte for ten million weights and their moments.

    Spreads are kept in float32, which has more digits than they do, and a jump that no element has as one 0.
    """
    kept = to_arrays({path: replace(one, jump=_brief(one.jump)) for path, one in found.items()})
    return {name: _narrow(x) if name.startswith("sigma") else x for name, x in kept.items()}


def _brief(jump: Any) -> Any:
    return jump if jump.any() else np.zeros((1,) * jump.ndim)


def _narrow(spread: Any) -> Any:
    with np.errstate(under="ignore"):
        narrow = spread.astype(np.float32)
    if narrow.min(initial=1) == 0:  # what rounding moves must not seem fixed
        narrow[(narrow == 0) & (spread > 0)] = np.finfo(np.float32).tiny
    return narrow


def spreads(cell: Cell, number: int = 0, worst: bool = False) -> dict[str, Carried]:
    """How far rounding may move the elements of a headline: carried with the pages, or from the cache.

    In the worst case of every sum it is derived when a cell needs it.

    At its larger size, on a GPU, elements of the same value and place move like those of the smaller one.
    """
    cell, case = common(cell), pages.case(cell.case)
    mine = headline(case, cell.size)
    if mine and mine.gpu and cell.size == varied(case, mine, mine.gpu):
        return spreads(replace(cell, size=mine.size), worst=worst)
    name = spread_key(cell)
    file = place(cell, number)
    if not worst and (found := carried.load(file, name)):
        return found
    path = folder() / f"spread-{name}-{number}{'-worst' * worst}.npz"
    if not (found := carried.load(path, name)):
        found = derive_shared(cell, number, worst)
        carried.save(path, name, found)
    return found


def place(cell: Cell, number: int) -> Path:
    """The file with the spreads of a headline, or of a size of its curve of time over size."""
    grown = headline(pages.case(cell.case), cell.size)
    file = carried.file(cell.place.replace(":", "_"), cell.direction, number)
    return file if grown is None or cell.size == grown.size else file.parent / GROWTH / file.name


def derive_shared(cell: Cell, number: int = 0, worst: bool = False) -> dict[str, Carried]:
    """Derive what `spreads` returns."""
    cell = common(cell)
    case, found, seed = pages.case(cell.case), dict[str, Carried](), _seed(cell, number)
    for step, (prefix, function, trees) in enumerate(formulas(cell, number)):
        with answers.calling(case, "step" if case.training else "formula"):
            some = carried.few(
                function, trees, dtype=cell.dtype, accumulator=ACCUMULATORS[cell.dtype], seed=seed + step,
                worst=worst,
            )  # fmt: skip
        found |= {f"{prefix}{path}": one for path, one in some.items()}
    return found


def _seed(cell: Cell, number: int) -> int:
    return seeded(*map(str, (cell, "noise", *([number] if number else []))))


def spread_key(cell: Cell) -> str:
    """A hash of what the spreads of a cell depend on, but for the last bits of its inputs."""
    case = pages.case(cell.case)
    parts = (str(common(cell)), sorted(dims(case, cell.size).items()), _spread_source(pages.page(case)))
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]


def _image(path: str, one: Expected, given: Inputs) -> Expected:
    """The expected values and spreads of the same examples in another order."""
    if path in given.moved:
        arrays = {name: getattr(one, name)[given.order] for name in ("value", "sigma", "sigma1", "jump")}
        one = replace(one, **arrays)
    return replace(one, value=-one.value) if path.startswith(GRADIENT) else one


def derive(cell: Cell, worst: bool = False, accumulator: str | None = None, number: int = 0) -> Expectation:
    """Derive what `expectation` returns, without the cache."""
    cell = common(cell)
    case, found = pages.case(cell.case), Expectation()
    seed = _seed(cell, number)
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
        both = partial(answers.values, case, option, direction=cell.direction if _apart(cell) else "")
        return [("", both, (given.weights, given.data, given.cotangents))]
    return [(f"training.{step}.", one, start) for step, start in enumerate(given.starts)]


def _exact(function: Callable[..., Tree], trees: tuple[Tree, ...], cell: Cell) -> Expectation:
    """The values on integers, with zero tolerance. Raises ValueError if a sum could need rounding."""
    values = flatten(function(*rounded(trees, "float64")))
    sizes = flatten(function(*tree_map(_size, rounded(trees, "float64"))))
    largest = 2.0 ** precision(cell.dtype).bits
    for path, y in flatten(function(*rounded(trees, cell.dtype))).items():
        if not np.array_equal(y, values[path]) or 4 * np.max(np.abs(sizes[path]), initial=0) > largest:
            case = pages.case(cell.case)
            bits = found.bits if (found := headline(case, cell.size)) else case.integers[cell.option]
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
    """A hash of the code behind an expectation: that of its spread, and what calls it."""
    return source([Path(__file__), Path(str(answers.__file__)), *_spreading(page)])


@cache
def _spread_source(page: str) -> str:
    return source(_spreading(page))


def _spreading(page: str) -> list[Path]:
    """The code behind a spread: the noise, the spread, the page and its reference."""
    rules = sorted(Path(str(noise.__file__)).parent.glob("*.py"))
    own = (Path(str(each.__file__)) for each in (spread_module, shared_module, carried))
    return [*rules, *own, *pages.sources(page)]
