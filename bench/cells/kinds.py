"""What fits a formula of the inputs and sizes at the edges, and which one a default run adds; kept on disk.

Drawing inputs of every formula would take seconds at each start. A formula that had none is asked again: it
may have lacked a package.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple
from zlib import crc32

from bench import pages
from bench.cache import kept, source
from bench.case import Case
from bench.cells.catalogue import fitting, vanishes
from bench.cells.shapes import shapes, sweeps


class Edges(NamedTuple):
    """What fits an option: kinds of inputs, sizes, and many sizes if its results are whole numbers."""

    kinds: Sequence[str]
    shapes: Sequence[str]
    sweeps: Sequence[str]


def kinds(case: Case, seed: int) -> Iterator[str]:
    """What `kind_of` gives; from the cache for a page on disk."""
    known = _every_kind(seed).get(case.name) if _on_disk(case) else None
    yield from [known] if known else kind_of(case, seed)


def kind_of(case: Case, seed: int) -> Iterator[str]:
    """The kind of input that a default run adds to a formula, if any fits."""
    usual = next(iter(case.options))
    fits = fitting(case, usual)
    start = crc32(f"{case.name}/{seed}".encode()) % max(len(fits), 1)
    turned = (kind for kind in (*fits[start:], *fits[:start]) if not vanishes(case, usual, kind))
    yield from islice(turned, 1)


def edges(case: Case) -> dict[str, Edges]:
    """What `edges_of` gives; from the cache for a page on disk."""
    known = _every_edge().get(case.name) if _on_disk(case) else None
    return {option: Edges(*found) for option, found in known.items()} if known else edges_of(case)


def edges_of(case: Case) -> dict[str, Edges]:
    """By option, what fits it of the edges."""
    return {
        each: Edges(
            fitting(case, each), shapes(case, each), sweeps(case, each) if each in case.integers else []
        )
        for each in case.options
    }


def _on_disk(case: Case) -> bool:
    return pages.cases().get(case.name) is case


@cache
def _every_kind(seed: int) -> Mapping[str, str]:
    return _kept(f"kinds-{seed}", lambda case: next(kind_of(case, seed), None))


@cache
def _every_edge() -> Mapping[str, Mapping[str, Sequence[Sequence[str]]]]:
    def found(case: Case) -> Mapping[str, Edges] | None:
        fits = edges_of(case)
        return fits if any(map(any, fits.values())) else None

    return _kept("edges", found)


def _kept(name: str, of: Callable[[Case], Any]) -> Any:
    """By formula, what there is of each, from the cache unless a page or a rule has changed."""
    rules = sorted(Path(__file__).parent.glob("*.py"))

    def drawn() -> str:
        found = ((case.name, of(case)) for case in pages.cases().values())
        return json.dumps({case: each for case, each in found if each is not None})

    return json.loads(kept(f"{name}-{source([*rules, *pages.files()])}", drawn))
