"""What ran and how it ended: the header and the verdict table."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from bench.digits import count
from bench.machine.load_average import busiest
from bench.report.table import GLYPHS, Table
from bench.store.row import STATUSES

if TYPE_CHECKING:
    from pandas import DataFrame

Records = Mapping[str, Mapping[str, Any]]  # by key

# a line of several cells shows the worst; one that did not run says nothing about those that did
WORST = ("absent", "missing", "agrees", "imprecise", "limited", "mistrusted", "disagrees", "error")
DTYPES = ("float64", "float32", "bfloat16", "float16")
BACKENDS = ("numpy", "torch", "tensorflow", "jax")
SLOT = ["backend", "dtype", "arrow", "rank", "bits"]
ARROWS = {"forward": "→", "training": "→", "gradient": "←"}


def ordered(found: Sequence[str], known: Sequence[str] = ()) -> list[str]:
    """Those found: the known ones in their order, then the others as they came."""
    found = list(dict.fromkeys(found))
    return [each for each in known if each in found] + [each for each in found if each not in known]


SETUP = ["machine", "environment", "given", "settings"]


def setups(rows: "DataFrame") -> "DataFrame":
    """The rows with a column `on`: a letter for each machine, environment, and settings of a run."""
    runs = rows.groupby("run_id", observed=True)
    rows = rows.assign(
        given=runs["threads"].transform("max").fillna(0),
        settings=runs["settings"].transform("max").astype(str),  # what did not run has none
    )
    pairs = rows[SETUP].drop_duplicates()
    letters = [chr(65 + number) if number < 26 else f"#{number + 1}" for number in range(len(pairs))]
    pairs = pairs.assign(on=letters if len(pairs) > 1 else "")
    return rows.merge(pairs, on=SETUP, how="left")


def header(
    rows: "DataFrame",
    machines: Records,
    environments: Records,
    moments: Sequence[Mapping[str, Any]] = (),
) -> Table:
    """Where the rows come from, and how many cells ended how; first of all, whether the machine was busy."""
    lines = [("busy", noise)] if (noise := busiest(moments)) else []
    found = rows[["on", "machine", "environment"]].drop_duplicates()
    if len(found) > 1:
        several = [count(found[kind].nunique(), kind) for kind in ("machine", "environment")]
        lines.append(
            ("side by side", f"{' and '.join(several)}: times are absolute, and compared across them")
        )
    for kind, records, written in (
        ("machine", machines, machine_line),
        ("environment", environments, environment_line),
    ):
        for key, group in found.groupby(kind, sort=False):
            lines.append(
                (f"{kind} {', '.join(group['on'])}".strip(), written(records.get(str(key), {}), str(key)))
            )
    given = rows[["on", "given", "settings"]].drop_duplicates()
    if given["given"].nunique() > 1:
        lines.append(
            ("threads", ", ".join(f"{on}: {number}" for on, number, _ in given.itertuples(index=False)))
        )
    if given["settings"].any():
        told = (f"{on}: {words or 'declared'}" for on, _, words in given.itertuples(index=False))
        lines.append(("settings", ", ".join(each.removeprefix(": ") for each in told)))
    runs = rows["run_id"].drop_duplicates().tolist()
    lines.append(
        ("run", runs[0] if len(runs) == 1 else f"{count(len(runs), 'run')}: {runs[0]} to {runs[-1]}")
    )
    seeds = sorted(rows["seed"].dropna().unique().tolist())
    shown = [str(seed) for seed in seeds] if len(seeds) < 9 else [str(seeds[0]), "…", str(seeds[-1])]
    lines.append((count(len(seeds), "seed"), ", ".join(shown)))
    counts = rows["status"].value_counts()
    ends = [f"{status} {counts[status]:,}" for status in ordered(counts.index.tolist(), tuple(STATUSES))]
    lines.append((count(len(rows), "cell"), ", ".join(ends)))
    if len(seeds) > 1:
        lines.append(("false alarms", alarms(rows)))
    return Table("What ran", ("", " "), lines)


def alarms(rows: "DataFrame") -> str:
    """How many cells that nobody planted a fault in were told wrong, and the most that the rate may be.

    The bound is Clopper and Pearson's, one-sided at 95 %. A cell that a Limit names has its cause traced, and
    is no alarm; one that did not run is no cell.
    """
    from scipy.special import betaincinv

    judged = int(rows["status"].isin(("agrees", "imprecise", "disagrees", "mistrusted")).sum())
    false = int(rows["status"].isin(("disagrees", "mistrusted")).sum())
    most = float(betaincinv(false + 1, judged - false, 0.95)) if false < judged else 1.0
    rate = f"{false / max(judged, 1):.2g} a cell, at most {most:.1g} (95 %)"
    return f"{false:,} of {count(judged, 'cell')} that should agree: {rate}"


def verdict(rows: "DataFrame") -> list[Table]:
    """One line per formula (options that end differently have their own), one column per backend."""
    cells = _worst(rows)
    dtypes = ordered(rows["dtype"].drop_duplicates().tolist(), DTYPES)
    backends = ordered(rows["backend"].drop_duplicates().tolist(), BACKENDS)
    tables = []
    for pair in _pieces(dtypes, 2):
        for four in _pieces(backends, 4):
            slots = [(dtype, arrow) for dtype in pair for arrow in ("→", "←")]
            under = " ".join(
                f"{dtype.removeprefix('float').replace('bfloat', 'b')}{arrow}" for dtype, arrow in slots
            )
            columns = [f"{short(backend)}\n{under}" for backend in four]
            lines = [
                (label, *(" ".join(_token(line.get((each, *slot))) for slot in slots) for each in four))
                for label, line in _formulas(cells)
            ]
            tables.append(
                Table("Verdict and effective bits", ("formula", *columns), lines, tokens=columns, note=LEGEND)
            )
    return tables


LEGEND = (
    "  ".join(f"{glyph}\N{NO-BREAK SPACE}{status}" for status, glyph in GLYPHS.items())
    + ": the worst cell of a line, and the fewest bits. → forward or training, ← gradient. ≡ is the "
    "reference itself, a blank was not asked for, +2 are two more options that ended alike where they ran."
)

RAN = WORST[2:]


class Ended(NamedTuple):
    """How the cells of one slot ended."""

    status: str
    bits: float
    reference: bool  # NumPy in float64, which is compared with itself

    def __or__(self, other: "Ended") -> "Ended":
        """The worse of the two, and the fewer bits."""
        worse = max(self, other, key=lambda each: WORST.index(each.status))
        return worse._replace(bits=other.bits if math.isnan(self.bits) else min(self.bits, other.bits))


Line = dict[tuple[str, str, str], Ended]  # by backend, dtype and arrow


def _worst(rows: "DataFrame") -> "DataFrame":
    """Worst status and fewest bits for each (on, case, option, backend, dtype, direction)."""
    rank = {status: number for number, status in enumerate(WORST)}
    by = ["on", "case", "option", "backend", "dtype", "arrow"]
    rows = rows.assign(
        rank=rows["status"].map(rank).fillna(rank["error"]),
        arrow=rows["direction"].map(ARROWS).fillna("→"),
    )
    return (
        rows.groupby(by, sort=False, observed=True)[["rank", "bits"]]
        .agg({"rank": "max", "bits": "min"})
        .reset_index()
    )


def _formulas(cells: "DataFrame") -> Iterator[tuple[str, Line]]:
    """The lines of a case: its options grouped by how they ended."""
    for case, of_case in cells.groupby("case", sort=False, observed=True):
        groups: list[tuple[str, list[str], Line]] = []
        for pair, found in of_case.groupby(["on", "option"], sort=False, observed=True):
            on, option = cast("tuple[str, str]", pair)
            line: Line = {
                (backend, dtype, arrow): Ended(
                    WORST[int(rank)], bits, backend == "numpy" and dtype == "float64"
                )
                for backend, dtype, arrow, rank, bits in found[SLOT].itertuples(index=False)
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
    """Whether two options ended alike wherever both ran."""
    pairs = ((one[slot].status, other[slot].status) for slot in one.keys() & other.keys())
    return all(first == second or not {first, second} <= set(RAN) for first, second in pairs)


def _token(ended: Ended | None) -> str:
    if ended is None:
        return "   "
    if ended.reference and ended.status == "agrees":
        return "≡  "
    bits = "" if math.isnan(ended.bits) else f"{max(ended.bits, 0):.0f}"
    return f"{GLYPHS[ended.status]}{bits:<2}"


def short(backend: str) -> str:
    """A plug-in's class instead of the path of its file."""
    return backend.rpartition(":")[2]


def _pieces(values: Sequence[str], most: int) -> Iterator[Sequence[str]]:
    for start in range(0, len(values), most):
        yield values[start : start + most]


def machine_line(record: Mapping[str, Any], key: str) -> str:
    parts = [str(record.get("cpu", "not recorded"))]
    if cores := record.get("cores"):
        sockets = record.get("sockets") or 1
        parts.append(count(int(cores), "core") + (f" in {sockets} sockets" if sockets != 1 else ""))
    if top := record.get("top_mhz"):
        parts.append(f"up to {top} MHz")
    if governor := record.get("governor"):
        parts.append(f"governor {governor}")
    if memory := record.get("memory_gib"):
        parts.append(f"{memory} GiB")
    parts += [_card(card) for card in record.get("gpus") or () if isinstance(card, Mapping)]
    parts += [str(record["os"])] if record.get("os") else []
    return f"{', '.join(parts)} ({key})"


def _card(card: Mapping[str, Any]) -> str:
    memory = f" {card['memory_gib']} GiB" if card.get("memory_gib") else ""  # shared with the CPU: not told
    return f"{card.get('name')}{memory} (driver {card.get('driver')})"


def environment_line(record: Mapping[str, Any], key: str) -> str:
    packages = record.get("packages")
    versions = dict(packages) if isinstance(packages, Mapping) else {}
    named = ("numpy", "scipy", "torch", "tensorflow", "tensorflow-cpu", "keras", "jax", "flax", "optax")
    parts = [f"Python {record.get('python', 'not recorded')}"]
    parts += [f"{name} {versions[name]}" for name in named if name in versions]
    pools = record.get("pools")
    for pool in pools if isinstance(pools, list) else ():
        if isinstance(pool, Mapping) and pool.get("user_api") == "blas":
            parts.append(f"{pool.get('internal_api')} {pool.get('version')}")
    return f"{', '.join(dict.fromkeys(parts))} ({key})"
