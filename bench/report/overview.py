"""The table of verdicts: one line per formula, one column per backend."""

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple, cast

from bench.digits import count
from bench.report.table import GLYPHS, Listing, Section, Table
from bench.store.migrate import lost as lost
from bench.store.migrate import significant as significant

if TYPE_CHECKING:
    from pandas import DataFrame, Series

# a line of several cells shows the worst; cells that did not run come first, and so never hide others
WORST = ("absent", "missing", "agrees", "imprecise", "limited", "mistrusted", "disagrees", "error")
FAILED = ("mistrusted", "disagrees", "error")
DEPARTED = (*FAILED, "limited", "imprecise")
DTYPES = ("float64", "float32", "bfloat16", "float16")
BACKENDS = ("numpy", "torch", "tensorflow", "jax")
SLOT = ["backend", "dtype", "way", "rank", "bits"]
WAYS = {"forward": "fwd", "training": "fwd", "gradient": "bwd"}  # the two halves of a dtype's column
NARROW = {"bfloat16": "bf16"}  # a dtype's name over its two halves of three characters
DEPART = "What departs, with correct bits"
BLANK = "·  "
NO_BREAK = "\N{NO-BREAK SPACE}"


# what a verdict is made of: the other columns take memory
OF = ["on", "case", "option", "backend", "dtype", "direction", "status", "bits"]


def ordered(found: Sequence[str], known: Sequence[str] = ()) -> list[str]:
    """The values found: known ones in their order, then the others in order of appearance."""
    found = list(dict.fromkeys(found))
    return [each for each in known if each in found] + [each for each in found if each not in known]


def verdict(rows: "DataFrame", title: str = "Verdicts and correct bits") -> list[Table]:
    """One line per formula, and one per option with another outcome; one column per backend."""
    cells = _worst(rows)
    dtypes = ordered(rows["dtype"].drop_duplicates().tolist(), DTYPES)
    backends = ordered(rows["backend"].drop_duplicates().tolist(), BACKENDS)
    tables = []
    for pair in _pieces(dtypes, 2):
        for four in _pieces(backends, 4):
            slots = [(dtype, way) for dtype in pair for way in ("fwd", "bwd")]
            under = " ".join(f"{NARROW.get(dtype, dtype):<7}" for dtype in pair)
            columns = [f"{short(backend)}\n{under}\n{' '.join(way for _, way in slots)}" for backend in four]
            lines = [
                (label, *(" ".join(_token(line.get((each, *slot))) for slot in slots) for each in four))
                for label, line in _formulas(cells)
            ]
            tables.append(
                Table(
                    title,
                    ("formula", *columns),
                    lines,
                    tokens=columns,
                    note=legend(lines),
                )
            )
    return tables


def departing(rows: "DataFrame") -> list[Section]:
    """The lines of the formulas of which any cell departs; then the names of those that agree everywhere."""
    ran = rows.loc[~rows["status"].isin(NOT_RUN), ["status", "case"]]
    departs = ran.loc[ran["status"] != "agrees", "case"].drop_duplicates()
    agree = [str(case) for case in ran["case"].drop_duplicates() if case not in set(departs)]
    title = f"Agree wherever they ran ({count(len(agree), 'formula')})"
    return [
        *(verdict(rows.loc[rows["case"].isin(departs), OF], DEPART) if len(departs) else []),
        *([Listing(title, [(", ".join(agree), "")])] if agree else []),
    ]


SIGNS = {**{glyph: status for status, glyph in GLYPHS.items()}, "≡": "the reference itself", "·": "not run"}
LEGEND = (
    "Each entry is the worst status of its cells and the fewest correct bits: float64 has 53, float32 24, "
    "float16 11, bfloat16 8. fwd: the forward pass or a training step. bwd: the gradient."
)
GROUPED = " '+2': two more options with the same result."
DEPARTS = " limited: a known departure, explained under Known departures."


def legend(lines: Sequence[Sequence[str]]) -> str:
    """The meanings of what stands in these lines."""
    entries = "".join(text for line in lines for text in line[1:])
    signs = [f"{sign} {text}".replace(" ", NO_BREAK) for sign, text in SIGNS.items() if sign in entries]
    grouped = GROUPED if any(" +" in line[0] for line in lines) else ""
    return f"{'  '.join(signs)}. {LEGEND}{grouped}{DEPARTS if GLYPHS['limited'] in entries else ''}"


NOT_RUN, RAN = WORST[:2], WORST[2:]


class Ended(NamedTuple):
    """The outcome of the cells in one entry of the table."""

    status: str
    bits: float
    reference: bool  # NumPy in float64, which is compared with itself

    def __or__(self, other: "Ended") -> "Ended":
        """The worse status and the fewer bits of the two."""
        worse = max(self, other, key=lambda each: WORST.index(each.status))
        return worse._replace(bits=other.bits if math.isnan(self.bits) else min(self.bits, other.bits))


Line = dict[tuple[str, str, str], Ended]  # by backend, dtype and way


def _worst(rows: "DataFrame") -> "DataFrame":
    """Worst status and fewest bits for each (on, case, option, backend, dtype, direction)."""
    rank = {status: number for number, status in enumerate(WORST)}
    by = ["on", "case", "option", "backend", "dtype", "way"]
    rows = rows[OF].sort_values(
        "status", key=lambda status: status == "missing", kind="stable"
    )  # known at once
    rows = rows.assign(
        rank=rows["status"].map(rank).fillna(rank["error"]),
        way=rows["direction"].map(WAYS).fillna("fwd"),
        bits=least(rows),
    )
    return (
        rows.groupby(by, sort=False, observed=True)[["rank", "bits"]]
        .agg({"rank": "max", "bits": "min"})
        .reset_index()
    )


def least(rows: "DataFrame") -> "Series":
    """The bits of each cell; one that fails without bits, or by an error, has fewer than any: -infinity."""
    without = rows["bits"].isna() & rows["status"].isin(FAILED)
    return rows["bits"].mask(without | (rows["status"] == "error"), -math.inf)


def _formulas(cells: "DataFrame") -> Iterator[tuple[str, Line]]:
    """The lines of the table: the options of a case are grouped by outcome."""
    for case, of_case in cells.groupby("case", sort=False, observed=True):
        groups: list[tuple[str, list[str], Line]] = []
        for pair, found in of_case.groupby(["on", "option"], sort=False, observed=True):
            on, option = cast("tuple[str, str]", pair)
            line: Line = {
                (backend, dtype, way): Ended(
                    WORST[int(rank)], bits, backend == "numpy" and dtype == "float64"
                )
                for backend, dtype, way, rank, bits in found[SLOT].itertuples(index=False)
            }
            for where, options, merged in groups:
                if where == on and _alike(merged, line):
                    options.append(option)
                    merged |= {slot: merged.get(slot, ended) | ended for slot, ended in line.items()}
                    break
            else:
                groups.append((on, [option], line))
        begun: set[str] = set()
        for on, options, line in groups:
            name = f"  /{options[0]}" if on in begun else str(case)
            more = f"+{len(options) - 1}" if len(options) > 1 else ""
            begun.add(on)
            yield " ".join(filter(None, (name, more, on))), line


def _alike(one: Line, other: Line) -> bool:
    """Whether two options have the same outcome wherever both ran."""
    pairs = ((one[slot].status, other[slot].status) for slot in one.keys() & other.keys())
    return all(first == second or not {first, second} <= set(RAN) for first, second in pairs)


def _token(ended: Ended | None) -> str:
    if ended is None:
        return BLANK
    if ended.reference and ended.status == "agrees":
        return "≡  "
    bits = f"{max(ended.bits, 0):.0f}" if math.isfinite(ended.bits) else ""
    return f"{GLYPHS[ended.status]}{bits:<2}"


def short(backend: str) -> str:
    """The name of a backend: of a plug-in in a file, its class."""
    return backend.rpartition(":")[2]


def _pieces(values: Sequence[str], most: int) -> Iterator[Sequence[str]]:
    for start in range(0, len(values), most):
        yield values[start : start + most]
