"""The kill matrix: every planted fault of every formula, and the lanes that find it."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from bench.report.table import Listing, Section, Table
from bench.store.lines import Told, refuse
from bench.store.rows import beside

LANES = {
    "semantics": "float64 against the limit of rounding in float64",
    "native": "float32 against its own",
    "exact": "whole numbers in float32, no tolerance",
    "invariants": "what must hold bit by bit",
}
KILLED, EQUIVALENT, INADEQUATE = "killed", "equivalent", "inputs inadequate"
FILE = "mutants.jsonl"


@dataclass(frozen=True)
class Fate:
    """The outcome for one mutant. `lanes` has one sentence per lane that judged it."""

    case: str
    mutant: str
    kind: str
    edits_outputs: bool
    verdict: str  # killed, equivalent, inputs inadequate
    lanes: dict[str, str] = field(default_factory=dict)  # an empty sentence: it passed
    why: str = ""


def matrix(found: Sequence[Fate]) -> list[Section]:
    """How many mutants of each formula each lane finds; then those that no lane finds."""
    lines = []
    for name in dict.fromkeys(each.case for each in found):
        mine = [each for each in found if each.case == name]
        lines.append((name, *_counts(mine)))
    lines.append(("all", *_counts(found)))
    columns = ("formula", "faults", *LANES, "by values", EQUIVALENT, "inputs\ninadequate")
    note = (
        "Planted faults that each lane finds, of those it judged. "
        + "; ".join(f"{lane}: {meaning}" for lane, meaning in LANES.items())
        + f". by values: faults that only edit outputs. {EQUIVALENT}: the fault changes nothing. "
        f"{INADEQUATE}: no lane finds it on the page's inputs."
    )
    tables: list[Section] = [Table("Kill matrix", columns, lines, right=columns[1:], note=note)]
    spared = [
        (f"{each.case}: {each.mutant} ({each.kind}): {each.verdict} {each.why}".strip(), "")
        for each in found
        if each.verdict != KILLED
    ]
    return [*tables, *([Listing("Faults that no lane finds", spared)] if spared else [])]


def _counts(found: Sequence[Fate]) -> list[str]:
    cells = [str(len(found))]
    for lane in LANES:
        judged = [each for each in found if lane in each.lanes]
        cells.append(f"{sum(bool(each.lanes[lane]) for each in judged)}/{len(judged)}" if judged else "")
    cells.append(str(sum(each.edits_outputs for each in found)))
    cells += [str(sum(each.verdict == verdict for each in found)) for verdict in (EQUIVALENT, INADEQUATE)]
    return cells


def write(found: Sequence[Fate], folder: Path) -> Path:
    """One line a mutant."""
    file = folder / FILE
    file.write_text("".join(json.dumps(asdict(each)) + "\n" for each in found), encoding="utf-8")
    return file


def read(folder: Path, told: Told = refuse) -> list[Fate]:
    """Read what `write` wrote; empty if there is no file. Invalid lines are passed to `told`."""
    known = Fate.__dataclass_fields__
    return [
        Fate(**{name: value for name, value in line.items() if name in known})
        for line in beside(folder, FILE, told)
    ]


def survivors(found: Sequence[Fate]) -> list[Any]:
    """The mutants that should have been found and were not."""
    return [each for each in found if each.verdict == INADEQUATE]
