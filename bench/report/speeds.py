"""The tables of speeds, each with its correct bits."""

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.digits import digits, scaled, seconds
from bench.report.overview import BACKENDS, DTYPES, WAYS, ordered
from bench.report.table import GLYPHS, Listing, Section, Table

if TYPE_CHECKING:
    from pandas import DataFrame

# runs --as-shipped are not compared with runs of declared settings
WORKLOAD = ["case", "option", "regime", "size", "device", "dtype", "direction", "settings"]
CONTENDER = ["on", "backend", "contender", "mode"]


def speeds(rows: "DataFrame") -> "DataFrame":
    """The rows that have a speed, the latest of each cell, with its `half`, `ratio`, `even` and `label`.

    Ratios are paired by round if one run sampled the whole workload, and ratios of medians otherwise.
    """
    timed = rows[rows["median_s"] > 0].sort_values("time", kind="stable")
    timed = timed.drop_duplicates([*WORKLOAD, *CONTENDER], keep="last").sort_index()
    fastest = timed.groupby(WORKLOAD, sort=False, observed=True)["median_s"].transform("min")
    wide = timed[["high_s", "low_s"]].sub(timed["median_s"], axis=0).abs().max(axis=1)
    timed = timed.assign(half=wide, ratio_of_medians=timed["median_s"] / fastest)
    first = timed.loc[timed.groupby(WORKLOAD, sort=False, observed=True)["median_s"].transform("idxmin")]
    own, best = timed["half"] / timed["median_s"], (first["half"] / first["median_s"]).to_numpy()
    timed["ratio_half"] = timed["ratio_of_medians"] * (own**2 + best**2) ** 0.5
    paired = timed["ratio"].notna() & (
        timed.groupby(WORKLOAD, sort=False, observed=True)["run_id"].transform("nunique") == 1
    )
    wide = timed[["ratio_high", "ratio_low"]].sub(timed["ratio"], axis=0).abs().max(axis=1)
    timed["ratio_half"] = wide.where(paired, timed["ratio_half"])
    timed["ratio"] = timed["ratio"].where(paired, timed["ratio_of_medians"])
    numpy, eager = timed["backend"] == "numpy", timed["mode"] == "eager"
    return timed.assign(
        label=_labels(timed),
        even=_breaks_even(timed, numpy, WORKLOAD),
        even_eager=_breaks_even(timed, eager, [*WORKLOAD, *CONTENDER[:-1]]),
    )


def summary(timed: "DataFrame") -> list[Table]:
    """One line per workload: the fastest time, then each backend's best time as a multiple of it."""
    backends = ordered(timed["backend"].drop_duplicates().tolist(), BACKENDS)
    lines = []
    for label, unit, group in _workloads(_typical(timed)):
        best = group.loc[group["median_s"].idxmin()]
        several = group["on"].nunique() > 1
        for on, here in group.groupby("on", sort=False):
            cells = []
            for backend in backends:
                own = here[here["backend"] == backend]
                cells.append(_ratio(own.loc[own["median_s"].idxmin()]) if len(own) else "")
            top = here.loc[here["median_s"].idxmin()] if several else best
            rate = f"{scaled(top['throughput'], _half(top, 'throughput'))} {unit}/s" if unit else ""
            lines.append((f"{label} {on}".strip(), seconds(top["median_s"], top["half"]), rate, *cells))
    columns = ("formula", "time", "rate", *(backend.rpartition(":")[2] for backend in backends))
    note = (
        "time and rate: of the fastest framework, one call. Each framework's column: the time of its fastest "
        "API and mode as a multiple of that, and its correct bits. Only digits that the confidence interval "
        "settles are shown; ~ means that even the first is uncertain. A blank did not run or did not agree."
    )
    return [Table("Speed", columns, lines, right=columns[1:], note=note)] if lines else []


def detail(timed: "DataFrame") -> list[Section]:
    """Every contender of every workload, fastest first."""
    tables: list[Section] = []
    for label, unit, group in _workloads(timed):
        several = group["on"].nunique() > 1
        lines = []
        for row in group.sort_values("median_s").to_dict("records"):
            lines.append(
                (
                    *([row["on"]] if several else []),
                    row["contender"],
                    row["mode"],
                    seconds(row["median_s"], row["half"]) + _shape(row),
                    scaled(row["throughput"], _half(row, "throughput")),
                    _times(row),
                    percent(row["share"]),
                    _bits(row),
                    seconds(row["first_call_s"]),
                    seconds(row["compile_s"]) if row["compile_s"] else "",
                    _even(row),
                    mebibytes(row["peak_bytes"], row["device_peak_bytes"]),
                )
            )
        columns = (*(["on"] if several else []), "contender", "mode", "median", f"{unit or 'items'}/s")
        columns = (*columns, "ratio", "roofline", "bits", "first", "compile", "break-even", "MiB")
        note = "" if tables else DETAIL
        tables.append(Table(label, columns, lines, right=columns[-9:], level=3, note=note))
    return [Listing("Every contender of every workload", ()), *tables] if tables else []


DETAIL = (
    "ratio: time over that of the fastest, with its 95 % confidence interval. roofline: the least time "
    "that this machine's peak rates allow, over the median. first: the first call; compile: its "
    "compilation. break-even: calls until compiling has paid off against NumPy, and after a / against "
    "eager mode. MiB: peak memory of a call; after a + on the device. After a median, ~ means that samples"
    " drift, ≈ that they fall into two clusters, ? that the ratio is not known to 5 %."
)


def _breaks_even(timed: "DataFrame", beside: "Any", by: Sequence[str]) -> "Any":
    """Calls until the first call has paid off against the rows of the same group that `beside` marks.

    NaN for these rows themselves, and where they are faster.
    """
    base = timed["median_s"].where(beside)
    own = [timed[name] for name in by]
    saved = base.groupby(own, sort=False, observed=True).transform("min") - timed["median_s"]
    calls = (timed["first_call_s"] - timed["median_s"]) / saved.where(saved > 0)
    return np.ceil(calls.where(~beside))


def _even(row: Any) -> str:
    found = [f"{row[name]:,.0f}" if math.isfinite(row[name]) else "" for name in ("even", "even_eager")]
    return " / ".join(found) if found[1] else found[0]


def _times(row: Any) -> str:
    if row["ratio"] <= 1:
        return "1"
    text = digits(row["ratio"], row["ratio_half"])
    if not math.isfinite(row["ratio_low"]):
        return text
    return f"{text} ({digits(row['ratio_low'])}–{digits(row['ratio_high'])})"


def _shape(row: Any) -> str:
    marks = {"drifting": "~", "multi-modal": "≈", "imprecise": "?"}
    named = [mark for name, mark in marks.items() if name in str(row["series"] or "")]
    return " " + "".join(named) if named else ""


def percent(share: Any) -> str:
    """A share: ``34%``, ``0.4%``."""
    return f"{share:.0%}" if share >= 0.01 else f"{100 * share:.1g}%" if share > 0 else ""


def mebibytes(host: Any, device: Any) -> str:
    """Peaks of host and device: ``12``, ``12 + 300``."""
    found = [float(each) for each in (host, device) if each == each and each is not None]
    return " + ".join(f"{each / 2**20:,.{1 if each < 2**23 else 0}f}" for each in found)


def _workloads(timed: "DataFrame") -> Iterator[tuple[str, str, "DataFrame"]]:
    for _, group in timed.groupby(WORKLOAD, sort=False, observed=True):
        yield str(group["label"].iloc[0]), str(group["unit"].iloc[0]).removesuffix("/s"), group


def _labels(timed: "DataFrame") -> "Any":
    """The formula and its direction, with the other coordinates that vary within the formula."""
    label = timed["case"].astype(object)
    for name in ("option", "regime", "size", "dtype", "device", "settings"):
        varies = timed.groupby("case", sort=False, observed=True)[name].transform("nunique") > 1
        label = label + (" " + timed[name].astype(str)).where(varies, "")
    return label.str.rstrip() + " " + timed["direction"].map(WAYS | {"training": "step"}).fillna("")


def _typical(timed: "DataFrame") -> "DataFrame":
    """The first option and regime of each formula, in float32 if there is any."""
    first = timed.groupby("case", sort=False, observed=True)[["option", "regime"]].transform("first")
    timed = timed[(timed["option"] == first["option"]) & (timed["regime"] == first["regime"])]
    usual = ordered(timed["dtype"].drop_duplicates().tolist(), ("float32", *DTYPES))
    return timed[timed["dtype"] == usual[0]] if usual else timed


def _ratio(row: Any) -> str:
    ratio = digits(row["ratio"], row["ratio_half"]) if row["ratio"] > 1 else "1"
    return f"×{ratio} {_bits(row):>3}"


def _bits(row: Any) -> str:
    """Effective bits, after the sign of the status unless it is agrees."""
    if row["status"] == "agrees" and row["backend"] == "numpy" and row["dtype"] == "float64":
        return "≡"
    bits = f"{max(row['bits'], 0):.0f}" if math.isfinite(row["bits"]) else ""
    return bits if row["status"] == "agrees" else GLYPHS.get(row["status"], "") + bits


def _half(row: Any, name: str) -> float:
    """Half the interval of a quantity that is inversely proportional to the median."""
    return float(row[name] * row["half"] / row["median_s"])
