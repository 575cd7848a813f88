"""Checks the flops of pages against counters; suites/exemptions/flops.py gives reasons for differences."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

from bench.case import Case
from bench.cells.cell import Cell
from bench.report.table import Listing, Section, Table, markdown
from bench.studies.counters import Count

FILES = ("flops.md", "flops.csv")
COLUMNS = ("contender", "direction", "formula", "counted", "ratio", "bytes", "moved", "status")
NOTE = (
    "Flops of one call in float32. Formula: as the page states them. Counted: by torch's FlopCounterMode "
    "(matrix products, convolutions and attention only; 0 means not counted) or XLA's cost analysis (a "
    "transcendental function counts as one). Ratio: counted over formula. Bytes: inputs read and outputs "
    "written once. Moved: bytes that XLA's program accesses, as a multiple of these. Agrees: torch within "
    "1 %; XLA from 0.99 to 2 times the formula, for a gradient (counted as three passes) from 1/3 to 2."
)


@dataclass(frozen=True)
class Known:
    """The known differences that suites/ lists.

    `reasons` maps a glob of backend/case/contender/direction to (smallest ratio, largest ratio, reason);
    both ratios are zero if the counter raises. `unconfirmed` maps a case to why no counter can check it.
    """

    reasons: Mapping[str, tuple[float, float, str]] = field(default_factory=dict)
    unconfirmed: Mapping[str, str] = field(default_factory=dict)

    def name(self, one: Count) -> str | None:
        """The first pattern that matches this count."""
        return next((each for each in self.reasons if fnmatchcase(str(one), each)), None)


def status(one: Count, known: Known) -> str:
    """One of: absent, error, uncounted, agrees, explained, disagrees."""
    name = known.name(one)
    low, high, _ = known.reasons[name] if name else (0.0, 0.0, "")
    if one.status:
        return "explained" if one.status == "error" and name and not high else one.status
    assert one.counted is not None
    if one.least and one.moved is not None and one.moved < 0.99 * one.least:
        return "disagrees"
    if one.ratio is None:  # the formula has only index arithmetic: less than one operation per byte
        return "agrees" if one.counted <= (one.least or 0) else "disagrees"
    least, most = bounds(one.cell)
    if least <= one.ratio <= most:
        return "agrees"
    if name and low <= one.ratio <= high:
        return "explained"
    return "uncounted" if one.cell.backend == "torch" and not one.counted else "disagrees"


def bounds(cell: Cell) -> tuple[float, float]:
    """The smallest and the largest ratio at which a counter agrees.

    torch counts only matrix products, exactly. XLA also counts elementwise operations, and a formula with
    products leaves out those of lower order. A gradient costs three passes for products; for any other
    formula it costs at least the forward pass that it repeats.
    """
    if cell.backend == "torch":
        return 0.99, 1.01
    return (1 / 3 if cell.direction == "gradient" else 0.99), 2.0


def faults(found: Sequence[Count], cases: Sequence[Case], known: Known) -> list[str]:
    """A sentence for each unexplained disagreement, each unconfirmed case and each stale reason."""
    said = {str(one): status(one, known) for one in found}
    by_case: dict[str, set[str]] = {case.name: set() for case in cases}
    for one in found:
        by_case[one.cell.case].add(said[str(one)])
    wrong = [_sentence(one) for one in found if said[str(one)] in ("disagrees", "error")]
    silent = [name for name, words in by_case.items() if not words & {"agrees", "explained", "absent"}]
    wrong += [
        f"{name}: no counter confirms its flops; give a reason in suites/exemptions/flops.py"
        for name in silent
        if name not in known.unconfirmed
    ]
    used = {known.name(one) for one in found if said[str(one)] in ("explained", "absent")}
    stale = [name for name in known.reasons if name.split("/")[1] in by_case and name not in used]
    stale += [name for name in known.unconfirmed if name in by_case and name not in silent]
    return [*wrong, *(f"{each!r} is a stale reason: no count needs it" for each in stale)]


def _sentence(one: Count) -> str:
    if one.why:
        return f"{one}: {one.why}"
    if one.least and one.moved is not None and one.moved < 0.99 * one.least:
        return f"{one}: got {one.moved:.4g} bytes, should be at least {one.least:.4g}"
    low, high = bounds(one.cell)
    return (
        f"{one} at {one.cell.size}: counted {one.counted:.6g} flops, {_ratio(one)} of the page's "
        f"{one.formula:.6g}, should be {low:.3g} to {high:.3g}"
    )


def tables(found: Sequence[Count], cases: Sequence[Case], known: Known) -> list[Section]:
    """The disagreements, then the explained differences, then every count."""
    wrong = faults(found, cases, known)
    because = [
        f"{one} at {one.cell.size}, {_ratio(one) or one.status}: {known.reasons[name][2]}"
        for one in found
        if status(one, known) == "explained" and (name := known.name(one))
    ]
    because += [
        f"{name}: {why}" for name, why in known.unconfirmed.items() if name in {c.name for c in cases}
    ]
    sections: list[Section] = [
        Listing("Flops that disagree", [(each, "") for each in wrong] or [("none", "")], note=NOTE),
        Listing("Flops that differ for a known reason", [(each, "") for each in because]),
    ]
    for case in cases:
        own = [one for one in found if one.cell.case == case.name]
        rows = [(one.cell.contender, one.cell.direction, *_figures(one), status(one, known)) for one in own]
        title = f"{case.name} at {own[0].cell.size}" if own else case.name
        sections.append(Table(title, COLUMNS, rows, right=COLUMNS[2:-1], level=3))
    return sections


def _ratio(one: Count) -> str:
    return "" if one.ratio is None else f"{one.ratio:.3g}"


def _figures(one: Count) -> tuple[str, ...]:
    moved = f"{one.moved / one.least:.3g}" if one.moved is not None and one.least else ""
    counted = "" if one.counted is None else f"{one.counted:.0f}"
    return (f"{one.formula:.0f}", counted, _ratio(one), "" if one.least is None else str(one.least), moved)


def write(found: Sequence[Count], cases: Sequence[Case], known: Known, folder: Path) -> list[Path]:
    """Write the tables as Markdown and the counts as CSV; returns the files."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / name for name in FILES]
    paths[0].write_text(markdown(tables(found, cases, known)), encoding="utf-8")
    with paths[1].open("w", newline="", encoding="utf-8") as file:
        lines = csv.writer(file, lineterminator="\n")
        lines.writerow(("case", "option", "size", "backend", "version", *COLUMNS))
        for one in found:
            cell = one.cell
            where = (
                cell.case,
                cell.option,
                cell.size,
                cell.backend,
                one.version,
                cell.contender,
                cell.direction,
            )
            lines.writerow((*where, *_figures(one), status(one, known)))
    return paths
