"""The page of known departures: each Limit once, with what a run found of it, or why it found nothing."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple, cast

from bench import pages
from bench.case import FIELDS, Case, Limit
from bench.digits import digits, magnitude
from bench.known import covers, named, released, several
from bench.row import STATUSES
from bench.table import Section, Table

if TYPE_CHECKING:
    from pandas import DataFrame, Series

LIMITS = "limits.md"
WHERE = ("formula", "framework", "since", "cells that it names")
WHAT = "what departs, and where that is shown"
NOTE = (
    "z rms is how many times further off a tensor is than rounding explains; bits lost is how many of the "
    "dtype's bits are wrong; since is the first release that departs, where somebody has looked."
)


class Found(NamedTuple):
    """A Limit of a page, and the rows that it explains."""

    case: Case
    limit: Limit
    rows: "DataFrame"


def page(rows: "DataFrame") -> list[Section]:
    """Every Limit of the pages, held against these rows, and whatever else limited one of them."""
    found, rest = _explained(rows)
    met = [
        (*_where(each), *_figures(each.rows), _expected(each), _what(each)) for each in found if _met(each)
    ]
    unmet = [
        (*_where(each), _why_not(rows, each), _expected(each), _what(each))
        for each in found
        if not _met(each)
    ]
    tables = (
        Table(
            "Met in these rows",
            (*WHERE, "cells", "z rms", "bits lost", "expected", WHAT),
            [*met, *_elsewhere(rest)],
            right=("cells",),
            note=NOTE,
        ),
        Table("Met by no row", (*WHERE, "why not", "expected", WHAT), unmet),
    )
    return [table for table in tables if table.rows]


def unneeded(rows: "DataFrame") -> list[Section]:
    """The Limits that explain nothing, though every cell that they name ran in the release that they name."""
    lines = [
        (each.case.name, f"{each.limit.backend} {each.limit.versions}", _why_not(rows, each), _what(each))
        for each in _explained(rows)[0]
        if not _met(each) and _ran_whole(rows, each)
    ]
    table = Table(
        "Limits that nothing needed: take them away", ("formula", "framework", "its cells", WHAT), lines
    )
    return [table] if lines else []


def _explained(rows: "DataFrame") -> tuple[list[Found], "DataFrame"]:
    """Each Limit with its rows, every row at the first that fits; and the rows that are left."""
    rest, found = rows[rows["status"] == "limited"], []
    for case in pages.cases().values():
        mine = rest[rest["case"] == case.name]
        for limit in case.limits:
            fit = mine[
                (mine["why"] == limit.reason)
                & (mine["source"] == limit.source)
                & (mine["versions"] == limit.versions)
                & mine["z_rms"].between(*limit.z)
            ]
            fit = _covered(fit, limit)
            found.append(Found(case, limit, fit))
            mine, rest = mine.drop(index=fit.index), rest.drop(index=fit.index)
    return found, rest


def _met(found: Found) -> bool:
    return not found.rows.empty


def _covered(rows: "DataFrame", limit: Limit) -> "DataFrame":
    if rows.empty:  # as most are, and a frame takes longer to be asked than to be found empty
        return rows
    return rows[[covers(limit, row) for row in rows.to_dict("records")]]


def _judged(rows: "DataFrame", found: Found) -> "DataFrame":
    """The rows of the cells that a Limit names, in whatever release."""
    mine = (rows["case"] == found.case.name) & (rows["backend"] == found.limit.backend)
    return _covered(rows[mine & (rows["version"] != "")], found.limit)


def _ran_whole(rows: "DataFrame", found: Found) -> bool:
    """Whether each cell that a full run has of the Limit (these devices and dtypes) ran in its release."""
    judged = _judged(rows, found)
    if judged.empty or not all(released(found.limit, each) for each in judged["version"].drop_duplicates()):
        return False
    devices, dtypes = (tuple(judged[name].drop_duplicates()) for name in ("device", "dtype"))
    ran = set(judged[list(FIELDS)].itertuples(index=False, name=None))
    return {
        tuple(getattr(cell, name) for name in FIELDS)
        for cell in named(found.case, found.limit, devices, dtypes)
    } <= ran


def _why_not(rows: "DataFrame", found: Found) -> str:
    judged = _judged(rows, found)
    if judged.empty:
        return "none of these cells ran"
    current = judged[[released(found.limit, version) for version in judged["version"]]]
    if current.empty:
        return f"another release ran: {', '.join(judged['version'].drop_duplicates())}"
    ends = current["status"].value_counts()
    return ", ".join(f"{status} {ends[status]:,}" for status in STATUSES if status in ends.index)


def _elsewhere(rows: "DataFrame") -> Iterator[tuple[str, ...]]:
    """What limited a row, but stands on no page here: rows of other pages than these."""
    by = ["case", "backend", "versions", "why", "source"]
    for pair, group in rows.groupby(by, sort=False, observed=True):
        case, backend, versions, why, source = cast("tuple[str, ...]", pair)
        where = (case, f"{backend} {versions}".strip(), "", "on no page of these suites")
        yield (*where, *_figures(group), "", "\n".join(filter(None, (why, source))))


def _where(found: Found) -> tuple[str, ...]:
    cells = (f"{name} {', '.join(several(value))}" for name, value in found.limit.cells.items())
    framework = f"{found.limit.backend} {found.limit.versions}"
    return found.case.name, framework, found.limit.since, "\n".join(cells) or "all"


def _figures(rows: "DataFrame") -> tuple[str, str, str]:
    """How many cells, how far off, and how many bits of their dtype are gone."""
    from bench.noise import precision

    lost = rows["dtype"].map(lambda dtype: precision(dtype).bits) - rows["bits"]
    return f"{len(rows):,}", _range(rows["z_rms"], magnitude), _range(lost.clip(lower=0), digits)


def _range(values: "Series", written: Callable[[float], str]) -> str:
    low, high = written(values.min()), written(values.max())
    return low if low == high else f"{low} to {high}"


def _expected(found: Found) -> str:
    low, high = map(magnitude, found.limit.z)
    return f"{low} to {high}" + ("" if found.limit.always else ", or agrees")


def _what(found: Found) -> str:
    return f"{found.limit.reason}\n{found.limit.source}"
