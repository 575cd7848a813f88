"""Known departures and refusals of the frameworks, held against what a run found: none goes stale unseen."""

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from fnmatch import fnmatchcase
from itertools import product
from typing import Any

from bench import pages
from bench.backends import FURTHER, SHIPPED, Backend, backend, release
from bench.case import INTEGERS, Case, Contender, Limit, Refusal
from bench.cells.cell import Cell
from bench.cells.selection import Selection, cells
from bench.contender.prepare import find
from bench.size import corpus
from bench.verdict.compare import Agreement

# the coordinates that decide how far a departure is off, the first most; modes and seeds are taken together
ALIKE = ("case", "dtype", "direction", "regime", "option", "size", "device", "contender")
ROOM = 10.0  # a cell may be off by a tenth of the smallest to ten times the largest rms ratio measured


@dataclass(frozen=True)
class Known:
    """A Limit as it bears on one cell: the rms ratios that it expects, in the release that is installed."""

    limit: Limit
    z: tuple[float, float] | None  # None where nothing was measured
    release: str
    measured: bool  # whether in this release

    @property
    def where(self) -> str:
        """The package and the releases in which it was measured."""
        return f"{self.limit.package} {', '.join(self.limit.releases)}".strip()


def limits(unit: Cell, engine: Backend, direction: str) -> list[Known]:
    """The limits of the page that name this cell."""
    fields = {**asdict(unit), "direction": direction}
    found = []
    for limit in naming(replace(unit, direction=direction), type(engine)):
        here = release(limit.package)  # nothing is known of a package that has none
        measured = bool(here) and here in limit.releases
        found.append(Known(limit, expected(limit, fields, here), here, measured))
    return found


def naming(cell: Cell, cls: type[Backend]) -> list[Limit]:
    """The limits that name a cell, under its backend's name or a parent's."""
    return [each for each in pages.case(cell.case).limits if covers(each, asdict(cell), cls.lineage())]


def covers(limit: Limit, fields: Mapping[str, Any], lineage: Collection[str] = ()) -> bool:
    """Whether the limit names the cell, or the row, that has these fields, under a name of its backend.

    Without a `lineage` that is the one in the fields and, of a backend that is shipped, its parents'.
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
    """What a limit covers beside backends: unless it names them, no dtypes in which rounding may hide it."""
    return {"dtype": ("float64", "float32"), **{name: cells[name] for name in cells if name != "backend"}}


def expected(limit: Limit, fields: Mapping[str, Any], installed: str = "") -> tuple[float, float] | None:
    """The rms ratios that a limit explains in a cell: by those measured in the cells most like it.

    Of the installed release, where it was measured, and of the cell's dtype; None where nothing of that dtype
    was. Then direction, regime, option and size decide, in this order, and the rest.
    """
    seen = [each for each in limit.seen if each.cells.get("dtype") == fields.get("dtype")]
    seen = [each for each in seen if each.release == installed] or seen
    alike = [tuple(fields.get(name) == each.cells.get(name) for name in ALIKE) for each in seen]
    nearest = [each.z for each, like in zip(seen, alike, strict=True) if like == max(alike)]
    if not nearest:
        return None
    return min(low for low, _ in nearest) / ROOM, max(high for _, high in nearest) * ROOM


def settle(agreement: Agreement, known: Sequence[Known]) -> dict[str, str]:
    """Status and why, once the known limits are taken into account; a stale or a worse one fails.

    So does one that is better in a release in which it was measured: it is to be measured anew.
    """
    known = [each for each in known if not each.limit.varies]
    if agreement.status == "agrees":
        stale = [each for each in known if each.limit.always and each.measured]
        if not stale:
            return {"status": "agrees", "why": ""}
        why = f"stale limit: the cell agrees, but {stale[0].limit} says: {stale[0].limit.reason}"
        return _about(stale[0]) | {"status": "disagrees", "why": f"{why}; take it away, or narrow its cells"}
    if agreement.status == "mistrusted" or not known or agreement.z_rms is None:  # as where shapes differ
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


def unsteady(fault: str, known: Sequence[Known]) -> dict[str, str]:
    """Status and why of a cell whose second call broke what must hold bit by bit."""
    for each in known:
        if each.limit.varies:
            return _limited(each)
    return {"status": "disagrees", "why": fault}


def _limited(known: Known, news: str = "") -> dict[str, str]:
    limit = known.limit
    if not news and limit.seen and not known.measured:
        news = f"not yet measured in {limit.package} {known.release}"
    return _about(known) | {"status": "limited", "why": f"{limit.reason} ({news})" if news else limit.reason}


def _about(known: Known) -> dict[str, str]:
    """The columns that say which Limit it is."""
    return {"limit": known.limit.name, "source": known.limit.source, "versions": known.where}


def of_refusals(cell: Cell) -> bool:
    """Whether a refusal, wherever it holds, names the cell."""
    contender = find(pages.case(cell.case), cell)
    return any(fnmatchcase(_place(cell, cell.direction), each.cells) for each in contender.refuses)


def refusal(contender: Contender, unit: Cell, direction: str, engine: Backend) -> Refusal | None:
    """The refusal that is known of this cell, where its condition holds or cannot be read back."""
    place = _place(unit, direction)
    named = (each for each in contender.refuses if fnmatchcase(place, each.cells))
    return next((each for each in named if holds(each, engine) is not False), None)


def _place(unit: Cell, direction: str) -> str:
    return f"{unit.option}/{unit.mode}/{unit.device}/{unit.dtype}/{direction}"


def holds(known: Refusal, engine: Backend) -> bool | None:
    """Whether what the backend reads back is the condition of a refusal; None where it cannot be read.

    Raises ValueError where the condition names what the backend does not read.
    """
    flags, read = engine.flags() if known.when else {}, True
    for name, value in known.when.items():
        if name not in flags:
            right = ", ".join(flags) or "nothing"
            raise ValueError(f"refusal of {known.cells}: when names {name!r}, should be one of {right}")
        try:
            found = flags[name]()
        except Exception:  # of a release without that API
            read = False
            continue
        if found != value:
            return False
    return True if read else None


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
        for each in contender.refuses:
            if not any(fnmatchcase(place, each.cells) for place in places):
                yield f"{who}: refuses {each.cells!r}, which is none of its cells, such as {places[0]}"
    for limit in case.limits:
        for reach in limit.reach:
            yield from _astray(case, limit, reach)


def _astray(case: Case, limit: Limit, reach: Mapping[str, Any]) -> Iterator[str]:
    """What a limit names that is not on its page; a limit of no cell at all, where each name is there."""
    who, shipped = f"{case.name}, {limit}", [*SHIPPED, *FURTHER]
    if wrong := [name for name in several(reach["backend"]) if name not in shipped]:
        yield f"{who}: its backend is {wrong[0]!r}, should be one of {', '.join(shipped)}"
        return
    engines = [backend(name) for name in several(reach["backend"])]
    further = [backend(name) for name in FURTHER]
    heirs = [*engines, *(each for each in further if {cls.name for cls in engines} & each.lineage())]
    right: dict[str, list[str]] = {
        "backend": shipped,
        "case": [case.name],
        "option": list(case.options),
        "regime": [*case.regimes, *([INTEGERS] if case.integers else [])],
        "size": [*case.sizes, *corpus(case)],
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
    alone = replace(limit, cells=reach)
    if not (wrong or named(case, alone, tuple(right["device"]), tuple(right["dtype"]))):
        wrong = [f"{who}: {limit.reason!r} names no cell; its names never meet"]
    yield from wrong


def named(case: Case, limit: Limit, devices: Sequence[str], dtypes: Sequence[str]) -> list[Cell]:
    """The cells, of all that can be asked for, that the limit names and that their contender can express."""
    specs = list(dict.fromkeys(name for cells in limit.reach for name in several(cells["backend"])))
    modes = list(dict.fromkeys(mode for spec in specs for mode in backend(spec).modes))
    dtypes = list(dict.fromkeys(dtypes))
    every = Selection(specs, list(dict.fromkeys(devices)), dtypes, modes, tuple(case.sizes), full=True)
    without = {(spec, str(each)): each.without for spec in specs for each in backend(spec).contenders(case)}
    return [
        cell
        for cell in cells([case], every)
        if covers(limit, asdict(cell)) and cell.option not in without[cell.backend, cell.contender]
    ]


def several(value: Any) -> Sequence[str]:
    """The one value, or the values, that a limit gives for a field."""
    return [value] if isinstance(value, str) else value
