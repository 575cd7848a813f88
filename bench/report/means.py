"""Geometric means of how many times as fast machines are, over the workloads that all of them have."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from pandas import DataFrame

DRAWS, SEED = 1000, 0  # of the bootstrap
RANGE = 0.95  # of an interval, and of what repeats differ by
HEADLINES, CALLS = "headlines", "small sizes"  # in the column `over` of the lines


@dataclass(frozen=True)
class Mean:
    """The geometric mean of how many times as fast as the base a state is; NaN without a workload.

    state: its place.
    framework: its name, or best for the fastest of each workload.
    over: headlines, or small sizes, which measure what a call costs and rank nothing.
    low, high: the 95 % interval, by a bootstrap over formulas.
    n, departures: how many workloads it is over, and in how many of these the state has a known departure.
    per_watt, per_price: the same of items a joule, and of items for the price; NaN where one is not known.
    """

    state: int
    framework: str
    over: str
    relative: float
    low: float
    high: float
    n: int
    departures: int
    per_watt: float
    per_price: float


@dataclass(frozen=True)
class Sheet:
    """The workloads of one framework (or the best) in all states: arrays of (workloads, states).

    cases: the formula of each workload.
    counted: whether the state has a speed that counts.
    """

    framework: str
    over: str
    cases: NDArray[Any]
    counted: NDArray[np.bool_]
    limited: NDArray[np.bool_]
    seconds: NDArray[np.float64]
    per_watt: NDArray[np.float64]
    per_price: NDArray[np.float64]
    currency: NDArray[Any]


def sheets(lines: "DataFrame", states: int) -> list[Sheet]:
    """The lines of `bench.report.ratios`, by framework: they have every state of a workload in a row.

    What is bound by dispatch does not count, but for small sizes, which are about dispatch.
    """
    found = []
    for pair, mine in lines.groupby(["over", "framework"], sort=False):
        over, framework = cast("tuple[str, str]", pair)
        wide = {
            name: mine[name].to_numpy().reshape(-1, states)
            for name in ("seconds", "dispatch", "status", "per_watt", "per_price", "currency")
        }
        counted = np.isfinite(wide["seconds"]) & ~(wide["dispatch"] & (over == HEADLINES))
        cases = mine["case"].to_numpy()[::states]
        found.append(
            Sheet(
                framework, over, cases, counted, wide["status"] == "limited", wide["seconds"],
                wide["per_watt"], wide["per_price"], wide["currency"],
            )
        )  # fmt: skip
    return found


def means(found: Iterable[Sheet], places: Sequence[int], base: int) -> Iterator[Mean]:
    """Of each of these states but the base, over the workloads that count in all these states."""
    for each in found:
        own = each.counted[:, list(places)].all(axis=1)
        for place in places:
            if place != base:
                middle, low, high = interval(
                    np.log(each.seconds[own, base] / each.seconds[own, place]), each.cases[own]
                )
                same = (each.currency[own, place] == each.currency[own, base]).all()
                yield Mean(
                    place, each.framework, each.over, middle, low, high, int(own.sum()),
                    int(each.limited[own, place].sum()),
                    _ratio(each.per_watt[own, place], each.per_watt[own, base]),
                    _ratio(each.per_price[own, place], each.per_price[own, base]) if same else math.nan,
                )  # fmt: skip


def _ratio(one: NDArray[np.float64], base: NDArray[np.float64]) -> float:
    """The geometric mean of a ratio; NaN where one is not known."""
    logs = np.log(one / base)
    return float(np.exp(logs.mean())) if logs.size and np.isfinite(logs).all() else math.nan


def beyond(mean: Mean, floor: float | None) -> bool | None:
    """Whether a mean is further from 1 than repeats differ, by `floor`; None if it is not known."""
    if floor is None or not math.isfinite(mean.relative):
        return None
    return abs(math.log(mean.relative)) > math.log1p(floor)


def interval(logs: Any, groups: Sequence[Any] | NDArray[Any]) -> tuple[float, float, float]:
    """The geometric mean of exp(logs) with its 95 % interval, by a bootstrap over groups; NaN of nothing.

    logs, groups: (n,). The seed is fixed, so that a report is the same each time.
    """
    if not len(logs):
        return math.nan, math.nan, math.nan
    _, at = np.unique(np.asarray(groups, dtype=str), return_inverse=True)
    sums, sizes = np.bincount(at, logs), np.bincount(at)
    drawn = np.random.default_rng(SEED).integers(0, sizes.size, (DRAWS, sizes.size))
    found = sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1)
    low, high = np.exp(np.quantile(found, ((1 - RANGE) / 2, (1 + RANGE) / 2)))
    return float(np.exp(np.mean(logs))), float(low), float(high)
