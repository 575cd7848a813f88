"""Speeds by workload: the frame that all tables of speeds are made from."""

from collections.abc import Iterable, Iterator, Sequence
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import numpy as np

from bench import pages
from bench import size as sizes
from bench.case import Headline
from bench.report.overview import DTYPES, WAYS, ordered

if TYPE_CHECKING:
    from pandas import DataFrame

# runs --as-shipped are not compared with runs of declared settings
WORKLOAD = ["case", "size", "device", "dtype", "direction", "settings", "variant"]
CONTENDER = ["on", "backend", "contender", "mode"]
RACE = [*WORKLOAD, "on"]  # whose times are multiples of one: those of several machines are not
PLACE = ["case", "size", "device"]
INPUTS = ["case", "size", "option", "regime"]
# the columns that `races` needs, and those that are shown of a speed: few, because each costs time
RACED = [
    "case", "option", "regime", "size", "contender", "backend", "mode", "device", "dtype", "direction",
    "seed", "run_id", "machine", "time", "settings", "status", "bits", "bound", "series", "median_s", "low_s",
    "high_s", "ratio", "ratio_low", "ratio_high", "share", "throughput", "unit", "flops", "power_w",
]  # fmt: skip
PLACED = {"title": object, "place": int, "curve": object, "main": object, "first": bool}  # see _places

Line = dict[Any, Any]  # a row by column: of a few rows, quicker than a frame

DISPATCH, COMPUTE = "dispatch", "compute"  # values of `bound`

# headlines in the order of a report: from regression to models; others come after them
ORDER = (
    "linear-regression", "gradient-descent", "batch-gradient-descent", "embedding-bag", "skip-gram-training",
    "perceptron", "sparse-cross-entropy", "layer-norm", "attention", "multi-head-attention",
    "transformer-encoder-layer", "transformer", "lstm", "lstm-model", "wavenet", "conv2d", "max-pool",
    "inception-network", "cnn-training", "adam",
)  # fmt: skip


def speeds(rows: "DataFrame") -> "DataFrame":
    """The rows of `races` with `label`, `even` and `even_eager`."""
    timed = races(rows)
    numpy, eager = timed["backend"] == "numpy", timed["mode"] == "eager"
    return timed.assign(
        label=_labels(timed),
        even=_breaks_even(timed, numpy, RACE),
        even_eager=_breaks_even(timed, eager, [*WORKLOAD, *CONTENDER[:-1]]),
    )


def races(rows: "DataFrame") -> "DataFrame":
    """The rows that have a speed, the latest of each cell, with more columns.

    `half`, `ratio`, `ratio_half`, `ratio_from`, `ratio_to` (its interval), `variant`, and those of `_places`.
    Ratios are to the fastest on the same machine and settings (column `on`): paired by round if one run
    sampled the whole workload, and of medians otherwise.
    """
    timed = rows[rows["median_s"] > 0].sort_values("time", kind="stable")
    timed = timed.drop_duplicates([*WORKLOAD[:-1], "option", "regime", *CONTENDER], keep="last").sort_index()
    timed = timed.merge(_places(timed), on=PLACE, how="left").merge(_ranks(timed), on=INPUTS, how="left")
    timed = timed.assign(variant=_variants(timed))
    by_workload = timed.groupby(RACE, sort=False, observed=True)
    wide = timed[["high_s", "low_s"]].sub(timed["median_s"], axis=0).abs().max(axis=1)
    first = timed.loc[by_workload["median_s"].transform("idxmin")]
    timed = timed.assign(
        half=wide, ratio_of_medians=timed["median_s"] / by_workload["median_s"].transform("min")
    )
    own, best = timed["half"] / timed["median_s"], (wide[first.index] / first["median_s"]).to_numpy()
    timed["ratio_half"] = timed["ratio_of_medians"] * np.hypot(own, best)
    # what one run sampled together has one contender with a ratio of 1: that to which the others are paired
    together = (timed["ratio"] == 1).groupby(by_workload.ngroup()).transform("sum") == 1
    paired = timed["ratio"].notna() & together & (by_workload["run_id"].transform("nunique") == 1)
    wide = timed[["ratio_high", "ratio_low"]].sub(timed["ratio"], axis=0).abs().max(axis=1)
    timed["ratio_half"] = wide.where(paired, timed["ratio_half"])
    timed["ratio"] = timed["ratio"].where(paired, timed["ratio_of_medians"])
    low = (timed["ratio"] - timed["ratio_half"]).clip(lower=timed["ratio"] / 10)  # a time is not negative
    timed["ratio_from"] = timed["ratio_low"].where(paired, low)
    timed["ratio_to"] = timed["ratio_high"].where(paired, timed["ratio"] + timed["ratio_half"])
    return timed


def workloads(timed: "DataFrame") -> Iterator["DataFrame"]:
    """The rows of each workload."""
    for _, group in timed.groupby(WORKLOAD, sort=False, observed=True):
        yield group


def headlines(timed: "DataFrame") -> list["DataFrame"]:
    """The rows of each headline at its own size, in float32 if there is any: the main direction first."""
    shown = typical(timed[timed["title"] != ""])
    known = ordered(shown["case"].drop_duplicates().tolist(), ORDER)

    def place(group: "DataFrame") -> tuple[int, int, str, bool]:
        case, number, device, direction, main = (
            group[name].iat[0] for name in ("case", "place", "device", "direction", "main")
        )
        return known.index(case), number, device, direction != main

    return sorted(workloads(shown), key=place)


def leading(timed: "DataFrame") -> list["DataFrame"]:
    """The headlines, each in the direction that a default run times."""
    return headlines(timed[timed["direction"] == timed["main"]])


def typical(timed: "DataFrame") -> "DataFrame":
    """What all frameworks are timed on, in float32 if there is any."""
    timed = timed[timed["variant"] == ""]
    usual = ordered(timed["dtype"].drop_duplicates().tolist(), ("float32", *DTYPES))
    return timed[timed["dtype"] == usual[0]] if usual else timed


def fastest(group: "DataFrame", by: str) -> dict[Any, Line]:
    """The fastest row of each value of a column, by the value."""
    return leaders(group.to_dict("records"), by)


def leaders(rows: Iterable[Line], by: str) -> dict[Any, Line]:
    """The same of lines."""
    found: dict[Any, Line] = {}
    for row in rows:
        if row[by] not in found or row["median_s"] < found[row[by]]["median_s"]:
            found[row[by]] = row
    return found


def split(rows: Iterable[Line], *by: str) -> dict[Any, list[Line]]:
    """The lines by the values of these columns: one value, or a tuple of several."""
    value, found = itemgetter(*by), dict[Any, list[Line]]()
    for row in rows:
        found.setdefault(value(row), []).append(row)
    return found


def unit(row: Line) -> str:
    """What the items of a workload are."""
    return str(row["unit"] or "").removesuffix("/s")


def _places(timed: "DataFrame") -> "DataFrame":
    """What each (case, size, device) is on its page.

    title: of the headline that has this size there; empty if none has.
    place: that of the headline on its page.
    curve: the title of the headline that has this size, or has it in its growth; empty if none has.
    main: the direction that a default run times.
    first: whether it is the first size, at which a call costs least.
    """
    found = timed[PLACE].drop_duplicates()
    columns: dict[str, list[Any]] = {name: [] for name in PLACED}
    for name, size, device in found.itertuples(index=False):
        case = pages.cases().get(name)
        headline = sizes.headline(case, size) if case else None
        leading = headline or next(iter(case.headlines if case else ()), None)
        last = case.directions[-1] if case else ""
        directions = case.directions if case else ()
        own = case and headline and size in {sizes.on(case, headline, device, each) for each in directions}
        columns["title"].append(_title(headline, device, size) if headline and own else "")
        columns["place"].append(list(case.headlines).index(headline) if case and headline else 0)
        columns["curve"].append(headline.title if headline else "")
        columns["main"].append(leading.direction or last if leading else last)
        columns["first"].append(case is not None and size == next(iter(case.sizes)))
    return found.assign(**columns).astype(PLACED)


def _title(headline: Headline, device: str, size: str) -> str:
    """The title of a headline, which tells its size on a CPU; elsewhere with the dimensions that differ."""
    if device == "cpu":
        return headline.title
    larger = size != headline.size
    changed = sizes.spelled(headline.gpu).replace(":", " ").replace("+", ", ") if larger else ""
    return ", ".join(filter(None, (headline.title, changed, f"on the {device}")))


def _ranks(timed: "DataFrame") -> "DataFrame":
    """The inputs with their `rank`: at the size of a headline its option first, else as on the page."""

    def turn(found: Any) -> tuple[bool, int]:
        case = pages.cases().get(found.case)
        if case is None:
            return False, 0
        headline = sizes.headline(case, found.size)
        other = bool(headline and headline.option not in ("", found.option))
        return other, [*case.options, found.option].index(found.option)

    found = timed[INPUTS].drop_duplicates()
    first = sorted(found.itertuples(index=False), key=turn)
    rank = {each: number for number, each in enumerate(first)}
    return found.assign(rank=[rank[each] for each in found.itertuples(index=False)]).astype({"rank": int})


def _variants(timed: "DataFrame") -> "Any":
    """Option and regime where a contender was timed on several; empty for its first.

    Conventions of one name are options, and a framework has only some: Keras has another epsilon of Adam than
    torch. They stand in one line, each with the first that it has.
    """
    by = [*WORKLOAD[:-1], *CONTENDER]
    first = timed.groupby(by, sort=False, observed=True)["rank"].transform("min")
    inputs = timed["option"].astype(object) + " " + timed["regime"].astype(object)
    return inputs.str.removesuffix(" typical").where(timed["rank"] != first, "")


def _labels(timed: "DataFrame") -> "Any":
    """The formula and its direction, with the other coordinates that vary within the formula."""
    label = timed["case"].astype(object)
    for name in ("variant", "size", "dtype", "device", "settings"):
        varies = timed.groupby("case", sort=False, observed=True)[name].transform("nunique") > 1
        label = label + (" " + timed[name].astype(str)).where(varies & (timed[name] != ""), "")
    return label.str.rstrip() + " " + timed["direction"].map(WAYS | {"training": "step"}).fillna("")


def _breaks_even(timed: "DataFrame", beside: "Any", by: Sequence[str]) -> "Any":
    """Calls until the first call has paid off against the rows of the same group that `beside` marks.

    NaN for these rows themselves, and where they are faster.
    """
    base = timed["median_s"].where(beside)
    own = [timed[name] for name in by]
    saved = base.groupby(own, sort=False, observed=True).transform("min") - timed["median_s"]
    calls = (timed["first_call_s"] - timed["median_s"]) / saved.where(saved > 0)
    return np.ceil(calls.where(~beside))
