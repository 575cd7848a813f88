"""Which of the changes between two runs are regressions, by the rules of `--fail-on`."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from bench.cells.cell import cell_of
from bench.digits import count
from bench.report.compare import Comparison, Otherwise
from bench.report.junit import TestCase, junit
from bench.report.overview import short
from bench.report.rules import NOT_RUN, ORDER, Rules, lost
from bench.report.table import Section, Table

FORMAT = 1  # of the JSON
SHOWN = 20  # causes
CUT = 160  # characters of a reason

Line = Mapping[str, Any]


@dataclass(frozen=True)
class Change:
    """A cell that is not the same in both runs: its rows (None where it has none), and the broken rules."""

    old: Line | None
    new: Line | None
    broken: Sequence[str]

    @property
    def name(self) -> str:
        row = self.new or self.old
        assert row is not None
        return str(cell_of(row))

    @property
    def lost(self) -> float:
        """Effective bits that it lost; NaN if it has none on one side."""
        return lost(self.old, self.new) if self.old and self.new else math.nan


@dataclass(frozen=True)
class Found:
    """The cells that changed, the worst regressions first, and what else broke a rule, as sentences."""

    changes: Sequence[Change]
    curves: Sequence[str]
    same: int  # cells that did not change
    otherwise: Sequence[Otherwise] = ()  # fingerprints and conventions that changed
    backends: Sequence[str] = ()  # the same as sentences, if that breaks a rule

    @property
    def regressed(self) -> list[Change]:
        return [each for each in self.changes if each.broken]

    @property
    def status(self) -> int:
        """The exit status: 1 if something regressed."""
        return int(bool(self.regressed or self.curves or self.backends))


def regressions(found: Comparison, rules: Rules) -> Found:
    """Apply the rules to every cell that changed, is gone or is new."""
    at = np.flatnonzero(found.kind != "")
    pairs = zip(_lines(found.old.iloc[at]), _lines(found.new.iloc[at]), strict=True)
    changes = [Change(old, new, rules.broken(old, new)) for old, new in pairs]
    changes += [Change(old, None, rules.broken(old, None)) for old in _lines(found.gone)]
    changes += [Change(None, new, ()) for new in _lines(found.added)]
    curves, backends = [], []
    if "changed" in rules.names:
        backends += [f"{each.what} changed: {each.old} → {each.new}" for each in found.otherwise]
        curves += [f"the curve of {'/'.join(filter(None, each))} changed" for each in found.bent]
    if {"changed", "vanished"} & rules.names:
        curves += [f"the curve of {'/'.join(filter(None, each))} is gone" for each in found.lost]
    same = len(found.old) - len(at)
    return Found(sorted(changes, key=_rank), curves, same, found.otherwise, backends)


def _lines(rows: pd.DataFrame) -> list[Line]:
    """The rows as Row has them: what is empty is None."""
    return [
        {str(name): None if value is pd.NA or value != value else value for name, value in row.items()}
        for row in rows.to_dict("records")
    ]


def _rank(each: Change) -> tuple[bool, int, float]:
    worst = ORDER.index(each.new["status"]) if each.new and each.new["status"] not in NOT_RUN else len(ORDER)
    return not each.broken, -worst, -each.lost if each.lost == each.lost else 0.0


def causes(found: Found) -> list[Section]:
    """The changes in groups: what happened to which package's API, in how many cells, the worst first."""
    groups: dict[tuple[str, ...], list[Change]] = {}
    for each in found.changes:
        groups.setdefault((_what(each), _who(each), _why(each)), []).append(each)
    lines = []
    for (what, who, why), mine in groups.items():
        bits = [each.lost for each in mine if each.lost == each.lost]
        most = max(bits, default=math.nan)
        told = ", ".join(dict.fromkeys(rule for each in mine for rule in each.broken))
        change = f"{what}\n{why}" if why else what
        lines.append((change, who, f"{len(mine):,}", f"{most:+.1f}" if most == most else "", told))
    more = len(lines) - SHOWN
    note = f"{count(found.same, 'cell')} did not change." + (
        f" And {count(more, 'cause')} more." if more > 0 else ""
    )
    columns = ("what changed", "of", "cells", "bits lost", "regression")
    return [Table("Causes", columns, lines[:SHOWN], right=("cells", "bits lost"), note=note)] if lines else []


def _what(each: Change) -> str:
    if each.old is None or each.new is None:
        return "new" if each.old is None else "gone"
    before, after = each.old["status"], each.new["status"]
    return f"{before} → {after}" if before != after else f"still {after}"


def _who(each: Change) -> str:
    """The package and its two versions."""
    row = each.new or each.old
    assert row is not None
    name = row["package"] or short(str(row["backend"]))
    versions = [
        str(one["package_version"] or one["version"] or "") for one in (each.old, each.new) if one is not None
    ]
    return f"{name} {' → '.join(dict.fromkeys(versions))}".strip()


def _why(each: Change) -> str:
    """The Limit that explains it, else the reason, without the numbers that differ from cell to cell."""
    if each.new is None or each.old is None or each.new["status"] == each.old["status"]:
        return ""
    if each.new["limit"]:
        return f"Limit {each.new['limit']}"
    text = str(each.new["why"] or "").partition(":")[0]
    return text if len(text) <= CUT else f"{text[:CUT]} …"


def as_json(found: Found, a: str, b: str) -> str:
    """The changes as JSON. `a` and `b` are the paths of the two runs."""
    record = {
        "format": FORMAT,
        "status": found.status,
        "old": a,
        "new": b,
        "same": found.same,
        "regressed": len(found.regressed),
        "curves": list(found.curves),
        "otherwise": [asdict(each) for each in found.otherwise],
        "changes": [
            {
                "cell": each.name,
                "broken": list(each.broken),
                "bits_lost": each.lost if each.lost == each.lost else None,
                "old": each.old,
                "new": each.new,
            }
            for each in found.changes
        ],
    }
    return json.dumps(record, indent=1, allow_nan=False, default=str) + "\n"


def as_junit(found: Found) -> str:
    """One test case for each cell that changed: regressions are failures."""
    cases = []
    for each in found.changes:
        row = each.new or each.old or {}
        text = f"{', '.join(each.broken)}: {_what(each)}\n{row.get('why') or ''}"
        cases.append(TestCase(str(row.get("case", "")), each.name, failure=text if each.broken else ""))
    cases += [TestCase("curves", each, failure=each) for each in found.curves]
    cases += [TestCase("backends", each, failure=each) for each in found.backends]
    return junit("gaugeblock compare", cases)
