"""The results as pandas DataFrames, for notebooks: what agrees, how many bits, how fast, on which machine.

Each function takes rows as `gaugeblock.load` gives them, and returns a DataFrame whose columns its docstring
lists. ``styled(frame)`` colours one. Every run counts by itself: nothing is averaged over runs in silence.
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from bench import pages
from bench.report.growth import exponent, panels
from bench.report.overview import FAILED, WORST, least, lost
from bench.report.workloads import DISPATCH, headlines, speeds
from bench.store.row import TIMED
from bench.store.rows import CELL

if TYPE_CHECKING:
    from pandas import DataFrame
    from pandas.io.formats.style import Styler

DRAWS, SEED = 1000, 0  # of the bootstrap


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


def departures(rows: "DataFrame") -> "DataFrame":
    """What departs, once each, the worst verdict and the most bits lost first.

    run_id, case, backend, status, why, limit, source, versions: of the departure.
    since: the first release known to depart, where a page says so.
    z_low, z_high: the rms error over the rms error that rounding causes. bits_lost: the most of a cell.
    cells: how many.
    """
    bad = rows[rows["status"].isin((*FAILED, "limited", "imprecise"))]
    bad = bad.assign(lost=lost(bad), rank=bad["status"].map(WORST.index))
    by = ["run_id", "case", "backend", "status", "why", "limit", "source", "versions"]
    found = (
        bad.groupby(by, sort=False, observed=True)
        .agg(
            z_low=("z_rms", "min"), z_high=("z_rms", "max"), bits_lost=("lost", "max"),
            cells=("rank", "size"), rank=("rank", "first"),
        )
        .reset_index()
    )  # fmt: skip
    since = {(case.name, each.name): each.since for case in pages.cases().values() for each in case.limits}
    pairs = zip(found["case"], found["limit"], strict=True)
    found.insert(len(by), "since", [since.get((str(case), str(limit)), "") for case, limit in pairs])
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


def hardware(rows: "DataFrame", base: str | None = None) -> "DataFrame":
    """Runs as columns, headline workloads as lines: how fast each machine runs them at best.

    workload, direction: a line. Then for each run: its fastest median in seconds, and ``ratio <run>`` to that
    of `base` (the first run). The last line, ``geometric mean``, is over the workloads that all runs have and
    none is bound by dispatch in; ``low <run>`` and ``high <run>`` are its 95 % interval, by a bootstrap over
    formulas. ``attrs["n"]`` is how many workloads it has. What a run lacks is empty, and never made up.
    Raises ValueError if `base` is no run of these rows.
    """
    import pandas as pd

    found = speed(rows)
    runs = list(found["run_id"].drop_duplicates())
    base = base or next(iter(runs), None)
    if base not in runs:
        raise ValueError(
            f"hardware: got {base!r}, should be one of {', '.join(runs) or 'the runs with speeds'}"
        )
    line = ["workload", "case", "direction", "dtype"]
    best = found.loc[found.groupby(["run_id", *line], sort=False)["median_s"].idxmin()]
    wide = best.pivot(index=line, columns="run_id", values="median_s")[runs]
    held = best.assign(held=best["bound"] == DISPATCH).pivot(index=line, columns="run_id", values="held")
    counted = wide.notna().all(axis=1) & ~held.fillna(False).astype(bool).any(axis=1)
    groups = [np.flatnonzero(wide[counted].index.get_level_values("case") == case)
              for case in dict.fromkeys(wide[counted].index.get_level_values("case"))]  # fmt: skip
    mean: dict[str, Any] = {"workload": "geometric mean", "case": "", "direction": "", "dtype": ""}
    for run in runs:
        wide[f"ratio {run}"] = wide[run] / wide[base]
        logs = np.log(wide.loc[counted, f"ratio {run}"].to_numpy(float))
        middle, low, high = interval(logs, groups)
        mean |= {f"ratio {run}": middle, f"low {run}": low, f"high {run}": high}
    done = pd.concat([wide.rename_axis(columns=None).reset_index(), pd.DataFrame([mean])], ignore_index=True)
    done.attrs = {"n": int(counted.sum()), "base": base}
    return done


def interval(logs: Any, groups: Sequence[Any]) -> tuple[float, float, float]:
    """The geometric mean of exp(logs) with its 95 % interval, by a bootstrap over groups of places."""
    if not len(groups):
        return math.nan, math.nan, math.nan
    rng = np.random.default_rng(SEED)
    means = [
        float(np.exp(np.mean(logs[np.concatenate([groups[each] for each in drawn])])))
        for drawn in rng.integers(0, len(groups), (DRAWS, len(groups)))
    ]
    low, high = np.quantile(means, (0.025, 0.975))
    return float(np.exp(np.mean(logs))), float(low), float(high)


COLOURS = {
    "agrees": "#cfe0e7", "limited": "#f7c566", "imprecise": "#efe29f", "disagrees": "#c8341a",
    "error": "#c8341a",
}  # fmt: skip


def styled(frame: "DataFrame") -> "Styler":
    """The frame with its statuses coloured and its numbers shortened, for a notebook; texts are escaped."""
    numbers = [name for name in frame.columns if frame[name].dtype.kind == "f"]
    found = frame.style
    found.format(precision=4, na_rep="", escape="html").format("{:.3g}", numbers, na_rep="")
    if "status" in frame:
        found.map(_coloured, subset=["status"])
    return found


def _coloured(status: str) -> str:
    ink = "#fff" if status in ("disagrees", "error") else "#1a2127"
    return f"background-color: {COLOURS[status]}; color: {ink}" if status in COLOURS else ""


__all__ = ("agreement", "bits", "compare", "departures", "growth", "hardware", "speed", "styled")
