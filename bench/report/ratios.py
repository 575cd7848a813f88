"""States of machines side by side: how fast each runs the workloads that people run, to a base."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from bench.report import prices as costs
from bench.report.means import CALLS, HEADLINES, RANGE, Mean, Sheet, means, sheets
from bench.report.overview import BACKENDS, WORST, ordered
from bench.report.prices import Prices
from bench.report.states import RUN, State, differences, states
from bench.report.workloads import DISPATCH, RACED, headlines, races, typical

if TYPE_CHECKING:
    from pandas import DataFrame, Series

BEST = "best"  # in the column `framework`: the fastest of all
LINE = ["over", "case", "size", "dtype", "direction", "workload"]  # any device of a machine may run it
COLUMNS = (
    "over", "workload", "case", "size", "dtype", "direction", "framework", "machine", "seconds", "rate",
    "unit", "relative", "low", "high", "n", "departures", "noise", "differs", "device", "contender", "mode",
    "status", "bits", "dispatch", "watt", "power", "per_watt", "relative_per_watt", "per_price", "currency",
    "relative_per_price",
)  # fmt: skip
MEAN = "geometric mean"  # in the column `workload`
CELL = ["option", "regime", "contender", "backend", "mode", "device", "seed"]
COMPARED = [
    *RUN, *LINE[:-1], *CELL, "title", "bound", "status", "bits", "median_s", "throughput", "unit", "power_w",
]  # fmt: skip
FILE, MEASURED = "file", "measured"  # where the watts are from


@dataclass(frozen=True)
class Noise:
    """How far repeats of a state differ.

    95 % of the cells of its headlines differ by less than `part` between two of the `runs`. `cells`: how
    many are in two runs.
    """

    part: float
    runs: int
    cells: int


@dataclass(frozen=True)
class Comparison:
    """States of machines side by side.

    states: those with a speed of a headline; the others are held against that at the place `base`.
    noise: what the repeats of each differ by; None for one run.
    lines: the fastest contender of each workload, framework and state: see `_lines`.
    """

    states: Sequence[State]
    noise: Sequence[Noise | None]
    lines: "DataFrame"
    prices: Prices = field(default_factory=dict)
    base: int = 0

    @cached_property
    def sheets(self) -> list[Sheet]:
        return sheets(self.lines, len(self.states)) if self.states else []

    def means(self) -> list[Mean]:
        """Of each state but the base, by framework, over the workloads that all states have."""
        return list(means(self.sheets, range(len(self.states)), self.base))

    def pair(self, base: int, other: int) -> list[Mean]:
        """Of the other one, over the workloads that these two have."""
        return list(means(self.sheets, (base, other), base))

    def floor(self, base: int, other: int) -> float | None:
        """What a ratio of these two must exceed, as a part of 1; None if one of them has no repeat."""
        found = [each.part for each in (self.noise[base], self.noise[other]) if each]
        return max(found) if len(found) == 2 else None

    def against(self, base: int) -> "Comparison":
        """The same states, held against another one."""
        if base == self.base:
            return self
        return replace(self, base=base, lines=self.lines.assign(**_relative(self.lines, base)))


def compare(rows: "DataFrame", prices: Prices | None = None) -> Comparison:
    """The states of the machines in these rows side by side, the first as the base.

    The runs of one state are one column: of each cell the median over runs. Runs without a speed of a
    headline are no part of it.
    """
    kept = rows.loc[rows["median_s"] > 0, RACED]
    if kept.empty:
        return across(rows, [], prices)
    runs = kept.groupby(RUN, sort=False, observed=True).ngroup()
    # of all runs at once, because each call costs time
    timed = (mine for _, mine in races(kept.assign(on=runs)).groupby("on"))
    return across(rows, [compared(mine, headlines(mine)) for mine in timed], prices)


def compared(timed: "DataFrame", named: Sequence["DataFrame"]) -> "DataFrame":
    """What `across` needs of the `races` of one run: its headlines, and the first sizes of other formulas.

    Empty without a headline.
    """
    import pandas as pd

    if not named:
        return pd.DataFrame()
    small = typical(timed[timed["first"] & (timed["title"] == "")])
    others = [small.assign(over=CALLS, title=small["case"])] if len(small) else []
    return pd.concat([pd.concat(named).assign(over=HEADLINES), *others], ignore_index=True)[COMPARED]


def across(rows: "DataFrame", several: Sequence["DataFrame"], prices: Prices | None = None) -> Comparison:
    """What `compare` gives. `several` are the runs, as `compared` has them; `rows` tell their states."""
    import pandas as pd

    parts = [each for each in several if len(each)]
    if not parts:
        return Comparison((), (), pd.DataFrame())
    timed = pd.concat(parts, ignore_index=True)
    whole = pd.MultiIndex.from_frame(rows[RUN])
    found = states(rows[whole.isin(pd.MultiIndex.from_frame(timed[RUN].drop_duplicates()))])
    place = {(each.machine, run): number for number, each in enumerate(found) for run in each.runs}
    timed["state"] = [place[key] for key in zip(timed["machine"], timed["run_id"], strict=True)]
    noise = [_noise(timed[timed["state"] == number]) for number in range(len(found))]
    return Comparison(found, noise, _lines(timed, found, prices or {}), prices or {})


def _noise(timed: "DataFrame") -> Noise | None:
    """The 95 % range of the log ratio of the same cell of a headline in two runs; None without such a cell.

    Two runs have no order, so that the range is symmetrical: up and down by as much.
    """
    counted = timed[(timed["over"] == HEADLINES) & (timed["bound"] != DISPATCH)]
    by = ["case", "size", "dtype", "direction", *CELL, "run_id"]
    wide = counted.groupby(by, sort=False, observed=True)["median_s"].median().unstack("run_id")
    logs = np.log(wide.to_numpy(float))
    pairs = [np.abs(logs[:, one] - logs[:, other]) for one, other in combinations(range(logs.shape[1]), 2)]
    apart = np.concatenate(pairs) if pairs else np.array([])
    apart = apart[np.isfinite(apart)]
    if not apart.size:
        return None
    cells = int((np.isfinite(logs).sum(axis=1) > 1).sum())
    return Noise(float(np.expm1(np.quantile(apart, RANGE))), logs.shape[1], cells)


def _lines(timed: "DataFrame", found: Sequence[State], prices: Prices) -> "DataFrame":
    """One line per workload, framework and state, whether the state has it or not; states in a row.

    over, case, size, dtype, direction, workload, framework, state, and of the fastest contender: seconds,
    rate, unit, backend, contender, mode, device, status, bits, dispatch, watt, power (where the watts are
    from), per_watt (items a joule), per_price (items for one unit of the currency), currency, relative,
    relative_per_watt, relative_per_price.
    """
    import pandas as pd

    cells = _cells(timed)
    parts = [
        cells.loc[cells.groupby([*LINE, "state", *by], sort=False)["seconds"].idxmin()]
        for by in ([], ["backend"])
    ]
    best = pd.concat(
        [parts[0].assign(framework=BEST), parts[1].assign(framework=parts[1]["backend"])], ignore_index=True
    )
    names = [BEST, *ordered(cells["backend"].drop_duplicates().tolist(), BACKENDS)]
    pairs = best[[*LINE, "framework"]].drop_duplicates()
    pairs = pairs.assign(
        first=pairs.groupby(LINE, sort=False).ngroup(), order=pairs["framework"].map(names.index)
    ).sort_values(["first", "order"])
    grid = pairs[[*LINE, "framework"]].merge(pd.DataFrame({"state": range(len(found))}), how="cross")
    whole = grid.merge(_costed(best, found, prices), on=[*LINE, "framework", "state"], how="left")
    whole["dispatch"] = whole["dispatch"].eq(True)  # empty where a state lacks the workload
    return whole.assign(**_relative(whole, 0))


def _cells(timed: "DataFrame") -> "DataFrame":
    """Each contender of each workload in each state: the median over runs, and the worst status."""
    where = ", on the " + timed["device"].astype(str)
    titles = [title.removesuffix(end) for title, end in zip(timed["title"], where, strict=True)]
    cells = (
        timed.assign(
            workload=titles, rank=timed["status"].map(WORST.index), dispatch=timed["bound"] == DISPATCH,
            unit=timed["unit"].astype(str).str.removesuffix("/s"),
        )
        .groupby([*LINE, "state", *CELL], sort=False, observed=True)
        .agg(
            seconds=("median_s", "median"), rate=("throughput", "median"), unit=("unit", "first"),
            rank=("rank", "max"), bits=("bits", "min"), dispatch=("dispatch", "any"),
            power_w=("power_w", "median"),
        )
        .reset_index()
    )  # fmt: skip
    return cells.assign(status=[WORST[each] for each in cells.pop("rank")])


def _costed(best: "DataFrame", found: Sequence[State], prices: Prices) -> "DataFrame":
    """With watts, of the file where it has them and else as measured, and what they and the price yield."""
    told = [costs.of(prices, found[place].machine) for place in best["state"]]
    given = np.array([each.watt for each in told], dtype=float)
    hourly = np.array([each.per_hour for each in told], dtype=float)
    measured = best["power_w"].to_numpy(float)
    watt = np.where(np.isfinite(given), given, np.where(measured > 0, measured, math.nan))
    power = np.where(np.isfinite(given), FILE, np.where(np.isfinite(watt), MEASURED, ""))
    return best.drop(columns="power_w").assign(
        watt=watt, power=power, per_watt=best["rate"] / watt, per_price=best["rate"] * 3600 / hourly,
        currency=[each.currency for each in told],
    )  # fmt: skip


def _relative(whole: "DataFrame", base: int) -> "dict[str, Series]":
    """How many times as fast as the base, and as many items a joule and for the price in its currency."""
    line = [*LINE, "framework"]
    theirs = whole[line].merge(whole[whole["state"] == base], on=line, how="left").set_index(whole.index)
    return {
        "relative": theirs["seconds"] / whole["seconds"],
        "relative_per_watt": whole["per_watt"] / theirs["per_watt"],
        "relative_per_price": (whole["per_price"] / theirs["per_price"]).where(
            theirs["currency"] == whole["currency"]
        ),
    }


def table(found: Comparison, named: Sequence[str]) -> "DataFrame":
    """The lines and the means as one DataFrame, with the columns that `gaugeblock.hardware` documents."""
    import pandas as pd

    means = [
        {**vars(each), "workload": MEAN, "relative_per_watt": each.per_watt, "per_watt": math.nan,
         "relative_per_price": each.per_price, "per_price": math.nan}
        for each in found.means()
    ]  # fmt: skip
    whole = pd.concat([found.lines, pd.DataFrame(means)], ignore_index=True) if means else found.lines
    told = {
        "machine": named,
        "noise": [each.part if each else math.nan for each in found.noise],
        "differs": ["; ".join(differences(found.states[found.base], each)) for each in found.states],
    }
    places = whole["state"].tolist() if len(whole) else []
    whole = whole.assign(**{name: [values[place] for place in places] for name, values in told.items()})
    done = whole.reindex(columns=list(COLUMNS)).astype({"n": "Int64", "departures": "Int64"})
    done.attrs = {"base": named[found.base]} if named else {}
    return done
