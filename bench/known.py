"""Known departures and refusals of the frameworks, held against what a run found: none goes stale unseen."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from fnmatch import fnmatchcase
from typing import Any

from packaging.specifiers import SpecifierSet

from bench import pages
from bench.backends import Backend
from bench.case import Contender, Limit
from bench.cell import Cell
from bench.verdict import Agreement


def limits(unit: Cell, engine: Backend, direction: str) -> list[Limit]:
    """The limits of the page that name this cell and this version."""
    fields = {**asdict(unit), "direction": direction}
    return [
        limit
        for limit in pages.case(unit.case).limits
        if limit.backend in engine.lineage()
        and SpecifierSet(limit.versions).contains(engine.version.split("+")[0], prereleases=True)
        and all(fields[name] in ([x] if isinstance(x, str) else x) for name, x in _named(limit).items())
    ]


def _named(limit: Limit) -> Mapping[str, Any]:
    """What a limit covers: unless it names them, no dtypes in which rounding may hide what it is about."""
    return {"dtype": ("float64", "float32"), **limit.cells}


def settle(agreement: Agreement, known: Sequence[Limit]) -> dict[str, str]:
    """Status and why, once the known limits are taken into account; a stale or a worse one fails."""
    if agreement.status == "agrees":
        stale = [limit for limit in known if limit.always]
        if not stale:
            return {"status": "agrees", "why": ""}
        return {
            "status": "disagrees",
            "why": f"stale limit: the cell agrees, but a Limit says: {stale[0].reason}",
        }
    if agreement.status == "mistrusted" or not known:
        return {"status": agreement.status, "why": agreement.why}
    for limit in known:
        if limit.z[0] <= (agreement.z_rms or 0) <= limit.z[1]:
            named = {"source": limit.source, "versions": limit.versions}
            return {"status": "limited", "why": limit.reason, **named}
    low, high = known[0].z
    why = f"outside its Limit's z of {low:g} to {high:g}: {agreement.why}"
    return {"status": "disagrees", "why": why}


def refusal(contender: Contender, unit: Cell, direction: str) -> str | None:
    """The words with which the framework is known to refuse this cell."""
    place = f"{unit.option}/{unit.mode}/{unit.device}/{unit.dtype}/{direction}"
    return next((words for glob, words in contender.refuses.items() if fnmatchcase(place, glob)), None)
