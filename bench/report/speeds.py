"""The tables of speeds, each with its correct bits: of headlines, of other workloads, of every contender."""

import math
from collections.abc import Sequence
from statistics import median
from typing import TYPE_CHECKING, Any

from bench.digits import count, digits, scaled, seconds
from bench.report.overview import BACKENDS, ordered, short
from bench.report.table import GLYPHS, Listing, Section, Table
from bench.report.workloads import COMPUTE, DISPATCH, headlines, leaders, split, typical, unit, workloads

if TYPE_CHECKING:
    from pandas import DataFrame

DIRECTIONS = {"training": "training step"}  # in a title; the others are words already

SETTLED = (
    "Only digits that the confidence interval settles are shown; ~ means that even the first is uncertain. "
    "A blank did not run or did not agree."
)
MULTIPLES = (
    "Each framework's column: the time of its fastest API and mode as a multiple of that, and its correct "
    "bits."
)


def throughput(timed: "DataFrame") -> list[Table]:
    """One line per headline and direction: what its fastest framework reaches, and the others beside it."""
    groups = headlines(timed)
    backends = ordered([each for group in groups for each in group["backend"]], BACKENDS)
    lines, first = [], []
    for group in groups:
        for on, rows in split(group.to_dict("records"), "on").items():
            own = leaders(rows, "backend")
            top = min(rows, key=lambda row: row["median_s"])
            cells = (_ratio(own[each], "d") if each in own else "" for each in backends)
            lines.append(
                (
                    f"{title(group)} {on}".rstrip(),
                    seconds(top["median_s"], top["half"]),
                    rate(top),
                    *cells,
                    DISPATCH if top["bound"] == DISPATCH else percent(top["share"]),
                    _word(top["cache"]),
                    mebibytes(top["peak_bytes"], top["device_peak_bytes"]),
                )
            )
            first.append(top)
    columns = ("workload", "time", "rate", *map(short, backends), "roofline", "cache", "MiB")
    held = any((group["bound"] == DISPATCH).any() for group in groups)
    note = " ".join([*compute_bound(first), THROUGHPUT, *([HELD] if held else []), SETTLED])
    return [Table("Throughput", columns, lines, columns[1:], stacked=True, note=note)] if lines else []


THROUGHPUT = (
    "Each line is one call; a gradient includes its forward pass. time, rate, roofline, cache and MiB are of "
    f"the fastest framework. {MULTIPLES} roofline: the least time that this machine's peak rates allow, over "
    "the time. cache: hot if inputs and weights fit in the last-level cache, cold from three times its size "
    "on, else partly. MiB: peak memory of a call."
)
HELD = (
    "d, dispatch: most of the time is what a call costs; twice the work would take less than a fifth longer. "
    "It says little of the hardware, so that no share of the roofline is told."
)


def compute_bound(first: Sequence[dict[str, Any]]) -> list[str]:
    """A sentence on each machine: the share of the roofline that the fastest of each workload reach.

    Only workloads whose fastest contender is bound by compute count.
    """
    said = []
    for on in dict.fromkeys(row["on"] for row in first):
        bound = [row["share"] for row in first if row["on"] == on and row["bound"] == COMPUTE]
        if shares := [share for share in bound if math.isfinite(share)]:
            where = f"On {on}, the" if on else "The"
            number = count(len(shares), "workload that is", "workloads that are")
            said.append(
                f"{where} fastest framework reaches {percent(median(shares))} of the roofline, as the median "
                f"of {number} bound by compute."
            )
    return said


def title(group: "DataFrame") -> str:
    """The title of a headline's workload with its direction, and with settings that are not declared."""
    row = group.iloc[0]
    return ", ".join(
        filter(None, (row["title"], DIRECTIONS.get(row["direction"], row["direction"]), row["settings"]))
    )


def rate(row: Any) -> str:
    """Items per second: ``1.2 M tokens/s``."""
    if not row["unit"]:
        return ""
    return f"{scaled(row['throughput'], _half(row, 'throughput'))} {str(row['unit']).removesuffix('/s')}/s"


def summary(timed: "DataFrame") -> list[Table]:
    """One line per workload that no headline has: the fastest time, then each framework's as a multiple.

    First sizes are among them if there is no headline; else the table of latency has them.
    """
    shown = timed[(timed["curve"] == "") & ~(timed["first"] & (timed["title"] != "").any())]
    shown = typical(shown)
    backends = ordered(shown["backend"].drop_duplicates().tolist(), BACKENDS)
    lines = []
    for group in workloads(shown):
        for on, rows in split(group.to_dict("records"), "on").items():
            own = leaders(rows, "backend")
            top = min(rows, key=lambda row: row["median_s"])
            cells = (_ratio(own[each]) if each in own else "" for each in backends)
            label = f"{top['label']} {on}".strip()
            lines.append((label, seconds(top["median_s"], top["half"]), rate(top), *cells))
    columns = ("formula", "time", "rate", *map(short, backends))
    small = len(shown) and shown["first"].all()
    note = f"{SMALL if small else ''}time and rate: of the fastest framework, one call. {MULTIPLES} {SETTLED}"
    return [Table(FIRST if small else OTHER, columns, lines, right=columns[1:], note=note)] if lines else []


FIRST = "Speed at the first size of each formula"
OTHER = "Speed at other sizes"
SMALL = "These sizes are small: what a call costs counts most, and the hardware hardly. "


def detail(timed: "DataFrame") -> list[Section]:
    """Every contender of every workload, fastest first."""
    tables: list[Section] = []
    for group in workloads(timed):
        several = group["on"].nunique() > 1
        rows, lines = group.sort_values("median_s").to_dict("records"), []
        for row in rows:
            lines.append(
                (
                    row["contender"],
                    *([row["on"]] if several else []),
                    row["mode"],
                    seconds(row["median_s"], row["half"]) + _shape(row),
                    scaled(row["throughput"], _half(row, "throughput")),
                    _times(row),
                    percent(row["share"]),
                    _word(row["bound"]),
                    _word(row["cache"]),
                    bits(row),
                    seconds(row["first_call_s"]),
                    seconds(row["compile_s"]) if row["compile_s"] else "",
                    _even(row),
                    mebibytes(row["peak_bytes"], row["device_peak_bytes"]),
                )
            )
        rate = f"{unit(rows[0]) or 'items'}/s"
        columns = ("contender", *(["on"] if several else []), "mode", "median", rate)
        columns = (*columns, "ratio", "roofline", *WIDE, "bits", "first", "compile", "break-even", "MiB")
        note = "" if tables else DETAIL
        label = str(group["label"].iloc[0])
        tables.append(
            Table(label, columns, lines, columns[-11:], wide=WIDE, stacked=True, level=3, note=note)
        )
    return [Listing("Every contender of every workload", ()), *tables] if tables else []


WIDE = ("bound", "cache")
DETAIL = (
    "ratio: time over that of the fastest, with its 95 % confidence interval. roofline: the least time "
    "that this machine's peak rates allow, over the median. bound, cache: what limits the time, and where "
    "inputs and weights lie (in speeds.md and with --markdown). first: the first call; compile: its "
    "compilation. break-even: calls until compiling has paid off against NumPy, and after a / against "
    "eager mode. MiB: peak memory of a call; after a + on the device. After a median, ~ means that samples"
    " drift, ≈ that they fall into two clusters, ? that the ratio is not known to 5 %."
)


def _even(row: Any) -> str:
    found = [f"{row[name]:,.0f}" if math.isfinite(row[name]) else "" for name in ("even", "even_eager")]
    return " / ".join(found) if found[1] else found[0]


def _times(row: Any) -> str:
    text = multiple(row)
    if row["ratio"] <= 1 or not math.isfinite(row["ratio_low"]):
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


def multiple(row: Any) -> str:
    """The ratio to the fastest."""
    return digits(row["ratio"], row["ratio_half"]) if row["ratio"] > 1 else "1"


def _ratio(row: Any, held: str = "") -> str:
    """The ratio to the fastest and the bits; `held` marks a time that is bound by dispatch."""
    return f"×{multiple(row)}{held if row['bound'] == DISPATCH else ''} {bits(row):>3}"


def bits(row: Any) -> str:
    """Effective bits, after the sign of the status unless it is agrees."""
    if row["status"] == "agrees" and row["backend"] == "numpy" and row["dtype"] == "float64":
        return "≡"
    return sign(row) + (f"{max(row['bits'], 0):.0f}" if math.isfinite(row["bits"]) else "")


def sign(row: Any) -> str:
    """The sign of the status; empty for agrees."""
    return "" if row["status"] == "agrees" else GLYPHS.get(row["status"], "")


def _word(value: Any) -> str:
    """A column of text, which older rows lack."""
    return value if isinstance(value, str) else ""


def _half(row: Any, name: str) -> float:
    """Half the interval of a quantity that is inversely proportional to the median."""
    return float(row[name] * row["half"] / row["median_s"])
