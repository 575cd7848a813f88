"""The section "Hardware" of a report: states of machines side by side, and what repeats of them differ by."""

import math
from collections.abc import Iterator, Mapping, Sequence
from statistics import median
from typing import Any

from bench.digits import count, digits, scaled, seconds
from bench.report import prices as costs
from bench.report.header import Records, cards
from bench.report.means import CALLS, HEADLINES, Mean, beyond
from bench.report.overview import short
from bench.report.ratios import BEST, FILE, MEASURED, Comparison, Noise
from bench.report.speeds import DIRECTIONS, bits, percent
from bench.report.states import State, differences, names
from bench.report.table import Section, Table

TITLE = "Hardware"
MEANS, WORKLOADS = f"{TITLE}: times as fast as", f"{TITLE}: each workload"
YIELDS = f"{TITLE}: per watt and per price"
NO_REPEAT = "no repeat"
PIECE = 2  # states in a table: as many as fit into a terminal
Values = Mapping[str, Any]


def hardware(found: Comparison, machines: Records, *, every: bool = False) -> list[Section]:
    """The comparison as tables; none of one state without a repeat and without a price.

    `every` adds each framework's line of each workload.
    """
    several = len(found.states) > 1
    paid = bool(len(found.lines)) and bool(found.lines[["per_watt", "per_price"]].notna().any(axis=None))
    if not (several or any(found.noise) or paid):
        return []
    tables: list[Section] = [_columns(found, machines)]
    if several:
        tables += [_means(found), *_workloads(found, every)]
    return [*tables, *_yields(found)] if paid else tables


def letters(found: Comparison) -> list[str]:
    """What each state is called: the letters of a report, or a name of its own; nothing for one alone."""
    if len(found.states) == 1:
        return [found.states[0].on]
    return [each.on or name for each, name in zip(found.states, names(found.states), strict=True)]


def machine(state: State, machines: Records) -> str:
    """The machine of a state in a few words, with the settings."""
    record = machines.get(state.machine, {})
    told = cards(record)
    name = told[0] if told else str(record.get("cpu") or "machine not recorded")
    parts = [f"{len(told)} × {name}" if len(told) > 1 else name, state.machine]
    parts += [count(state.threads, "thread")] if state.threads else []
    return ", ".join(filter(None, (*parts, state.settings)))


def noise(found: Noise | None) -> str:
    """What repeats differ by: ``3.2% (57 cells, 2 runs)``."""
    if not found:
        return NO_REPEAT
    return f"{percent(found.part) or '0%'} ({count(found.cells, 'cell')}, {count(found.runs, 'run')})"


def power(found: Comparison, place: int) -> str:
    """The watts of a state and where they are from; empty where none is known."""
    lines = found.lines[(found.lines["state"] == place) & (found.lines["over"] == HEADLINES)]
    given = lines.loc[lines["power"] == FILE, "watt"]
    measured = lines.loc[lines["power"] == MEASURED, "watt"]
    if len(given):
        return f"{digits(given.iloc[0])} W, of the file"
    return f"{digits(median(measured))} W, measured at the card" if len(measured) else ""


def price(found: Comparison, place: int) -> str:
    """The price of a state's machine, with its note; empty where none is known."""
    told = costs.of(found.prices, found.states[place].machine)
    hourly = f"{digits(told.per_hour)} {told.currency} an hour" if math.isfinite(told.per_hour) else ""
    return ", ".join(filter(None, (hourly, told.note)))


def _columns(found: Comparison, machines: Records) -> Table:
    base, called = found.states[found.base], letters(found)
    several = len(found.states) > 1
    more = {
        "power": [power(found, place) for place in range(len(called))],
        "price": [price(found, place) for place in range(len(called))],
        f"against {called[found.base]}": ["; ".join(differences(base, each)) for each in found.states],
    }
    shown = {name: cells for name, cells in more.items() if any(cells)}
    lines = [
        (
            *([called[place]] if several else []),
            machine(state, machines),
            f"{len(state.runs)}",
            noise(found.noise[place]),
            *(cells[place] for cells in shown.values()),
        )
        for place, state in enumerate(found.states)
    ]
    columns = (*([""] if several else []), "machine", "runs", "noise floor", *shown)
    return Table(TITLE, columns, lines, right=("runs",), note=FLOOR)


FLOOR = (
    "noise floor: 95 % of the same cells differ by less between two runs of one state, so that a smaller "
    "difference says nothing; several runs count as their median. Without a repeat it is not known."
)


def _means(found: Comparison) -> Table:
    called, every = letters(found), found.means()
    base = called[found.base]
    shown = [
        each
        for place in range(len(called))
        for each in every
        if each.state == place and (each.over == HEADLINES or (each.framework == BEST and each.n))
    ]
    yields = [
        name
        for name in ("per_watt", "per_price")
        if any(math.isfinite(getattr(each, name)) for each in shown)
    ]
    lines = [
        (
            called[each.state],
            SMALL if each.over == CALLS else short(each.framework),
            *mean(each),
            said(each, found.floor(found.base, each.state)),
            *(digits(getattr(each, name)) for name in yields),
        )
        for each in shown
    ]
    numbers = ("times as fast", "95 % interval", "workloads", "departures")
    more = [name.replace("_", " ") for name in yields]
    columns = ("", "framework", *numbers, "beyond noise", *more)
    return Table(f"{MEANS} {base}", columns, lines, right=(*numbers, *more), note=AVERAGED, level=3)


SMALL = "small sizes"
AVERAGED = (
    "Geometric means over the workloads that every column has, of each framework its fastest API; nothing "
    "is made up for what one lacks. What is bound by dispatch in any column takes no part. best: the fastest "
    "framework of each workload. interval: by a bootstrap over formulas. departures: how many of the "
    "workloads depart for a known reason here. small sizes: they measure what a call costs, and rank no "
    "hardware."
)


def mean(each: Mean) -> tuple[str, str, str, str]:
    """A mean as text: the ratio, its interval, how many workloads, how many departures."""
    if not each.n:
        return "", "", "0", ""
    return digits(each.relative), f"{digits(each.low)}–{digits(each.high)}", f"{each.n}", f"{each.departures}"


def said(each: Mean, floor: float | None) -> str:
    """Whether the mean is beyond what repeats differ by; empty where nothing is ranked."""
    if each.over == CALLS or not each.n:
        return ""
    return {True: "yes", False: "no", None: "not known"}[beyond(each, floor)]


def title(row: Values) -> str:
    """A workload in words: with its direction, what its items are, and a dtype that is not float32."""
    parts = [str(row["workload"]), str(DIRECTIONS.get(row["direction"], row["direction"]))]
    return ", ".join(parts if row["dtype"] == "float32" else [*parts, str(row["dtype"])])


def groups(found: Comparison) -> Iterator[list[dict[Any, Any]]]:
    """The lines of each workload and framework of headlines: one for each state."""
    if not found.states:
        return
    rows, size = found.lines[found.lines["over"] == HEADLINES].to_dict("records"), len(found.states)
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


def has(row: Values) -> bool:
    """Whether the state has the workload."""
    return math.isfinite(row["seconds"])


def _titled(rows: Sequence[Values]) -> str:
    """The title of a line, with the unit and with the framework unless it is the best."""
    unit = next(str(row["unit"]) for row in rows if has(row))
    framework = short(rows[0]["framework"])
    return f"{title(rows[0])}{f' ({unit})' if unit else ''}{'' if framework == BEST else f': {framework}'}"


def _workloads(found: Comparison, every: bool) -> Iterator[Table]:
    called = letters(found)
    shown = [rows for rows in groups(found) if every or rows[0]["framework"] == BEST]
    names = ("time", "rate", "by", "×")
    columns = [
        (place, name)
        for place in range(len(called))
        for name in (names[:3] if place == found.base else names)
    ]
    cells = [(_titled(rows), [dict(zip(names, _cell(row), strict=True)) for row in rows]) for rows in shown]
    for start in range(0, len(called), PIECE):
        here = [(place, name) for place, name in columns if start <= place < start + PIECE]
        heads = [f"{called[place]} {name}" for place, name in here]
        lines = [(text, *(told[place][name] for place, name in here)) for text, told in cells]
        note = "" if start else CELLS.format(base=called[found.base])
        yield Table(
            WORKLOADS, ("workload", *heads), lines, right=heads, stacked=True, level=3, note=note
        )  # fmt: skip


CELLS = (
    "time: seconds of one call. rate: items a second. by: the fastest framework, with its correct bits "
    "(after L: it departs for a known reason). ×: times as fast as {base}. d: bound by dispatch, what a call "
    "costs. Empty: not timed there."
)


def _cell(row: Values) -> tuple[str, str, str, str]:
    if not has(row):
        return "", "", "", ""
    where = "" if row["device"] == "cpu" else f" {row['device']}"
    return (
        f"{seconds(row['seconds'])}{' d' if row['dispatch'] else ''}", scaled(row["rate"]),
        f"{short(row['backend'])}{where} {bits(row)}".rstrip(), digits(row["relative"]),
    )  # fmt: skip


def _yields(found: Comparison) -> Iterator[Table]:
    called = letters(found)
    shown = [rows for rows in groups(found) if rows[0]["framework"] == BEST]
    columns = [
        (place, name)
        for place in range(len(called))
        for name in ("per_watt", "per_price")
        if any(math.isfinite(rows[place][name]) for rows in shown)
    ]
    for start in range(0, len(columns), 3 * PIECE):
        here = columns[start : start + 3 * PIECE]
        heads = [f"{called[place]} items/{_unit(found, place, name)}".strip() for place, name in here]
        lines = [(_titled(rows), *(scaled(rows[place][name]) for place, name in here)) for rows in shown]
        yield Table(
            YIELDS, ("workload", *heads), lines, right=heads, stacked=True, level=3,
            note="" if start else YIELD,
        )  # fmt: skip


def _unit(found: Comparison, place: int, name: str) -> str:
    return "J" if name == "per_watt" else costs.of(found.prices, found.states[place].machine).currency


YIELD = (
    "Of the fastest framework: items a joule, by the watts above, and items for one unit of the price. Watts "
    "measured at a card are those of each workload, without the rest of the machine."
)
