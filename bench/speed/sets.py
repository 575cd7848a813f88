"""The sets of inputs that timed calls rotate through, and the addresses that small inputs move over.

Set 0 and the further sets of `bench.inputs` have expected values: what the last call of a block gives is
judged, and blocks end on each of these sets, and on some that are not in the rotation, in random order. A
contender that keeps results cannot foresee them.
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
from bench.speed.work import traffic
from bench.tree import Tree, tree_map

SETS = 3  # sets of inputs in the rotation
MOST = 8  # most sets on a GPU, used where fewer would stay in its cache
COLD = 3  # times the last-level cache: that many bytes of sets leave nothing in the cache
ROOM = 2**30  # most bytes of all sets
UNSEEN = 2  # sets on which blocks end, beside those of the rotation
JUDGED = SETS + UNSEEN
FRESH = 9  # sets that are kept unseen until sampling has ended
PLACES = 5  # addresses of small inputs: their speed depends on the address, and should not on one
SMALL = 2**18  # bytes

Placed = Sequence[tuple[Any, Any, Any]]  # params, data and cotangents of each set, on the device


@dataclass(frozen=True)
class Sets:
    """A contender's call bound to each set of inputs: those in the rotation, then those that only end blocks.

    rotating: the number of those in the rotation.
    placed: what the calls are bound to.
    elsewhere: the same inputs at other addresses, and the calls bound to them.
    fresh: unseen inputs in turn, each with the call bound to it.
    """

    bound: Sequence[Bound]
    rotating: int
    placed: Placed
    elsewhere: Callable[[], tuple[Sequence[Bound], Placed]] | None
    fresh: Callable[[], Iterator[tuple[Bound, Any]]]


def sets(kept: Ready, unit: Cell, direction: str) -> Sets:
    """Bind a prepared contender to its sets."""
    engine, cell = kept.engine, shared(unit)
    if direction == "forward":
        bind = engine.bind(kept.run, unit.mode)
    else:
        bind = engine.bind_vjp(kept.vjp, kept.run, unit.mode, kept.wrt)
    count = rotating(engine.device, traffic(kept.data, kept.cotangents))
    further = [inputs(cell, number) for number in range(1, count + UNSEEN)]
    others = [(dict(each.data), dict(each.cotangents)) for each in further]

    def places() -> Iterator[tuple[list[Bound], Placed]]:
        held = engine.get((kept.params, kept.data, kept.cotangents))
        for _ in range(PLACES):
            params, *first = _copied(held)
            params = engine.put(params)
            placed = [(params, *put(engine, unit, *each)) for each in (first, *map(_copied, others))]
            yield [bind(*each) for each in placed], placed

    def fresh() -> Iterator[tuple[Bound, Any]]:
        few = UNSEEN if traffic(kept.data) > SMALL else FRESH
        for number in range(few):
            data, cotangents = put(engine, unit, *unjudged(cell, count + UNSEEN + number))
            yield bind(kept.params, data, cotangents), (data, cotangents)

    placed = [
        (kept.params, *each)
        for each in ((kept.data, kept.cotangents), *(put(engine, unit, *each) for each in others))
    ]
    small = traffic(kept.params, kept.data, kept.cotangents) <= SMALL
    again = partial(next, itertools.cycle(places())) if small else None
    return Sets([bind(*each) for each in placed], count, placed, again, fresh)


def rotating(device: str, size: int) -> int:
    """The number of sets of `size` bytes: on a GPU enough to exceed its cache, if `MOST` sets can."""
    if device == "cpu":
        return SETS
    enough = math.ceil(COLD * last_level(device) / max(size, 1))
    return max(SETS, enough) if enough <= min(MOST, ROOM // max(size, 1)) else SETS


def put(engine: Backend, unit: Cell, data: Tree, cotangents: Tree) -> tuple[Any, Any]:
    """The data as a run takes them, and the cotangents on the device."""
    return taken(engine, pages.case(unit.case), data), engine.put(dict(cotangents))


def _copied(tree: Tree) -> Tree:
    return tree_map(lambda leaf: leaf.copy() if isinstance(leaf, np.ndarray) else leaf, tree)
