"""Known departures and refusals of the frameworks, held against what a run found: none goes stale unseen."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from fnmatch import fnmatchcase
from itertools import product
from typing import Any

from packaging.specifiers import SpecifierSet

from bench import pages
from bench.backends import FURTHER, Backend, backend
from bench.case import INTEGERS, Case, Contender, Limit
from bench.cell import Cell
from bench.selection import Selection, cells
from bench.size import corpus
from bench.verdict import Agreement


def limits(unit: Cell, engine: Backend, direction: str) -> list[Limit]:
    """The limits of the page that name this cell and this version."""
    fields = {**asdict(unit), "direction": direction}
    return [
        limit
        for limit in pages.case(unit.case).limits
        if limit.backend in engine.lineage() and released(limit, engine.version) and covers(limit, fields)
    ]


def released(limit: Limit, version: str) -> bool:
    """Whether the limit speaks of that release."""
    return SpecifierSet(limit.versions).contains(version.split("+")[0], prereleases=True)


def covers(limit: Limit, fields: Mapping[str, Any]) -> bool:
    """Whether the limit names the cell, or the row, that has these fields."""
    return all(fields[name] in several(value) for name, value in _named(limit).items())


def _named(limit: Limit) -> Mapping[str, Any]:
    """What a limit covers: unless it names them, no dtypes in which rounding may hide what it is about."""
    return {"dtype": ("float64", "float32"), **limit.cells}


def settle(agreement: Agreement, known: Sequence[Limit]) -> dict[str, str]:
    """Status and why, once the known limits are taken into account; a stale or a worse one fails."""
    known = [limit for limit in known if not limit.varies]
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
            return _limited(limit)
    low, high = known[0].z
    why = f"outside its Limit's z of {low:g} to {high:g}: {agreement.why}"
    return {"status": "disagrees", "why": why}


def unsteady(fault: str, known: Sequence[Limit]) -> dict[str, str]:
    """Status and why of a cell whose second call broke what must hold bit by bit."""
    for limit in known:
        if limit.varies:
            return _limited(limit)
    return {"status": "disagrees", "why": fault}


def _limited(limit: Limit) -> dict[str, str]:
    return {
        "status": "limited",
        "why": limit.reason,
        "source": limit.source,
        "versions": limit.versions,
    }


def refusal(contender: Contender, unit: Cell, direction: str) -> str | None:
    """The words with which the framework is known to refuse this cell."""
    place = f"{unit.option}/{unit.mode}/{unit.device}/{unit.dtype}/{direction}"
    return next((words for glob, words in contender.refuses.items() if fnmatchcase(place, glob)), None)


def strays(case: Case) -> Iterator[str]:
    """Where a case's limits, options left out and refusals name what its page does not have."""
    for contender in case.contenders:
        who, engine = f"{case.name}, {contender}", backend(contender.backend)
        for option in contender.without:
            if option not in [*case.options, *case.sizes]:
                known = ", ".join([*case.options, *case.sizes])
                yield f"{who}: without names {option!r}, should be one of {known}"
        modes = [mode for mode in engine.modes if mode in (contender.modes or engine.modes)]
        expressed = [option for option in case.options if option not in contender.without]
        directions = contender.directions or case.directions
        places = list(map("/".join, product(expressed, modes, engine.devices, engine.dtypes, directions)))
        for glob in contender.refuses:
            if not any(fnmatchcase(place, glob) for place in places):
                yield f"{who}: refuses {glob!r}, which is none of its cells, such as {places[0]}"
    for limit in case.limits:
        yield from _astray(case, limit)


def _astray(case: Case, limit: Limit) -> Iterator[str]:
    """What a limit names that is not on its page; a limit of no cell at all, where each name is there."""
    who, engine = f"{case.name}, limit of {limit.backend}", backend(limit.backend)
    heirs = [engine, *(each for each in map(backend, FURTHER) if limit.backend in each.lineage())]
    right = {
        "case": [case.name],
        "option": case.options,
        "regime": [*case.regimes, *([INTEGERS] if case.integers else [])],
        "size": [*case.sizes, *corpus(case)],
        "contender": [str(each) for heir in heirs for each in heir.contenders(case)],
        "mode": engine.modes,
        "device": engine.devices,
        "dtype": engine.dtypes,
        "direction": case.directions,
    }
    wrong = [
        f"{who}: its {name} is {value!r}, should be one of {', '.join(right[name])}"
        for name, values in limit.cells.items()
        for value in several(values)
        if value not in right[name]
    ]
    if not (wrong or named(case, limit, engine.devices, engine.dtypes)):
        wrong = [f"{who}: {limit.reason!r} names no cell; its names never meet"]
    yield from wrong


def named(case: Case, limit: Limit, devices: Sequence[str], dtypes: Sequence[str]) -> list[Cell]:
    """The cells, of all that can be asked for, that the limit names and that their contender can express."""
    modes = backend(limit.backend).modes
    every = Selection((limit.backend,), devices, dtypes, modes, tuple(case.sizes), full=True)
    without = {str(each): each.without for each in backend(limit.backend).contenders(case)}
    return [
        cell
        for cell in cells([case], every)
        if covers(limit, asdict(cell)) and cell.option not in without[cell.contender]
    ]


def several(value: Any) -> Sequence[str]:
    """The one value, or the values, that a limit gives for a field."""
    return [value] if isinstance(value, str) else value
