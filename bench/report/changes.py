"""The report on what changed between two runs: counts first, then each kind of change."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from bench.digits import count
from bench.report.compare import COMPARED, CURVE, KINDS, Comparison, Curve, Side
from bench.report.header import machine_line
from bench.report.overview import WORST, short
from bench.report.read_back import told
from bench.report.regressions import Found, causes
from bench.report.table import Section, Table

TITLES = {
    "status": "Status",
    "figures": "Figures, with the same status",
    "outputs": "Outputs, with the same figures",
}
# related figures share a line
TOGETHER = (("status",), ("bits", "z_rms"), ("z_worst", "worst"), ("undecided", "accumulator"), ("checksum",))
SHOWN = 20  # cells of one kind, without `every`
LONGEST = 160  # characters of a reason

Line = Mapping[Any, Any]  # a row, by column


def page(found: Comparison, known: Found, *, every: bool = False) -> list[Section]:
    """What A and B are, how much changed, and what changed; `every` lists all cells."""
    return [
        _sides(found.a, found.b),
        _counts(found, known),
        *causes(known),
        *_versions(found.a, found.b),
        *_read_back(found.a, found.b),
        *_otherwise(found, every),
        *(table for kind in KINDS for table in _cells(found, kind, every)),
        *_bent(found, every),
        *_alone("Only in A: gone", found.gone, every),
        *_table("Curves only in A: gone", ("curve",), [(_curve(each),) for each in found.lost], every),
        *_alone("Only in B: new", found.added, every),
    ]


def _sides(a: Side, b: Side) -> Table:
    """Where the rows come from, and which settings differ."""
    machines = [_machines(side) for side in (a, b)]
    told = [
        ("path", a.path, b.path),
        ("run", _runs(a.rows), _runs(b.rows)),
        ("cells", _size(a), _size(b)),
        ("suite", *(_values(side.rows["suite"], "not recorded") for side in (a, b))),
        ("machine", machines[0], "the same" if machines[1] == machines[0] else machines[1]),
    ]
    for name, unset in (("threads", "not told"), ("settings", "declared")):
        one, other = (_values(side.rows[name], unset) for side in (a, b))
        told += [(name, one, other)] if one != other else []
    note = "The machines differ, so the same program may give other bits and other checksums."
    alike = set(a.rows["machine"]) == set(b.rows["machine"])
    return Table("Compared", ("", "A", "B"), told, note="" if alike else note)


def _runs(rows: pd.DataFrame) -> str:
    runs = sorted(rows["run_id"].unique())
    return runs[0] if len(runs) == 1 else f"{count(len(runs), 'run')}: {runs[0]} to {runs[-1]}"


def _machines(side: Side) -> str:
    return "\n".join(
        machine_line(side.machines.get(each, {}), each) for each in side.rows["machine"].unique()
    )


def _size(side: Side) -> str:
    more = f"; {count(side.again)} in several runs: the newest counts" if side.again else ""
    return f"{count(len(side.rows), 'cell')}{more}"


def _values(column: Any, unset: str = "none") -> str:
    return ", ".join(sorted(str(each) for each in column.dropna().unique() if each != "")) or unset


def _counts(found: Comparison, known: Found) -> Table:
    """Counts of cells and curves that are the same, changed, gone and new, and of changes per column."""
    changed = int((found.kind != "").sum())
    columns = ", ".join(f"{name} {number:,}" for name, number in found.differs.sum().items() if number)
    regressed = len(known.regressed) + len(known.curves) + len(known.backends)
    told = [
        ("regressions", f"{regressed:,}"),
        ("cells in both", f"{len(found.old):,}: {len(found.old) - changed:,} the same, {changed:,} changed"),
        *([("of them changed", f"{columns} (a cell may count for several)")] if changed else []),
        ("cells only in A", _by_backend(found.gone)),
        ("cells only in B", _by_backend(found.added)),
    ]
    if found.a.curves or found.b.curves:
        shared, bent = len(found.a.curves) - len(found.lost), len(found.bent)
        fresh = len(found.b.curves) - shared
        told += [
            ("curves in both", f"{shared:,}: {shared - bent:,} the same, {bent:,} changed"),
            ("curves only in A", f"{len(found.lost):,}"),
            ("curves only in B", f"{fresh:,}"),
        ]
    ends = (
        (changed, "cell", "changed"),
        (len(found.bent), "curve", "changed"),
        (len(found.gone), "cell", "gone"),
        (len(found.lost), "curve", "gone"),
        (len(found.otherwise), "measured setting", "changed"),
    )
    parts = [f"{count(number, noun)} {end}" for number, noun, end in ends if number]
    title = f"What changed: {', '.join(parts) or 'nothing'}"
    return Table(title, ("", " "), told, note="Speeds are not compared.")


def _by_backend(rows: pd.DataFrame) -> str:
    numbers = rows["backend"].value_counts().items()
    told = ", ".join(f"{short(str(name))} {number:,}" for name, number in numbers)
    return f"{len(rows):,}: {told}" if told else "0"


def _versions(a: Side, b: Side) -> list[Table]:
    """Versions that differ: backends from the rows, then Python and packages from the records."""
    one, other = ({**_packages(side), **_backends(side.rows)} for side in (a, b))
    names = dict.fromkeys([*_backends(a.rows), *_backends(b.rows), *one, *other])
    pairs = [(short(name), one.get(name, "none"), other.get(name, "none")) for name in names]
    differing = [pair for pair in pairs if pair[1] != pair[2]]
    return [Table("Versions that differ", ("", "A", "B"), differing)] if differing else []


def _read_back(a: Side, b: Side) -> list[Table]:
    """Settings that a framework reported differently in the two runs."""
    one, other = (told(side.rows["environment"].unique(), side.environments) for side in (a, b))
    lines = [
        (f"{short(backend)}: {name}", old, new)
        for backend in one
        if backend in other
        for name in dict.fromkeys([*one[backend], *other[backend]])
        if (old := one[backend].get(name, "") or "none") != (new := other[backend].get(name, "") or "none")
    ]
    return [Table("Read back otherwise", ("", "A", "B"), lines)] if lines else []


def _otherwise(found: Comparison, every: bool) -> list[Table]:
    """Fingerprints and conventions that are not the same."""
    lines = [(each.what, f"{each.old} → {each.new}") for each in found.otherwise]
    return _table("Arithmetic and conventions", ("measured setting", "A → B"), lines, every)


def _backends(rows: pd.DataFrame) -> dict[str, str]:
    return {str(name): _values(group) for name, group in rows.groupby("backend", sort=False)["version"]}


def _packages(side: Side) -> dict[str, str]:
    found: dict[str, set[str]] = {}
    for each in side.rows["environment"].unique():
        known = side.environments.get(each, {})
        packages = known.get("packages")
        given = {"Python": known.get("python"), **(packages if isinstance(packages, Mapping) else {})}
        for name, version in given.items():
            if version is not None:
                found.setdefault(str(name), set()).add(str(version))
    return {name: ", ".join(sorted(versions)) for name, versions in found.items()}


def _cells(found: Comparison, kind: str, every: bool) -> list[Table]:
    """The changed cells of one kind: the worst status first, then those that lost the most bits."""
    at = np.flatnonzero(found.kind == kind)
    old, new = (frame.iloc[at] for frame in (found.old, found.new))
    rank = new["status"].map({name: number for number, name in enumerate(WORST)}).fillna(len(WORST))
    loss = rank if kind == "status" else (old["bits"] - new["bits"]).fillna(-math.inf)
    at = at[np.argsort(-loss.to_numpy(float), kind="stable")]
    shown = at if every else at[:SHOWN]
    parts = (frame.iloc[shown].to_dict("records") for frame in (found.old, found.new, found.differs))
    rows = [(_cell(x), _change(x, y, differs)) for x, y, differs in zip(*parts, strict=True)]
    return _table(TITLES[kind], ("cell", "A → B"), rows, every, len(at))


def _change(old: Line, new: Line, differs: Line) -> str:
    told = {name: f"{name} {_arrow(old[name], new[name])}" for name in COMPARED if differs[name]}
    texts = [", ".join(told[name] for name in group if name in told) for group in TOGETHER]
    whys = [f"{side}: {_cut(row['why'])}" for side, row in (("A", old), ("B", new)) if row["why"]]
    return "\n".join(filter(None, [*texts, *(whys if differs["status"] else [])])).removeprefix("status ")


def _bent(found: Comparison, every: bool) -> list[Table]:
    rows = []
    for each, step in found.bent.items():
        old, new = found.a.curves[each], found.b.curves[each]
        told = []
        if step < min(len(old), len(new)):
            told.append(f"from step {step} on: {_arrow(old[step], new[step])}")
        if len(old) != len(new):
            told.append(f"{len(old)} → {len(new)} steps")
        elif step < len(old) - 1:
            told.append(f"last, step {len(old) - 1}: {_arrow(old[-1], new[-1])}")
        rows.append((_curve(each), "\n".join(told)))
    return _table("Training curves", ("curve", "A → B"), rows, every)


def _alone(title: str, rows: pd.DataFrame, every: bool) -> list[Table]:
    shown = (rows if every else rows.head(SHOWN)).to_dict("records")
    told = [(_cell(row), "\n".join(filter(None, (row["status"], _cut(row["why"]))))) for row in shown]
    return _table(title, ("cell", "status"), told, every, len(rows))


def _table(
    title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], every: bool, number: int | None = None
) -> list[Table]:
    """The first of these rows, or all, under a title that counts them; nothing if there are none."""
    number = len(rows) if number is None else number
    shown = rows if every else rows[:SHOWN]
    more = number - len(shown)
    note = f"and {more:,} more: `gaugeblock compare --all` shows them" if more else ""
    full = f"{title} ({count(number, columns[0])})"
    return [Table(full, columns, shown, note=note)] if rows else []


def _cell(row: Line) -> str:
    seed = [] if pd.isna(row["seed"]) or row["seed"] == 0 else [f"seed-{row['seed']}"]
    names = (row[name] for name in ("mode", "device", "dtype", "direction"))
    return _block(row, [short(row["backend"]), *names, *seed])


def _curve(where: Curve) -> str:
    row = dict(zip(CURVE, where, strict=True))
    return _block(row, [short(row["backend"]), row["mode"], row["dtype"]])


def _block(row: Line, how: Sequence[str]) -> str:
    """A cell in three lines: what is computed, by whom, and how."""
    what = "/".join(row[name] for name in ("case", "option", "regime", "size"))
    return f"{what}\n{row['contender']}\n{'/'.join(how)}"


def _arrow(old: Any, new: Any) -> str:
    """Both as text. Numbers have three digits, and more if they would look equal."""
    texts = [_text(old, 3), _text(new, 3)]
    for digits in range(4, 18):
        if texts[0] != texts[1]:
            break
        texts = [_text(old, digits), _text(new, digits)]
    return " → ".join(texts)


def _text(value: Any, digits: int) -> str:
    if pd.isna(value) or value == "":
        return "none"
    if not isinstance(value, float):
        return str(value)
    return f"{value:#.{digits}g}".rstrip(".") if value else "0"


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} …"
