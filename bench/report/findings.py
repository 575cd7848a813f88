"""Cells that do not simply agree: what departs, what did not run, and why."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from bench.digits import count, digits, magnitude
from bench.report.rerun import rerun
from bench.report.table import GLYPHS, Listing, Section, Table

if TYPE_CHECKING:
    from pandas import DataFrame

LONGEST = 160  # characters of a reason
RATIO = (
    "error / rounding: the rms error over the rms error that rounding alone causes (z_rms in a row). About"
    " 1 is as exact as the dtype allows."
)
SHOWN = 20  # sentences per status, without `every`


def limited(rows: "DataFrame") -> list[Section]:
    """Each Limit once: its cells, how far off they are, the reason and its source."""
    found = rows[rows["status"] == "limited"]
    lines = []
    for (backend, why, source), group in found.groupby(
        ["backend", "why", "source"], sort=False, observed=True
    ):
        low, high = (magnitude(group["z_rms"].agg(end)) for end in ("min", "max"))
        at_fault = group["versions"].iloc[0] or f"{backend} {', '.join(group['version'].drop_duplicates())}"
        where = ", ".join(group["case"].drop_duplicates())
        lines.append(
            (
                at_fault,
                f"{len(group):,}",
                low if low == high else f"{low} to {high}",
                "\n".join(filter(None, (f"{where}: {why}", source))),
            )
        )
    columns = ("package", "cells", "error / rounding", "where, why, and the source")
    return [Table("Known departures", columns, lines, right=("cells",), note=RATIO)] if lines else []


def departures(rows: "DataFrame", *, every: bool = False, plugins: Sequence[str] = ()) -> list[Section]:
    """Each cell that departs without a Limit: a sentence, and the command that runs it again."""
    sections: list[Section] = []
    for status, title in (
        ("disagrees", "Disagrees"),
        ("error", "Raised an error"),
        ("mistrusted", "Mistrusted: the check says nothing"),
        ("imprecise", "Imprecise: outside the derived limit, inside the worst case"),
    ):
        found = rows[rows["status"] == status]
        if found.empty:
            continue
        shown = found if every else found.head(SHOWN)
        items = [(_sentence(row), rerun(row, plugins)) for row in shown.to_dict("records")]
        rest = len(found) - len(items)
        note = f"and {count(rest, 'cell')} more: `gaugeblock report --all` shows them" if rest else ""
        sections.append(Listing(f"{title} ({count(len(found), 'cell')})", items, note))
    return sections


def unrun(rows: "DataFrame", *, every: bool = False) -> list[Section]:
    """Cells that did not run, counted by reason (ignoring numbers in it)."""
    found = rows[rows["status"].isin(("missing", "absent"))]
    found = found.assign(reason=found["why"].str.replace(r"\d+", "0", regex=True))
    lines = []
    by = ["status", "backend", "reason"]
    for (status, backend, _), group in found.groupby(by, sort=False, observed=True):
        places = list(dict.fromkeys(map(_place, group["case"], group["option"])))
        where = ", ".join(places[:3]) + (f" and {len(places) - 3} more" if len(places) > 3 else "")
        why = str(group["why"].iloc[0]) or "no reason given"
        why = why if every or len(why) <= LONGEST else f"{why[:LONGEST]} …"
        lines.append((str(status), str(backend), f"{len(group):,}", f"{where}: {why}"))
    lines.sort(key=lambda line: (line[0], line[1]))
    columns = ("status", "backend", "cells", "where and why")
    return [Table("Missing and absent", columns, lines, right=("cells",))] if lines else []


def scores(rows: "DataFrame") -> list[Section]:
    """The scores of the trained models, the reference's first."""
    found = rows[(rows["metric"] != "") & rows["score"].notna()]
    lines = []
    by = ["case", "on", "option", "metric", "contender", "score"]
    for (case, on, option, metric, contender, score), group in found.groupby(by, sort=False, observed=True):
        modes, dtypes = (", ".join(group[name].drop_duplicates()) for name in ("mode", "dtype"))
        where = f"{_place(case, option)} {on}".strip()
        lines.append((where, contender, modes, dtypes, digits(score, 5e-5, 4), metric))
    columns = ("formula", "contender", "mode", "dtype", "score", "metric")
    return [Table("Scores of the trained models", columns, lines, right=("score",))] if lines else []


def _place(case: str, option: str) -> str:
    return case if option in ("", "plain") else f"{case}/{option}"


def _sentence(row: Any) -> str:
    who = f"{row['contender']} {row['mode']} {row['dtype']}"
    where = " ".join(
        filter(
            None, (_place(row["case"], row["option"]), row["direction"], who, row["on"] and f"on {row['on']}")
        )
    )
    return f"{GLYPHS[row['status']]} {where}: {row['why'] or 'no reason given'}"
