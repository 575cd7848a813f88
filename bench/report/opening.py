"""The first lines of a report: what disagrees, what is known to depart, and who leads in speed."""

from collections.abc import Iterator, Mapping, Sequence
from statistics import median
from typing import TYPE_CHECKING, Any

from bench.digits import count, digits
from bench.machine.load_average import busiest
from bench.report.header import Records, processor
from bench.report.overview import BACKENDS, DTYPES, RAN, least, ordered, short, significant
from bench.report.table import Listing
from bench.report.workloads import Line, headlines, leaders, split, typical, workloads

if TYPE_CHECKING:
    from pandas import DataFrame

TITLE = "Findings"
WRONG = {
    "disagrees": ("disagrees", "disagree"),
    "error": ("raised an error", "raised an error"),
    "mistrusted": ("is mistrusted", "are mistrusted"),
    "imprecise": ("is imprecise", "are imprecise"),
}
PLACES = 3  # formulas that are named in a sentence


def opening(
    rows: "DataFrame", timed: "DataFrame", machines: Records, moments: Sequence[Mapping[str, Any]] = ()
) -> Listing:
    """Three sentences; with several machines or settings, one on the speed of each.

    The last one says if a machine was busy.
    """
    noise = busiest(moments)
    said = [wrong(rows), known(rows), *leads(timed, machines)]
    said[-1] += f" The machine was busy {noise}." if noise else ""
    return Listing(TITLE, [(each, "") for each in said])


def wrong(rows: "DataFrame") -> str:
    """How many cells agree, and how many of each status that a run fails for."""
    ran = rows.loc[rows["status"].isin(RAN), ["status", "case", "backend"]]
    if ran.empty:
        return f"Nothing ran: {count(len(rows), 'cell')} should have."
    parts = []
    for status, words in WRONG.items():
        found = ran[ran["status"] == status]
        if len(found):
            parts.append(f"{len(found):,} {words[len(found) > 1]} ({_places(found)})")
    if parts:
        return f"Of {count(len(ran), 'cell')} that ran, {_joined(parts)}."
    agree = int((ran["status"] == "agrees").sum())
    rest = len(ran) - agree
    parts = [f"{agree:,} {'agrees' if agree == 1 else 'agree'}"]
    parts += [f"{rest:,} {'departs' if rest == 1 else 'depart'} for a known reason"] if rest else []
    return f"Nothing disagrees: of {count(len(ran), 'cell')} that ran, {_joined(parts)}."


def known(rows: "DataFrame") -> str:
    """How many cells and formulas have a known departure, in which framework, and with how few bits."""
    found = rows[rows["status"] == "limited"]
    if found.empty:
        return "No known departure was seen."
    of = rows.loc[rows["status"].isin(RAN), "case"].nunique()
    by = found.groupby("backend", observed=True)["case"].nunique()
    each = [f"{short(name)} in {by[name]:,}" for name in ordered(by.index.tolist(), BACKENDS)]
    fewest = []
    for dtype in ordered(found["dtype"].drop_duplicates().tolist(), DTYPES):
        mine = found[found["dtype"] == dtype]
        bits = least(mine)
        if of_all := significant(dtype) if bits.notna().any() else None:
            row = mine.loc[bits.idxmin()]
            few = f"{max(bits.min(), 0):.0f} of {dtype}'s {of_all}"
            fewest.append(f"{few} ({row['case']} in {short(row['backend'])})")
    cells = f"{count(len(found), 'cell')} in {found['case'].nunique():,} of {count(of, 'formula')}"
    bits_left = f" The fewest correct bits are {_joined(fewest)}." if fewest else ""
    return f"Known departures: {cells} ({_joined(each)}).{bits_left}"


def leads(timed: "DataFrame", machines: Records) -> list[str]:
    """Which framework is the fastest how often: in headlines, else at the first sizes."""
    groups, what = headlines(timed), "headline workload"
    if not groups:
        groups, what = list(workloads(typical(timed))), "workload"
    said = []
    sides = [split(group.to_dict("records"), "on") for group in groups]
    for on in dict.fromkeys(on for each in sides for on in each):
        said.append(_led([each[on] for each in sides if on in each], what, str(on), machines))
    return said or ["Speed: none was measured."]


def _led(groups: Sequence[Sequence[Line]], what: str, on: str, machines: Records) -> str:
    key = str(groups[0][0]["machine"])
    where = ", ".join(filter(None, (on, processor(machines.get(key, {})))))
    first: dict[str, list[float]] = {}
    alone = close = departing = 0
    for group in groups:
        own = leaders(group, "backend")
        top, *others = sorted(own.values(), key=lambda row: row["median_s"])
        if not others:
            alone += 1
        elif all(row["ratio"] - row["ratio_half"] > top["ratio"] for row in others):
            first.setdefault(top["backend"], []).append(others[0]["median_s"] / top["median_s"])
            departing += top["status"] == "limited"
        else:
            close += 1
    by = sorted(first, key=lambda name: -len(first[name]))
    parts = [
        f"{short(name)} leads in {len(first[name])} (the next takes {digits(median(first[name]))} times as "
        "long, as the median)"
        for name in by
    ]
    parts += [f"no lead is clear in {close}"] if close else []
    parts += [f"{alone} ran in one framework only"] if alone else []
    known = f" In {departing} the leader has a known departure." if departing else ""
    return f"Speed on {where or 'this machine'}: of {count(len(groups), what)}, {_joined(parts)}.{known}"


def _places(rows: "DataFrame") -> str:
    found = list(_named(rows))
    more = f" and {len(found) - PLACES} more" if len(found) > PLACES else ""
    return ", ".join(found[:PLACES]) + more


def _named(rows: "DataFrame") -> Iterator[str]:
    for case, backend in rows[["case", "backend"]].drop_duplicates().itertuples(index=False):
        yield f"{case} in {short(backend)}"


def _joined(parts: Sequence[str]) -> str:
    return f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else "".join(parts)
