"""The page of known departures: each Limit once, with what a run found, or why it found nothing."""

import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple, cast

from bench import pages
from bench.backends import release
from bench.case import FIELDS, Case, Limit
from bench.digits import digits, magnitude
from bench.report.header import Records
from bench.report.overview import lost
from bench.report.table import Section, Table
from bench.store.row import GONE, STATUSES
from bench.verdict.known import covers, named, several

if TYPE_CHECKING:
    from pandas import DataFrame, Series

LIMITS = "limits.md"
WHERE = ("formula", "package", "since", "cells that it names")
WHAT = "cause and source"
NOTE = (
    "error / rounding: the rms error over the rms error that rounding alone causes. bits lost: how many of"
    " the dtype's bits are wrong. measured: the range found before, which is expected. since: the first "
    "release known to depart."
)
# the columns that tell whether a Limit is needed: few, because each costs time
JUDGED = [*FIELDS, "status", "limit", "why", "source", "version", "environment"]
NONE = "none of these cells ran"


class Found(NamedTuple):
    """A Limit of a page, the rows that it explains, and all rows of its case that ran."""

    case: Case
    limit: Limit
    rows: "DataFrame"
    ran: "DataFrame"


def page(rows: "DataFrame", environments: Records | None = None) -> list[Section]:
    """Every Limit of the pages with what these rows show of it, and limits that rows name and no page has."""
    found, rest = _explained(rows)
    met = [
        (*_where(each), *_figures(each.rows), _expected(each), _what(each)) for each in found if _met(each)
    ]
    unmet = [
        (*_where(each), _why_not(each, environments), _expected(each), _what(each))
        for each in found
        if not _met(each)
    ]
    tables = (
        Table(
            "Seen in these rows",
            (*WHERE, "cells", "error / rounding", "bits lost", "measured", WHAT),
            [*met, *_elsewhere(rest)],
            right=("cells",),
            note=NOTE,
        ),
        Table("Not seen in these rows", (*WHERE, "why not", "measured", WHAT), unmet),
    )
    return [table for table in tables if table.rows]


def brief(rows: "DataFrame", environments: Records | None = None) -> list[Section]:
    """Short tables: the Limits seen in these rows, and those whose cells ran and did not need them."""
    found, rest = _explained(rows)
    met: list[tuple[str, ...]] = [
        (_fault(each.limit), *_figures(each.rows)[:2], _expected(each), f"{each.case.name}: {_what(each)}")
        for each in found
        if _met(each)
    ]
    met += [
        (at_fault, *figures[:2], "", f"{case}: {what}")
        for case, at_fault, _, _, *figures, _, what in _elsewhere(rest)
    ]
    spared: list[tuple[str, ...]] = [
        (_fault(each.limit), why, _expected(each), f"{each.case.name}: {_what(each)}")
        for each in found
        if not _met(each) and (why := _why_not(each, environments)) != NONE
    ]
    columns = ("package", "cells", "error / rounding", "measured", "formula, cause and source")
    tables = (
        Table("Known departures seen in these rows", columns, met, right=("cells",), note=NOTE),
        Table(
            "Known departures not seen, though their cells ran", ("package", "cells", *columns[3:]), spared
        ),
    )
    return [table for table in tables if table.rows]


def unneeded(rows: "DataFrame", environments: Records | None = None) -> list[Section]:
    """The Limits that explain nothing, although all of their cells ran in a measured release."""
    lines = [
        (each.case.name, _fault(each.limit), _why_not(each, environments), _what(each))
        for each in _explained(rows[JUDGED])[0]
        if not _met(each) and _ran_whole(each, environments)
    ]
    table = Table("Limits that nothing needed: remove them", ("formula", "package", "cells", WHAT), lines)
    return [table] if lines else []


def gone(rows: "DataFrame", environments: Records | None = None) -> list[Section]:
    """The Limits whose cells agree in a release that was not measured: news, and no failure."""
    lines = []
    for each in _explained(rows[JUDGED])[0]:
        if each.ran.empty or not each.limit.always:  # most pages have no rows in a short run
            continue
        newer = each._replace(ran=_unmeasured(each.ran, each.limit, environments))
        if (_judged(newer)["status"] == "agrees").any():
            told = _why_not(newer, environments)
            lines.append((each.case.name, _fault(each.limit), told, _what(each)))
    title = "Known departures that these releases do not have"
    table = Table(title, ("formula", "package", "cells", WHAT), lines)
    return [*([table] if lines else []), *_no_longer_refused(rows)]


def _no_longer_refused(rows: "DataFrame") -> list[Section]:
    """The cells that a framework used to refuse and now runs."""
    news = rows[rows["why"].str.startswith(GONE)]
    lines = [
        (str(case), str(contender), f"{len(mine):,}", ", ".join(mine["status"].drop_duplicates()), str(why))
        for (case, contender, why), mine in news.groupby(
            ["case", "contender", "why"], sort=False, observed=True
        )
    ]
    columns = ("formula", "contender", "cells", "now", "what it refused")
    return [Table("No longer refused", columns, lines, right=("cells",))] if lines else []


def _unmeasured(rows: "DataFrame", limit: Limit, environments: Records | None) -> "DataFrame":
    """The rows of releases in which a measured Limit was not measured."""
    here = {key: release(limit.package, each) for key, each in (environments or {}).items()}
    beyond = [key for key, each in here.items() if limit.seen and each and each not in limit.releases]
    return rows[rows["environment"].isin(beyond)]


def _explained(rows: "DataFrame") -> tuple[list[Found], "DataFrame"]:
    """Each Limit with its rows, and the remaining rows."""
    rest, found = rows[rows["status"] == "limited"], []
    limited, judged = _by_case(rest), _by_case(rows[rows["version"] != ""])
    none = rows.head(0)
    for case in pages.cases().values():
        mine, ran = limited.get(case.name, none), judged.get(case.name, none)
        for limit in case.limits:
            if mine.empty:  # most pages have no limited rows
                found.append(Found(case, limit, mine, ran))
                continue
            mine_by_name = mine["limit"] == limit.name
            before = (mine["limit"] == "") & (mine["why"] == limit.reason)  # old rows have no such column
            fit = mine[(mine_by_name | before) & (mine["source"] == limit.source)]
            found.append(Found(case, limit, fit, ran))
            mine, rest = mine.drop(index=fit.index), rest.drop(index=fit.index)
    return found, rest


def _by_case(rows: "DataFrame") -> dict[str, "DataFrame"]:
    return {str(case): mine for case, mine in rows.groupby("case", sort=False, observed=True)}


def _met(found: Found) -> bool:
    return not found.rows.empty


def _judged(found: Found) -> "DataFrame":
    """The rows of the cells that a Limit names, of any release."""
    if found.ran.empty:
        return found.ran
    cells = found.ran[list(FIELDS)].drop_duplicates()  # few cells, and many rows with several seeds
    named = cells[[covers(found.limit, cell) for cell in cells.to_dict("records")]]
    return found.ran.merge(named, on=list(FIELDS)) if len(named) else found.ran.head(0)


def _ran(rows: "DataFrame", limit: Limit, environments: Records | None) -> list[str]:
    """The releases of a Limit's package in the environments of these rows; empty if unknown."""
    records = ((environments or {}).get(str(key), {}) for key in rows["environment"].drop_duplicates())
    return list(dict.fromkeys(release(limit.package, each) for each in records))


def _ran_whole(found: Found, environments: Records | None) -> bool:
    """Whether every cell of the Limit in a full run (of these devices and dtypes) ran in its releases."""
    judged = _judged(found)
    if judged.empty or not {*_ran(judged, found.limit, environments)} <= {*found.limit.releases}:
        return False
    devices, dtypes = (tuple(judged[name].drop_duplicates()) for name in ("device", "dtype"))
    ran = set(judged[list(FIELDS)].itertuples(index=False, name=None))
    return {
        tuple(getattr(cell, name) for name in FIELDS)
        for cell in named(found.case, found.limit, devices, dtypes)
    } <= ran


def _why_not(found: Found, environments: Records | None) -> str:
    judged = _judged(found)
    if judged.empty:
        return NONE
    other = [each for each in _ran(judged, found.limit, environments) if each not in found.limit.releases]
    ends = judged["status"].value_counts()
    words = [f"{status} {ends[status]:,}" for status in STATUSES if status in ends.index]
    words += [f"in {found.limit.package} {', '.join(other)}"] if any(other) else []
    return ", ".join(words)


def _elsewhere(rows: "DataFrame") -> Iterator[tuple[str, ...]]:
    """Limits that rows name and no page has, as in rows from another version."""
    by = ["case", "backend", "versions", "why", "source"]
    for pair, group in rows.groupby(by, sort=False, observed=True):
        case, backend, versions, why, source = cast("tuple[str, ...]", pair)
        where = (case, f"{backend} {versions}".strip(), "", "on no page of this version")
        yield (*where, *_figures(group), "", "\n".join(filter(None, (why, source))))


def _where(found: Found) -> tuple[str, ...]:
    limit = found.limit
    cells = "\nor ".join(
        "\n".join(f"{name} {', '.join(several(value))}" for name, value in each.items())
        for each in limit.reach
    )
    return found.case.name, _fault(limit), limit.since, cells


def _fault(limit: Limit) -> str:
    return f"{limit.package} {', '.join(limit.releases)}".strip()


def _figures(rows: "DataFrame") -> tuple[str, str, str]:
    """The number of cells, how far off they are, and how many bits are lost."""
    return f"{len(rows):,}", _range(rows["z_rms"], magnitude), _range(lost(rows).clip(lower=0), digits)


def _range(values: "Series", written: Callable[[float], str]) -> str:
    low, high = written(values.min()), written(values.max())
    return low if low == high else f"{low} to {high}"


def _expected(found: Found) -> str:
    ends = [each.z for each in found.limit.seen]
    low, high = min((z[0] for z in ends), default=math.nan), max((z[1] for z in ends), default=math.nan)
    size = "varies" if found.limit.varies else f"{magnitude(low)} to {magnitude(high)}" if ends else "not yet"
    return size + ("" if found.limit.always else ", or agrees")


def _what(found: Found) -> str:
    return f"{found.limit.reason}\n{found.limit.source}"
