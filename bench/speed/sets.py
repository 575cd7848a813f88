"""The sets of inputs that timed calls rotate through, and the addresses that small inputs move over.

Set 0 and the further sets of `bench.inputs` have expected values: what the last call of a block gives is
judged, and blocks end on each of these sets, and on some that are not in the rotation, in random order. A
contender that keeps results cannot foresee them. At the size of a headline the rotation has copies of these
sets too, so many that none is left in the last-level cache when its turn comes.
"""

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from bench import pages
from bench.backends import Backend, Bound
from bench.cells.cell import Cell
from bench.contender.prepare import Ready, taken
from bench.inputs import inputs, shared, unjudged
from bench.machine.caches import last_level
from bench.size import headline
from bench.speed.work import traffic
from bench.tree import Tree, tree_map

SETS = 3  # sets of inputs in the rotation
MOST = 8  # most sets on a GPU, used where fewer would stay in its cache
COLD = 3  # times the last-level cache: that many bytes of sets leave nothing in the cache
COPIES = 512  # most sets in a rotation
ROOM = 2**30  # most bytes of all sets
UNSEEN = 2  # sets on which blocks end, beside those of the rotation
FEWER = 2, 1  # the same two numbers at the size of a headline, where a set takes seconds to judge
FRESH = 9  # sets that are kept unseen until sampling has ended
PLACES = 5  # addresses of small inputs: their speed depends on the address, and should not on one
SMALL = 2**18  # bytes

Placed = Sequence[tuple[Any, Any, Any]]  # params, data and cotangents of each set, on the device


@dataclass(frozen=True)
class Sets:
    """A contender's call bound to each set of inputs: those in the rotation, then those that only end blocks.

    rotating: the number of those in the rotation.
    copies: further calls in the rotation, bound to copies of those sets.
    placed: what the calls are bound to.
    elsewhere: the same inputs at other addresses, and the calls bound to them.
    fresh: unseen inputs in turn, each with the call bound to it.
    few: how many of them are enough, unless they take longer than seen ones.
    """

    bound: Sequence[Bound]
    rotating: int
    copies: Sequence[Bound]
    placed: Placed
    elsewhere: Callable[[], tuple[Sequence[Bound], Placed]] | None
    fresh: Callable[[], Iterator[tuple[Bound, Any]]]
    few: int


def sets(kept: Ready, unit: Cell, direction: str) -> Sets:
    """Bind a prepared contender to its sets."""
    engine, cell = kept.engine, shared(unit)
    if direction == "forward":
        bind = engine.bind(kept.run, unit.mode)
    else:
        bind = engine.bind_vjp(kept.vjp, kept.run, unit.mode, kept.wrt)
    size, (least, unseen) = traffic(kept.data, kept.cotangents), counts(cell)
    count = rotating(engine.device, size, least)
    further = [inputs(cell, number) for number in range(1, count + unseen)]
    others = [(dict(each.data), dict(each.cotangents)) for each in further]

    def places() -> Iterator[tuple[list[Bound], Placed]]:
        held = engine.get((kept.params, kept.data, kept.cotangents))
        for _ in range(PLACES):
            params, *first = _copied(held)
            params = engine.put(params)
            placed = [(params, *put(engine, unit, *each)) for each in (first, *map(_copied, others))]
            yield [bind(*each) for each in placed], placed

    def fresh() -> Iterator[tuple[Bound, Any]]:
        for number in range(FRESH):
            data, cotangents = put(engine, unit, *unjudged(cell, count + unseen + number))
            yield bind(kept.params, data, cotangents), (data, cotangents)

    placed = [
        (kept.params, *each)
        for each in ((kept.data, kept.cotangents), *(put(engine, unit, *each) for each in others))
    ]
    small = traffic(kept.params, kept.data, kept.cotangents) <= SMALL
    again = partial(next, itertools.cycle(places())) if small else None
    copies = []
    if headline(pages.case(cell.case), cell.size):
        first = inputs(cell)
        rotated = [(dict(first.data), dict(first.cotangents)), *others[: count - 1]]
        for number in range(count, _cold(engine.device, traffic(kept.params), size)):
            copies.append(bind(kept.params, *put(engine, unit, *_copied(rotated[number % count]))))
    few = unseen if traffic(kept.data) > SMALL else FRESH
    return Sets([bind(*each) for each in placed], count, copies, placed, again, fresh, few)


def counts(cell: Cell) -> tuple[int, int]:
    """The number of judged sets in the rotation, and of those on which blocks end besides."""
    return FEWER if headline(pages.case(cell.case), cell.size) else (SETS, UNSEEN)


def judged(cell: Cell) -> int:
    """The number of sets that are judged when a cell is timed."""
    return sum(counts(cell))


def rotating(device: str, size: int, least: int = SETS) -> int:
    """The number of sets of `size` bytes: on a GPU enough to exceed its cache, if `MOST` sets can."""
    if device == "cpu" or least < SETS:
        return least
    enough = math.ceil(COLD * last_level(device) / max(size, 1))
    return max(least, enough) if enough <= min(MOST, ROOM // max(size, 1)) else least


def _cold(device: str, params: int, size: int) -> int:
    """The number of sets of `size` bytes that, with the parameters, leave nothing in the cache."""
    enough = math.ceil((COLD * last_level(device) - params) / max(size, 1))
    return min(enough, COPIES, ROOM // max(size, 1))


def put(engine: Backend, unit: Cell, data: Tree, cotangents: Tree) -> tuple[Any, Any]:
    """The data as a run takes them, and the cotangents on the device."""
    return taken(engine, pages.case(unit.case), data), engine.put(dict(cotangents))


def _copied(tree: Tree) -> Tree:
    return tree_map(lambda leaf: leaf.copy() if isinstance(leaf, np.ndarray) else leaf, tree)
