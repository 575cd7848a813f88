"""The results as pandas DataFrames, for notebooks: what agrees, how many bits, how fast, on which machine.

Each function takes rows as `gaugeblock.load` gives them, and returns a DataFrame whose columns its docstring
lists. ``styled(frame)`` colours one. Every run counts by itself, but for the repeats in `hardware`.
"""

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from bench import pages
from bench.cells.cell import cell_of
from bench.report.growth import exponent, panels
from bench.report.looks import INK, VERDICTS, WRONG
from bench.report.overview import DEPARTED, WORST, least, lost
from bench.report.prices import read as read_prices
from bench.report.ratios import compare as compare_states
from bench.report.ratios import table
from bench.report.states import names
from bench.report.workloads import headlines, speeds
from bench.store.row import TIMED
from bench.store.rows import CELL

if TYPE_CHECKING:
    from pandas import DataFrame
    from pandas.io.formats.style import Styler


def agreement(
    rows: "DataFrame", by: Sequence[str] = ("run_id", "case", "backend", "dtype", "direction")
) -> "DataFrame":
    """What agrees: one line per formula, framework, dtype and direction, or per other columns.

    status: the worst of its cells.
    bits: the fewest effective bits of a cell; NaN where none was counted, -inf where a cell failed without.
    cells, agreeing: how many there are, and how many agree.
    """
    rank = {status: number for number, status in enumerate(WORST)}
    ranked = rows.assign(
        rank=rows["status"].map(rank).fillna(rank["error"]),
        least=least(rows),
        agrees=rows["status"] == "agrees",
    )
    found = ranked.groupby(list(by), sort=False, observed=True).agg(
        rank=("rank", "max"), bits=("least", "min"), cells=("rank", "size"), agreeing=("agrees", "sum")
    )
    found.insert(0, "status", [WORST[int(each)] for each in found.pop("rank")])
    return found.reset_index()


def bits(rows: "DataFrame") -> "DataFrame":
    """Every cell with effective bits, those that lost most first.

    The columns of a cell, and: status, bits, bits_lost, z_rms, z_worst, worst.
    """
    found = rows[rows["bits"].notna()]
    found = found.assign(bits_lost=lost(found))
    shown = found[[*CELL, "status", "bits", "bits_lost", "z_rms", "z_worst", "worst"]]
    return shown.sort_values("bits_lost", ascending=False, kind="stable", ignore_index=True)


def speed(rows: "DataFrame", headline: bool = True) -> "DataFrame":
    """How fast: every contender of the workloads that people run, or with ``headline=False`` of all.

    workload: the title of the headline; empty for another size.
    median_s, low_s, high_s: seconds a call, with the 95 % interval.
    ratio, ratio_half: time relative to the fastest of its workload and run, and half its interval.
    rate, unit: items a second. share: of the roofline. bound: dispatch, compute or memory.
    status, bits: what the speed was bought for.
    """
    import pandas as pd

    parts = []
    for _, mine in rows.groupby("run_id", sort=False):
        timed = speeds(mine.assign(on=""))
        groups = headlines(timed) if headline else [timed]
        parts += [each for each in groups if len(each)]
    columns = [
        "run_id", "workload", "case", "option", "regime", "size", "device", "dtype", "direction", "backend",
        "contender", "mode", "seed", "median_s", "low_s", "high_s", "ratio", "ratio_half", "rate", "unit",
        "share", "bound", "status", "bits",
    ]  # fmt: skip
    if not parts:
        return pd.DataFrame(columns=columns)
    found = pd.concat(parts, ignore_index=True)
    return found.rename(columns={"title": "workload", "throughput": "rate"})[columns]


DEPARTURE = ("run_id", "case", "backend", "status", "why", "limit", "source", "versions")


def departures(rows: "DataFrame", by: Sequence[str] = DEPARTURE) -> "DataFrame":
    """What departs, once each, the worst verdict and the most bits lost first.

    run_id, case, backend, status, why, limit, source, versions: of the departure, or other columns `by`.
    since: the first release known to depart, where the row or a page says so.
    z_low, z_high: the rms error over the rms error that rounding causes. explained_low, explained_high: what
    its Limit explains of that; NaN in older rows. bits_lost: the most of a cell.
    cells: how many. run_id, contender, cell: of the first of them, with its id.
    """
    bad = rows[rows["status"].isin(DEPARTED)]
    bad = bad.assign(lost=lost(bad), rank=bad["status"].map(WORST.index), at=range(len(bad)))
    found = (
        bad.groupby(list(by), sort=False, observed=True)
        .agg(
            z_low=("z_rms", "min"), z_high=("z_rms", "max"), explained_low=("explained_low", "min"),
            explained_high=("explained_high", "max"), bits_lost=("lost", "max"),
            cells=("rank", "size"), rank=("rank", "max"), at=("at", "first"),
        )
        .reset_index()
    )  # fmt: skip
    first = bad.iloc[found.pop("at").to_numpy(int)]
    limits = {(case.name, each.name): each.since for case in pages.cases().values() for each in case.limits}
    told = zip(first["since"], first["case"], first["limit"], strict=True)
    since = [own or limits.get((str(case), str(limit)), "") for own, case, limit in told]
    found.insert(len(by), "since", since)
    ids = [str(cell_of(row)) for row in first.to_dict("records")]
    of = {"run_id": first["run_id"].to_numpy(), "contender": first["contender"].to_numpy(), "cell": ids}
    found = found.assign(**{name: values for name, values in of.items() if name not in by})
    order = found.sort_values(["rank", "bits_lost"], ascending=False, kind="stable", ignore_index=True)
    return order.drop(columns="rank")


def growth(rows: "DataFrame") -> "DataFrame":
    """Time over size: one line per size of each headline's curve of each framework.

    run_id, workload, curve: the framework. items, unit: the size. seconds, half: a call, and half its
    interval. dispatch: whether dispatch takes most of the time. exponent: of the whole curve, as text.
    """
    import pandas as pd

    lines = [
        {
            "run_id": run, "workload": panel.title, "curve": name, "items": point.items, "unit": panel.unit,
            "seconds": point.seconds, "half": point.half, "dispatch": point.dispatch,
            "exponent": exponent([each for each in curve if not each.dispatch]),
        }
        for run, mine in rows.groupby("run_id", sort=False)
        for panel in panels(speeds(mine.assign(on="")))
        for name, curve in panel.curves.items()
        for point in curve
    ]  # fmt: skip
    columns = (
        "run_id", "workload", "curve", "items", "unit", "seconds", "half", "dispatch", "exponent",
    )  # fmt: skip
    return pd.DataFrame(lines, columns=list(columns))


def compare(rows: "DataFrame", by: str = "run_id") -> "DataFrame":
    """The same cell at each value of a column, side by side: machine, threads, version or run_id.

    The other columns of a cell, then for each value: its median seconds, and the ratio to the first value.
    Only cells that every value has. Raises ValueError for a column with one value, or one that two runs of a
    cell share.
    """
    values = list(rows[by].dropna().drop_duplicates())
    if len(values) < 2:
        raise ValueError(f"compare: got one value of {by}, should be two or more; give rows of several runs")
    index = [name for name in CELL if name not in ("run_id", by)]
    timed = rows[(rows["median_s"] > 0) & rows["status"].isin(TIMED)]
    if timed.duplicated([*index, by]).any():
        raise ValueError(
            f"compare: got several speeds of a cell at one value of {by}, should be one; select runs first"
        )
    wide = timed.pivot(index=index, columns=by, values="median_s").dropna()[
        [value for value in values if value in set(timed[by])]
    ]
    first = wide.columns[0]
    for value in list(wide.columns)[1:]:
        wide[f"ratio {value}"] = wide[value] / wide[first]
    return wide.rename_axis(columns=None).reset_index()


def hardware(
    rows: "DataFrame", base: str | None = None, prices: str | os.PathLike[str] | None = None
) -> "DataFrame":
    """How fast each machine runs the workloads that people run, and how many times as fast as a base.

    One line per workload, framework and column. A column is a machine in one state: its settings, threads,
    version of Gaugeblock and of frameworks; the runs of one state count as their median.

    over: headlines, or small sizes, which measure what a call costs and rank no machine.
    workload, case, size, dtype, direction: of the line; the last lines are each a geometric mean.
    framework: its fastest API counts; best is the fastest of all.
    machine: the name of the column: the machine's key, and what tells it from others of that machine.
    seconds, rate, unit: of a call, and items a second. device, contender, mode, status, bits: of what ran.
    dispatch: whether what a call costs takes most of the time; it takes no part in a mean of headlines.
    relative: how many times as fast as `base`, the name or the key of a column (default: the first).
    low, high: its 95 % interval, by a bootstrap over formulas. n: the workloads that all columns have.
    departures: how many of these have a known departure here.
    noise: the part of 1 by which 95 % of the same cells differ in two runs of this column; a smaller
    difference says nothing. Empty without a repeat.
    differs: the settings, suite and versions in which the column differs from the base, in words.
    watt, power: of the file `prices` or as measured at the card, and which. per_watt: items a joule.
    per_price, currency: items for one unit of the currency. relative_per_watt, relative_per_price: to
    those of the base.

    What a column lacks is empty, and never made up. ``attrs["base"]`` is the name of the base. Raises
    ValueError if `base` names no column or several, and for a malformed file: see docs/results.md.
    """
    found = compare_states(rows, read_prices(prices) if prices else None)
    named = names(found.states)
    return table(found.against(_base(base, [each.machine for each in found.states], named)), named)


def _base(base: str | None, keys: Sequence[str], named: Sequence[str]) -> int:
    """The place of the column with that name, or of the only one of the machine with that key."""
    if base is None:
        return 0
    if base in named:
        return named.index(base)
    if keys.count(base) == 1:
        return keys.index(base)
    columns = ", or ".join(map(repr, named)) or "a column, and no run has a speed of a headline"
    raise ValueError(f"hardware: got base {base!r}, should be one of {columns}")


def styled(frame: "DataFrame") -> "Styler":
    """The frame with its statuses coloured and its numbers shortened, for a notebook; texts are escaped."""
    numbers = [name for name in frame.columns if frame[name].dtype.kind == "f"]
    found = frame.style
    found.format(precision=4, na_rep="", escape="html").format("{:.3g}", numbers, na_rep="")
    if "status" in frame:
        found.map(_coloured, subset=["status"])
    return found


def _coloured(status: str) -> str:
    ink = "#fff" if status in WRONG else INK
    return f"background-color: {VERDICTS[status]}; color: {ink}" if status in VERDICTS else ""


def latex(frame: "DataFrame") -> str:
    r"""The frame as a LaTeX table with booktabs' rules; its texts are escaped.

    Put it between ``\begin{document}`` and ``\end{document}`` of a page that uses the package booktabs.
    """
    found = frame.style
    found.format(precision=4, na_rep="", escape="latex").format_index(escape="latex", axis="columns")
    return found.hide(axis="index").to_latex(hrules=True)


__all__ = ("agreement", "bits", "compare", "departures", "growth", "hardware", "latex", "speed", "styled")
