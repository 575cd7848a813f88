"""What ran and how it ended: the header and the verdict table."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from bench.digits import count
from bench.row import STATUSES
from bench.table import GLYPHS, Table

if TYPE_CHECKING:
    from pandas import DataFrame

Records = Mapping[str, Mapping[str, Any]]  # by key

# a line of several cells shows the worst; one that did not run says nothing about those that did
WORST = ("absent", "missing", "agrees", "imprecise", "limited", "mistrusted", "disagrees", "error")
DTYPES = ("float64", "float32", "bfloat16", "float16")
BACKENDS = ("numpy", "torch", "tensorflow", "jax")
ARROWS = {"forward": "→", "training": "→", "gradient": "←"}


def ordered(found: Sequence[str], known: Sequence[str] = ()) -> list[str]:
    """Those found: the known ones in their order, then the others as they came."""
    found = list(dict.fromkeys(found))
    return [each for each in known if each in found] + [each for each in found if each not in known]


def setups(rows: "DataFrame") -> "DataFrame":
    """The rows with a column `on`: a letter for each machine and environment, where there are several."""
    pairs = rows[["machine", "environment"]].drop_duplicates()
    letters = [chr(65 + number) if number < 26 else f"#{number + 1}" for number in range(len(pairs))]
    pairs = pairs.assign(on=letters if len(pairs) > 1 else "")
    return rows.merge(pairs, on=["machine", "environment"], how="left")


def header(rows: "DataFrame", machines: Records, environments: Records) -> Table:
    """Where the rows come from, and how many cells ended how."""
    lines: list[tuple[str, str]] = []
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
    return Table("What ran", ("", " "), lines)


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
            columns = [f"{_short(backend)}\n{under}" for backend in four]
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
    "reference itself, a blank was not asked for, +2 stands for two more options that ended alike."
)

Line = dict[
    tuple[str, str, str], tuple[str, float, bool]
]  # (backend, dtype, arrow): status, bits, is the reference


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
        patterns: dict[Any, list[tuple[str, str, Line]]] = {}
        for pair, found in of_case.groupby(["on", "option"], sort=False, observed=True):
            on, option = cast("tuple[str, str]", pair)
            line = {
                (backend, dtype, arrow): (WORST[int(rank)], bits, backend == "numpy" and dtype == "float64")
                for backend, dtype, arrow, rank, bits in found[
                    ["backend", "dtype", "arrow", "rank", "bits"]
                ].itertuples(index=False)
            }
            pattern = (
                on,
                frozenset((slot, status) for slot, (status, _, _) in line.items() if status != "agrees"),
            )
            patterns.setdefault(pattern, []).append((on, option, line))
        begun: set[str] = set()
        for group in patterns.values():
            on, option, _ = group[0]
            name = f"  /{option}" if on in begun else str(case)
            more = f"+{len(group) - 1}" if len(group) > 1 else ""
            begun.add(on)
            yield " ".join(filter(None, (name, more, on))), _merged([line for _, _, line in group])


def _merged(lines: Sequence[Line]) -> Line:
    """One line for several that ended alike: the fewest bits of each."""
    merged: Line = {}
    for line in lines:
        for slot, (status, bits, same) in line.items():
            before = merged.get(slot, (status, bits, same))
            merged[slot] = (status, min(before[1], bits) if bits == bits else before[1], same)
    return merged


def _token(found: tuple[str, float, bool] | None) -> str:
    if found is None:
        return "   "
    status, bits, same = found
    if same and status == "agrees":
        return "≡  "
    return f"{GLYPHS[status]}{max(bits, 0):<2.0f}" if bits == bits else f"{GLYPHS[status]}  "


def _short(backend: str) -> str:
    """A plug-in's class instead of the path of its file."""
    return backend.rpartition(":")[2]


def _pieces(values: Sequence[str], most: int) -> Iterator[Sequence[str]]:
    for start in range(0, len(values), most):
        yield values[start : start + most]


def machine_line(record: Mapping[str, Any], key: str) -> str:
    parts = [str(record.get("cpu", "not recorded"))]
    if cores := record.get("cores"):
        parts.append(count(int(cores), "core"))
    if memory := record.get("memory_gib"):
        parts.append(f"{memory} GiB")
    parts += [_card(card) for card in record.get("gpus") or () if isinstance(card, Mapping)]
    parts += [str(record["os"])] if record.get("os") else []
    return f"{', '.join(parts)} ({key})"


def _card(card: Mapping[str, Any]) -> str:
    return f"{card.get('name')} {card.get('memory_gib')} GiB (driver {card.get('driver')})"


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
