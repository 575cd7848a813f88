"""Applies known departures (Limits) and refusals to what a run found, and reports stale ones."""

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from fnmatch import fnmatchcase
from itertools import product
from typing import Any

from bench import pages
from bench.backends import FURTHER, SHIPPED, Backend, backend
from bench.backends.lookup import names
from bench.case import INTEGERS, Case, Contender, Limit, Refusal
from bench.cells.catalogue import CATALOGUE, listed
from bench.cells.cell import Cell
from bench.cells.selection import Selection, cells
from bench.contender.prepare import find
from bench.size import is_spelled
from bench.slip import choice
from bench.store.source import split
from bench.verdict.compare import Agreement

# the coordinates that decide the size of a departure, most important first; modes and seeds do not count
ALIKE = ("case", "dtype", "direction", "regime", "size", "option", "device", "contender")
OF_BACKENDS = ("contender", "mode", "device", "dtype")  # the coordinates that a backend has values of
ROOM = 10.0  # the allowed range is from the smallest measured rms ratio / 10 to the largest * 10


@dataclass(frozen=True)
class Known:
    """A Limit applied to one cell: the rms ratios that it expects in the installed release."""

    limit: Limit
    z: tuple[float, float] | None  # None if nothing was measured
    release: str
    measured: bool  # in this release

    @property
    def where(self) -> str:
        """The package, and its releases in which the Limit was measured."""
        return f"{self.limit.package} {', '.join(self.limit.releases)}".strip()


def limits(unit: Cell, engine: Backend, direction: str) -> list[Known]:
    """The limits of the page that name this cell."""
    fields = {**asdict(unit), "direction": direction}
    found = []
    for limit in naming(replace(unit, direction=direction), engine):
        limit = replace(limit, always=limit.always and _must_show(limit, unit))
        here = engine.release(limit.package)  # empty if the package is not installed
        measured = bool(here) and here in limit.releases
        found.append(Known(limit, expected(limit, fields, here), here, measured))
    return found


def _must_show(limit: Limit, unit: Cell) -> bool:
    """Whether a departure should show in a cell: not on inputs or sizes that no page lists or it names."""
    further = {"regime": listed(pages.case(unit.case), unit.regime), "size": is_spelled(unit.size)}
    return all(
        not strange or any(getattr(unit, field) in several(cells.get(field, ())) for cells in limit.reach)
        for field, strange in further.items()
    )


def naming(cell: Cell, of: Backend | type[Backend]) -> list[Limit]:
    """The limits that name a cell, under its backend's name or a parent's."""
    return [each for each in pages.case(cell.case).limits if covers(each, asdict(cell), of.lineage())]


def covers(limit: Limit, fields: Mapping[str, Any], lineage: Collection[str] = ()) -> bool:
    """Whether the limit names a cell or row with these fields, for its backend or a parent of it.

    `lineage` has the backend's name and its parents'; by default it is looked up for shipped backends.
    """
    name = str(fields["backend"])
    names = set(lineage or (backend(name).lineage() if name in (*SHIPPED, *FURTHER) else [name]))
    return any(
        not names.isdisjoint(several(cells["backend"]))
        and all(
            fields[field] in several(value) for field, value in _named(cells).items() if field != "backend"
        )
        for cells in limit.reach
    )


def _named(cells: Mapping[str, Any]) -> Mapping[str, Any]:
    """The cells of a limit, by default only in float64 and float32: in others rounding may hide it."""
    return {"dtype": ("float64", "float32"), **{name: cells[name] for name in cells if name != "backend"}}


def expected(limit: Limit, fields: Mapping[str, Any], installed: str = "") -> tuple[float, float] | None:
    """The range of rms ratios that a limit explains in a cell, from those measured in the most similar cells.

    Uses only ratios of the cell's dtype, and of the installed release if there are any; None if that dtype
    was not measured. Similar cells have the same direction, then regime, size, option, device and contender.
    A departure that some inputs do not show may be of any smaller size; but where each that was measured is a
    NaN or a shape, a finite one is another.
    """
    seen = [each for each in limit.seen if each.cells.get("dtype") == fields.get("dtype")]
    seen = [each for each in seen if each.release == installed] or seen
    alike = [tuple(fields.get(name) == each.cells.get(name) for name in ALIKE) for each in seen]
    nearest = [each.z for each, like in zip(seen, alike, strict=True) if like == max(alike)]
    if not nearest:
        return None
    low, high = min(low for low, _ in nearest) / ROOM, max(high for _, high in nearest) * ROOM
    only_lost = all(math.isinf(each.z[0]) for each in seen)
    return low if limit.always or only_lost else 0.0, high


def settle(agreement: Agreement, known: Sequence[Known]) -> dict[str, Any]:
    """The status and why of a cell after applying known limits; a stale or a larger departure disagrees.

    So does a smaller one in a release in which it was measured: it must be measured again.
    """
    known = [each for each in known if not each.limit.varies]
    if agreement.status == "agrees":
        stale = [each for each in known if each.limit.always and each.measured]
        if not stale:
            return {"status": "agrees", "why": ""}
        why = f"stale limit: the cell agrees, but {stale[0].limit} says: {stale[0].limit.reason}"
        return _about(stale[0]) | {"status": "disagrees", "why": f"{why}; take it away, or narrow its cells"}
    if agreement.status == "mistrusted" or not known or agreement.z_rms is None:  # None if names differ
        return {"status": agreement.status, "why": agreement.why}
    ranges = [(each, each.z) for each in known if each.z]
    if not ranges:
        why = f"{known[0].limit} was not measured (gaugeblock limits --measure RUN): {agreement.why}"
        return _about(known[0]) | {"status": "disagrees", "why": why}
    z = agreement.z_rms
    for each, (low, high) in ranges:
        if low <= z <= high:
            return _limited(each)
    each, (low, high) = min(ranges, key=lambda pair: pair[1])
    improved = z < low < math.inf
    if improved and not each.measured:
        return _limited(each, f"improved: z is {z:.3g}, was {low:.3g} to {high:.3g} where it was measured")
    there, here = ("", "") if each.measured else (f" in {each.where}", f" in {each.release}")
    why = f"{each.limit} explains a z of {low:.3g} to {high:.3g}{there}, and this is {z:.3g}{here}"
    why = f"{why}: {agreement.why}"
    return _about(each) | {"status": "disagrees", "why": f"improved: {why}" if improved else why}


def unsteady(fault: str, known: Sequence[Known]) -> dict[str, Any]:
    """The columns of a cell whose second call broke an exact invariant; if it fails, it has no bits."""
    for each in known:
        if each.limit.varies:
            return _limited(each)
    return {"status": "disagrees", "why": fault, "bits": None, "bits_lost": None}


def _limited(known: Known, news: str = "") -> dict[str, Any]:
    limit = known.limit
    if not news and limit.seen and not known.measured:
        news = f"not yet measured in {limit.package} {known.release}"
    return _about(known) | {"status": "limited", "why": f"{limit.reason} ({news})" if news else limit.reason}


def _about(known: Known) -> dict[str, Any]:
    """The columns that identify the Limit, and what it explains."""
    low, high = known.z or (None, None)
    path, line, issue = split(known.limit.source)
    return {
        "limit": known.limit.name,
        "source": known.limit.source,
        "versions": known.where,
        "since": known.limit.since,
        "source_package": known.limit.package,
        "source_path": path,
        "source_line": line,
        "source_issue": issue,
        "explained_low": low,
        "explained_high": high,
    }


def of_refusals(cell: Cell) -> bool:
    """Whether a refusal names the cell, under whatever condition."""
    contender = find(pages.case(cell.case), cell)
    return any(_refused(each, cell, cell.direction) for each in contender.refuses)


def refusal(contender: Contender, unit: Cell, direction: str, engine: Backend) -> Refusal | None:
    """The refusal of this cell whose condition holds or cannot be checked, or None."""
    named = (each for each in contender.refuses if _refused(each, unit, direction))
    return next((each for each in named if holds(each, engine) is not False), None)


def _refused(known: Refusal, unit: Cell, direction: str) -> bool:
    """Whether a refusal names a cell."""
    place = f"{unit.option}/{unit.mode}/{unit.device}/{unit.dtype}/{direction}"
    given = (place, known.cells), (unit.regime, known.regime), (unit.size, known.size)
    return all(fnmatchcase(name, pattern) for name, pattern in given)


def holds(known: Refusal, engine: Backend) -> bool | None:
    """Whether the condition of a refusal holds in this backend; None if the backend cannot check it.

    Raises ValueError if the condition names a flag that the backend does not have.
    """
    flags, read = engine.flags() if known.when else {}, True
    for name, value in known.when.items():
        if name not in flags:
            right = ", ".join(flags) or "nothing"
            raise ValueError(f"refusal of {known.cells}: when names {name!r}, should be one of {right}")
        try:
            found = flags[name]()
        except Exception:  # this release does not have that API
            read = False
            continue
        if found != value:
            return False
    return True if read else None


def leave_out(specs: Sequence[str] = ()) -> None:
    """Count as bad each page of which a contender or a limit names what is not there.

    `specs` are the plug-ins of a run, which a limit may name.
    """
    more = [*names(), *(each for spec in specs for each in backend(spec).lineage())]
    for case in list(pages.cases().values()):
        page = pages.page(case).rpartition(".")[2]
        for where, whys in (
            (f"suites/{page}.py", _lacking(case)),
            (f"suites/limits/{page}.py", _misnamed(case, more)),
        ):
            if why := next(whys, ""):
                pages.wrong(page, f"{where}: {why}")


def strays(case: Case) -> Iterator[str]:
    """Sentences about contenders, limits and refusals of a case that name something not on its page."""
    yield from _lacking(case)
    for contender in case.contenders:
        who, engine = f"{case.name}, {contender}", backend(contender.backend)
        modes = [mode for mode in engine.modes if mode in (contender.modes or engine.modes)]
        expressed = [option for option in case.options if option not in contender.without]
        directions = contender.directions or case.directions
        places = list(map("/".join, product(expressed, modes, engine.devices, engine.dtypes, directions)))
        regimes = [*case.regimes, *CATALOGUE, INTEGERS]
        for each in contender.refuses:
            if not any(fnmatchcase(place, each.cells) for place in places):
                yield f"{who}: refuses {each.cells!r}, which is none of its cells, such as {places[0]}"
            if not any(fnmatchcase(regime, each.regime) for regime in regimes):
                yield f"{who}: refuses inputs {each.regime!r}, should be among {', '.join(regimes)}"
    if wrong := list(_misnamed(case)):
        yield from wrong
        return
    for limit in case.limits:
        for reach in limit.reach:
            engines = [backend(name) for name in several(reach["backend"])]
            devices = [device for engine in engines for device in engine.devices]
            dtypes = [dtype for engine in engines for dtype in engine.dtypes]
            if not named(case, replace(limit, cells=reach), devices, dtypes):
                yield f"{case.name}, {limit}: {limit.reason!r} names no cell: no cell has all of its names"


def _lacking(case: Case) -> Iterator[str]:
    """Sentences about options, sizes, modes and directions of contenders that are not there."""
    for contender in case.contenders:
        shipped = contender.backend in (*SHIPPED, *FURTHER)
        modes = backend(contender.backend).modes if shipped else contender.modes or ()
        for what, given, right in (
            ("without", contender.without, [*case.options, *case.sizes]),
            ("modes", contender.modes or (), modes),
            ("directions", contender.directions or (), case.directions),
        ):
            for name in given:
                if name not in right:
                    yield f"{case.name}, {contender}: {what} names {name!r}, {choice(name, right)}"


def _misnamed(case: Case, more: Sequence[str] = ()) -> Iterator[str]:
    """Sentences about names in the limits of a case that are not on its page; `more` are plug-ins."""
    for limit in case.limits:
        for reach in limit.reach:
            yield from _astray(case, limit, reach, more)


def _astray(case: Case, limit: Limit, reach: Mapping[str, Any], more: Sequence[str]) -> Iterator[str]:
    """Sentences about names in a limit that are not on its page."""
    who, shipped = f"{case.name}, {limit}", [*SHIPPED, *FURTHER]
    known = list(dict.fromkeys((*shipped, *more)))
    if wrong := [name for name in several(reach["backend"]) if name not in known]:
        yield f"{who}: its backend is {wrong[0]!r}, should be one of {', '.join(known)}"
        return
    if any(name not in shipped for name in several(reach["backend"])):  # what a plug-in has is its own affair
        reach = {name: value for name, value in reach.items() if name not in ("backend", *OF_BACKENDS)}
        engines = []
    else:
        engines = [backend(name) for name in several(reach["backend"])]
    further = [backend(name) for name in FURTHER]
    heirs = [*engines, *(each for each in further if {cls.name for cls in engines} & each.lineage())]
    right: dict[str, list[str]] = {
        "backend": shipped,
        "case": [case.name],
        "option": list(case.options),
        "regime": [*case.regimes, *CATALOGUE, *([INTEGERS] if case.integers else [])],
        "size": [*case.sizes, *filter(is_spelled, several(reach.get("size", ())))],
        "contender": [str(each) for heir in heirs for each in heir.contenders(case)],
        "mode": [mode for engine in engines for mode in engine.modes],
        "device": [device for engine in engines for device in engine.devices],
        "dtype": [dtype for engine in engines for dtype in engine.dtypes],
        "direction": list(case.directions),
    }
    wrong = [
        f"{who}: its {name} is {value!r}, should be one of {', '.join(dict.fromkeys(right[name]))}"
        for name, values in reach.items()
        for value in several(values)
        if value not in right[name]
    ]
    yield from wrong


def named(case: Case, limit: Limit, devices: Sequence[str], dtypes: Sequence[str]) -> list[Cell]:
    """The cells of all possible runs that the limit names and whose contender supports the option."""
    specs = list(dict.fromkeys(name for cells in limit.reach for name in several(cells["backend"])))
    modes = list(dict.fromkeys(mode for spec in specs for mode in backend(spec).modes))
    dtypes = list(dict.fromkeys(dtypes))
    every = Selection(specs, list(dict.fromkeys(devices)), dtypes, modes, tuple(case.sizes), full=True)
    further = replace(every, sizes=None, full=False, full_inputs=True)
    edges = any(
        {*several(cells.get("regime", ()))} & {*CATALOGUE}
        or any(map(is_spelled, several(cells.get("size", ()))))
        for cells in limit.reach
    )
    without = {(spec, str(each)): each.without for spec in specs for each in backend(spec).contenders(case)}
    return [
        cell
        for cell in (*cells([case], every), *(cells([case], further) if edges else ()))
        if covers(limit, asdict(cell)) and cell.option not in without[cell.backend, cell.contender]
    ]


def several(value: Any) -> Sequence[str]:
    """The value or values of a field of a limit, as a sequence."""
    return [value] if isinstance(value, str) else value
