"""Conventions that share one name, and which of them each framework follows."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from bench import pages
from bench.report.overview import BACKENDS, ordered, short
from bench.report.table import GLYPHS, Section, Table
from bench.store.row import TIMED

if TYPE_CHECKING:
    from pandas import DataFrame

WRONG = GLYPHS["disagrees"]
NOTE = (
    "The option that each framework follows, of the conventions that share a name; with 'or', it has "
    f"several. {WRONG}: it did not agree. Blank: it did not run."
)


def conventions(rows: "DataFrame") -> list[Section]:
    """The conventions that each framework's contenders agree with, by topic."""
    seen = followed(rows)
    backends = ordered([backend for _, backend in seen], BACKENDS)
    topics = dict.fromkeys(topic for topic, _ in seen)
    lines = [(topic, *(seen.get((topic, each), "") for each in backends)) for topic in topics]
    columns = ("name", *map(short, backends))
    return [Table("Conventions", columns, lines, note=NOTE)] if lines else []


def followed(rows: "DataFrame") -> dict[tuple[str, str], str]:
    """The conventions that a framework's contenders agree with, by topic and backend."""
    judged = rows[~rows["status"].isin(("absent", "missing")) & (rows["backend"] != "numpy")]
    seen: dict[tuple[str, str], dict[str, list[str]]] = {}  # (topic, backend), contender: conventions
    here = set(judged["case"])
    for case in filter(lambda case: case.name in here, pages.cases().values()):
        for topic, options in case.variants.items():
            for convention, names in options.items():
                found = judged[(judged["case"] == case.name) & judged["option"].isin(names)]
                for (backend, contender), group in found.groupby(["backend", "contender"], sort=False):
                    said = convention if group["status"].isin(TIMED).all() else f"{WRONG} {convention}"
                    of_one = seen.setdefault((topic, backend), {}).setdefault(contender, [])
                    of_one += [said] if said not in of_one else []
    return {place: _cell(found) for place, found in seen.items()}


def _cell(found: Mapping[str, Sequence[str]]) -> str:
    """The conventions of a framework: one if its contenders agree, else each with its contenders."""
    groups: dict[str, list[str]] = {}
    for contender, said in found.items():
        groups.setdefault(" or ".join(said), []).append(contender)
    if len(groups) < 2:
        return "".join(groups)
    return "\n".join(f"{said} ({', '.join(who)})" for said, who in groups.items())
