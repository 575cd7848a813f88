"""The kind of input that a default run adds to a formula; the seed chooses it."""

import json
from collections.abc import Iterator
from functools import cache
from itertools import islice
from pathlib import Path
from zlib import crc32

from bench import pages
from bench.cache import kept, source
from bench.case import Case
from bench.cells.catalogue import fitting, vanishes


def kinds(case: Case, seed: int) -> Iterator[str]:
    """What `kind_of` gives; from the cache for a page on disk, because drawing would take seconds each time.

    A formula that had none is asked again: it may have lacked a package.
    """
    known = _every(seed).get(case.name) if pages.cases().get(case.name) is case else None
    yield from [known] if known else kind_of(case, seed)


def kind_of(case: Case, seed: int) -> Iterator[str]:
    """The kind of input that a default run adds to a formula, if any fits."""
    usual = next(iter(case.options))
    fits = fitting(case, usual)
    start = crc32(f"{case.name}/{seed}".encode()) % max(len(fits), 1)
    turned = (kind for kind in (*fits[start:], *fits[:start]) if not vanishes(case, usual, kind))
    yield from islice(turned, 1)


@cache
def _every(seed: int) -> dict[str, str]:
    found = pages.cases().values()
    rules = sorted(Path(__file__).parent.glob("*.py"))
    drawn = kept(
        f"kinds-{seed}-{source([*rules, *pages.files()])}",
        lambda: json.dumps({case.name: kind for case in found for kind in kind_of(case, seed)}),
    )
    return {str(name): str(kind) for name, kind in json.loads(drawn).items()}
