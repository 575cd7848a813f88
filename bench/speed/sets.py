"""The sets of inputs that timed calls rotate through, and the addresses that small inputs move over."""

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

SETS = 3  # sets of inputs in the rotation
MOST = 8  # most sets on a GPU, used where fewer would stay in its cache
COLD = 3  # times the last-level cache: that many bytes of sets leave nothing in the cache
ROOM = 2**30  # most bytes of all sets
FRESH = 3  # sets that are kept unseen until sampling has ended
OTHER = 7919  # added to the seed for each further set
PLACES = 5  # addresses of small inputs: their speed depends on the address, and should not on one
SMALL = 2**18  # bytes


@dataclass(frozen=True)
class Sets:
    """A contender's call bound to each set of inputs."""

    bound: Sequence[Bound]  # in the rotation
    elsewhere: Callable[[], Sequence[Bound]] | None  # the same inputs at other addresses
    fresh: Callable[[], Sequence[Bound]]  # unseen inputs


def sets(kept: Ready, unit: Cell, direction: str) -> Sets:
    """Bind a prepared contender to its sets; the first set is the one that is judged."""
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
    """The number of sets of `size` bytes: on a GPU enough to exceed its cache, if `MOST` sets can."""
    if device == "cpu":
        return SETS
    enough = math.ceil(COLD * last_level(device) / max(size, 1))
    return max(SETS, enough) if enough <= min(MOST, ROOM // max(size, 1)) else SETS


def put(engine: Backend, unit: Cell, data: Tree, cotangents: Tree) -> tuple[Any, Any]:
    """The data as a run takes them, and the cotangents on the device."""
    return taken(engine, pages.case(unit.case), data), engine.put(dict(cotangents))


@lru_cache(maxsize=MOST + FRESH)  # contenders and directions ask for the same in turn
def drawn(cell: Cell, number: int) -> tuple[Any, Any]:
    """Further set number `number`: data and cotangents; the judged data again if shapes are drawn too.

    Programs are compiled for shapes, and data of other shapes would need another program.
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
