"""The sets of inputs that rotate under a timed call, and the places in memory that small ones move over."""

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Any

import numpy as np

from bench import pages
from bench.backends import Backend, Bound
from bench.cells.cell import Cell
from bench.contender.prepare import Ready, taken
from bench.inputs import draw, inputs, rounded, shared
from bench.machine.caches import last_level
from bench.speed.work import traffic
from bench.tree import Tree, tree_map

SETS = 3  # of inputs that rotate
MOST = 8  # on a GPU, where calls on fewer find their inputs in its cache
COLD = 3  # times the last level of cache, at which nothing is found there
ROOM = 2**30  # bytes that they may take together
FRESH = 3  # sets that no call has seen before the last samples were taken
OTHER = 7919  # added to the seed for each other set
PLACES = 5  # in memory, where inputs are so small that it decides a speed, which should not hang on one
SMALL = 2**18  # bytes


@dataclass(frozen=True)
class Sets:
    """A contender's call with each set bound: those that rotate, at another place, and unseen ones."""

    bound: Sequence[Bound]
    elsewhere: Callable[[], Sequence[Bound]] | None  # the same inputs at another place in memory
    fresh: Callable[[], Sequence[Bound]]


def sets(kept: Ready, unit: Cell, direction: str) -> Sets:
    """Bind a contender that stands ready; the first set is what is judged."""
    engine = kept.engine
    if direction == "forward":
        bind = engine.bind(kept.run, unit.mode)
    else:
        bind = engine.bind_vjp(kept.vjp, kept.run, unit.mode, kept.wrt)
    given = (kept.params, kept.data, kept.cotangents)
    others = [
        drawn(shared(unit), number) for number in range(1, rotating(engine.device, traffic(*given[1:])))
    ]

    def places() -> Iterator[list[Bound]]:
        held = engine.get(given)
        for _ in range(PLACES):
            params, *first = _copied(held)
            params = engine.put(params)
            yield [bind(params, *put(engine, unit, *each)) for each in (first, *map(_copied, others))]

    turns = [given[1:], *(put(engine, unit, *each) for each in others)]
    return Sets(
        [bind(kept.params, *each) for each in turns],
        elsewhere=partial(next, itertools.cycle(places())) if traffic(*given) <= SMALL else None,
        fresh=lambda: [
            bind(kept.params, *put(engine, unit, *drawn(shared(unit), MOST + number)))
            for number in range(FRESH)
        ],
    )


def rotating(device: str, size: int) -> int:
    """How many sets of so many bytes go round: on a GPU enough to leave its cache, where `MOST` do that."""
    if device == "cpu":
        return SETS
    enough = math.ceil(COLD * last_level(device) / max(size, 1))
    return max(SETS, enough) if enough <= min(MOST, ROOM // max(size, 1)) else SETS


def put(engine: Backend, unit: Cell, data: Tree, cotangents: Tree) -> tuple[Any, Any]:
    """Data as a run is given them, and cotangents on the device."""
    return taken(engine, pages.case(unit.case), data), engine.put(dict(cotangents))


@lru_cache(maxsize=MOST + FRESH)  # contenders and directions ask for the same in turn
def drawn(cell: Cell, number: int) -> tuple[Any, Any]:
    """The n-th other draw of the data and cotangents; where shapes are drawn too, the judged data once more.

    Programs are compiled for shapes, and a data set of other ones would be another program.
    """
    given = inputs(cell)
    _, data = rounded(draw(pages.case(cell.case), replace(cell, seed=cell.seed + OTHER * number)), cell.dtype)
    if tree_map(_kind, data) != tree_map(_kind, given.data):
        data = given.data
    rng = np.random.default_rng(number)
    vectors = {name: rng.standard_normal(y.shape).astype(y.dtype) for name, y in given.cotangents.items()}
    return data, vectors


def _copied(tree: Tree) -> Tree:
    return tree_map(lambda leaf: leaf.copy() if isinstance(leaf, np.ndarray) else leaf, tree)


def _kind(leaf: Any) -> Any:
    return (leaf.shape, leaf.dtype) if isinstance(leaf, np.ndarray) else leaf
