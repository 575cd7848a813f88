"""What a gate found: sections for the terminal and for Markdown, JSON, JUnit XML, and rows of both sides."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from bench.digits import count
from bench.gate.accepted import Accepted
from bench.gate.decide import ALPHA, ANSWERS, MISSED, SEEN
from bench.gate.duel import NEW, OLD
from bench.gate.gate import Gate, Told
from bench.report.junit import TestCase, junit
from bench.report.rules import lost
from bench.report.table import Listing, Section, Table
from bench.store.row import Row, plain

SIGNS = {"slower": "✗", "can't tell": "?", "faster": "✓", "same": "✓"}
FORMAT = 1  # of the JSON


def sections(found: Gate, expired: Sequence[Accepted] = ()) -> list[Section]:
    """The sentences first, then each cell that is not the same on both sides, then what was compared."""
    apart = [each for each in found.told if _notable(each)]
    order = sorted(apart, key=_rank)
    parts: list[Section] = [
        Listing("The gate", [(each, "") for each in (*sentences(found), *_expired(expired))])
    ]
    if order:
        columns = ("cell", "speed", "time new / old", "numbers")
        lines = [(_name(each), _speed(each), _interval(each), _numbers(each)) for each in order]
        parts.append(Table("Cells", columns, lines))
    same = len(found.told) - len(apart)
    note = (
        f"{count(same, 'cell')} with the same speed and no regression of numbers not listed." if same else ""
    )
    parts.append(_sides(found, note))
    return parts


def sentences(found: Gate) -> list[str]:
    """What the gate says of the whole suite, in sentences."""
    speeds = [each.speed for each in found.told if each.speed]
    numbers = {name: sum(one.answer == name for one in speeds) for name in ANSWERS}
    fresh = f"{count(found.replicates, 'set')} of fresh processes, {found.seconds:.0f} s"
    slower = [each for each in found.told if each.slower]
    first = (
        f"{count(len(slower), 'cell')} of {len(found.told)} slower"
        if slower
        else f"no cell is slower by more than {_percent(_bound(found))}, reliability {1 - MISSED:.2f}"
        if len(speeds) == len(found.told) and speeds and _bound(found) < 1
        else "no cell is known to be slower"
    )
    told = [f"{first} ({fresh})"]
    told.append(", ".join(f"{numbers[name]} {name}" for name in ANSWERS if numbers[name]) or "no speeds")
    broken = [each for each in found.told if each.broken]
    compared = sum(each.old is not None and each.new is not None for each in found.told)
    bits = sum(each.other_bits for each in found.told)
    told.append(
        f"numbers: {count(len(broken), 'cell')} of {len(found.told)} regressed; outputs of {bits} of "
        f"{compared} have other bits"
    )
    if accepted := [each for each in found.told if each.accepted]:
        told.append(f"{count(len(accepted), 'regression')} accepted on purpose")
    told.append(
        f"on this machine today: {found.alarms:.1%} false alarms of such a gate on equal processes (at most "
        f"{ALPHA:.1%} by design); smallest slowdown seen with probability {SEEN:.2f}: "
        f"{_percent(found.smallest)}"
        if speeds
        else "false alarms and smallest slowdown: not known, because nothing was timed"
    )
    return told


def _expired(expired: Sequence[Accepted]) -> list[str]:
    return [
        f"no longer accepted since {each.until.isoformat()}: {plain(each.cell)} ({plain(each.why)})"
        for each in expired
    ]


def _bound(found: Gate) -> float:
    """The largest slowdown that any cell may have."""
    return max(each.speed.high for each in found.told if each.speed) - 1


def _percent(share: float) -> str:
    return f"{share:.1%}" if share < 1 else "100% or more" if math.isfinite(share) else "unknown"


def _notable(each: Told) -> bool:
    return bool(each.broken or each.fault or each.speed is None or each.speed.answer != "same")


def _rank(each: Told) -> tuple[int, float]:
    """Regressions first, the largest first; then what is unknown, then what is faster."""
    if each.broken or each.slower:
        return int(each.accepted is not None), -(each.speed.ratio if each.speed else math.inf)
    if each.speed is None or each.speed.answer == "can't tell":
        return 2, -(each.speed.high if each.speed else math.inf)
    return 3, each.speed.ratio


def _name(each: Told) -> str:
    cell = each.cell
    return "\n".join(
        (
            "/".join((cell.case, cell.option, cell.regime, cell.size)),
            cell.contender,
            "/".join((cell.mode, cell.device, cell.dtype, cell.direction)),
        )
    )


def _speed(each: Told) -> str:
    if each.speed is None:
        return "not timed"
    by = " (CPU time)" if each.speed.witness == "cpu" else ""
    return f"{SIGNS[each.speed.answer]} {each.speed.answer}{by}"


def _interval(each: Told) -> str:
    if each.speed is None:
        return ""
    one = each.speed
    return f"{one.ratio:.3f}\n{one.low:.3f} to {one.high:.3f}"


def _numbers(each: Told) -> str:
    told = [", ".join(each.broken)] if each.broken else []
    if each.old and each.new and (each.broken or each.old.status != each.new.status):
        told.append(f"{_status(each.old)} → {_status(each.new)}")
        told += [_cut(each.new.why)] if each.new.why else []
    if each.broken and each.departed:
        told.append(_cut(each.departed))
    if each.since and (each.broken or each.other_bits):
        told.append(f"{'' if each.broken else 'other bits '}since {each.since}")
    if each.fault:
        told.append(_cut(each.fault))
    if each.accepted:
        told.append(f"accepted until {each.accepted.until.isoformat()}: {each.accepted.why}")
    return "\n".join(told) or ("other bits" if each.other_bits else "the same bits" if each.new else "")


def _status(row: Row) -> str:
    return row.status if row.bits is None else f"{row.status} {row.bits:.1f} bits"


def _cut(text: str, most: int = 160) -> str:
    return text if len(text) <= most else f"{text[:most]} …"


def _sides(found: Gate, note: str) -> Table:
    old, new = found.sides
    names = sorted({*old.packages, *new.packages})
    lines = [("side", old.name, new.name)]
    lines += [
        (name, one, other)
        for name in names
        if (one := old.packages.get(name, "none")) != (other := new.packages.get(name, "none"))
    ]
    variables = sorted({*old.variables, *new.variables})
    lines += [
        (name, old.variables.get(name, "unset"), new.variables.get(name, "unset")) for name in variables
    ]
    return Table("Compared", ("", "old", "new"), lines, note=note)


def as_json(found: Gate, expired: Sequence[Accepted] = (), status: int = 0) -> str:
    """Everything that the gate found, as JSON: without NaN, infinite numbers are null."""
    old, new = found.sides
    record = {
        "format": FORMAT,
        "status": status,
        "sentences": sentences(found),
        "limit": found.limit,
        "false_alarms": found.alarms,
        "smallest": found.smallest,
        "seconds": found.seconds,
        "replicates": found.replicates,
        "slot_effect": {"relative": found.turn[0], "standard_error": found.turn[1]},
        "sides": {
            name: {"name": side.name, "packages": dict(side.packages), "variables": dict(side.variables)}
            for name, side in (("old", old), ("new", new))
        },
        "cells": [_cell(each) for each in found.told],
        "expired": [{"cell": one.cell, "why": one.why, "until": one.until.isoformat()} for one in expired],
    }
    return json.dumps(_finite(record), indent=1, allow_nan=False) + "\n"


def _cell(each: Told) -> dict[str, Any]:
    rows = {name: row.as_dict() if row else None for name, row in (("old", each.old), ("new", each.new))}
    both = each.old and each.new
    gone = lost(each.old.as_dict(), each.new.as_dict()) if each.old and each.new else None
    return {
        "cell": str(each.cell),
        **asdict(each.cell),
        "speed": asdict(each.speed) if each.speed else None,
        "regressed": each.regressed,
        "broken": list(each.broken),
        "departed": each.departed,
        "bits_lost": gone,
        "other_bits": each.other_bits if both else None,
        "since": each.since,
        "fault": each.fault,
        "accepted": {"why": each.accepted.why, "until": each.accepted.until.isoformat()}
        if each.accepted
        else None,
        "rows": rows,
    }


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _finite(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def as_junit(found: Gate) -> str:
    """One test case a cell, as JUnit's XML: a regression is a failure, what is not known is skipped."""
    cases = []
    for each in found.told:
        text = "; ".join(filter(None, (_speed(each), *_interval(each).split("\n"), _numbers(each))))
        skipped = "" if each.regressed or not _unknown(each) else text
        cases.append(TestCase(each.cell.case, str(each.cell), text if each.regressed else "", skipped))
    return junit("gaugeblock gate", cases, found.seconds)


def _unknown(each: Told) -> bool:
    return each.speed is None or each.speed.answer == "can't tell"


def rows(found: Gate, root: Path) -> list[Path]:
    """Write the rows of both sides as two runs below `root`; returns their folders."""
    from bench.machine.records import environment, key, machine
    from bench.store.results import start

    here, written = machine(), []
    for side, name in ((OLD, "old"), (NEW, "new")):
        mine = [row for each in found.told if (row := (each.old, each.new)[side == NEW])]
        if not mine:
            continue
        records = {str(one.get("backend")): one for one in found.records.get(side, ()) if "error" not in one}
        run = start(root / name, here, environment())
        try:
            for record in records.values():
                run.worker(record)
            for row in mine:
                of = records.get(row.backend)
                run.append(replace(row, environment=key(of) if of else ""))
        finally:
            run.release()
        written.append(run.folder)
    return written
