"""What counts as a regression of a cell between two runs: the rules of `--fail-on`."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from bench.report.compare import COMPARED
from bench.slip import choice
from bench.store.row import STATUSES

WORSE = "worse"
USUAL = f"{WORSE},bits:1,vanished"
# from the best: a change to a later one is worse. What did not run has no verdict that could be worse
ORDER = ("agrees", "imprecise", "limited", "mistrusted", "disagrees", "error")
NOT_RUN = ("absent", "missing")
FURTHER = 2.0  # times as far off: a known departure has a range, in which another error may hide
RULES = {
    WORSE: "a worse status, or, with the same one, an error more than twice as far off",
    "bits:N": "N effective bits fewer, or more than N",
    "vanished": "the cell is gone, or no longer runs",
    "outputs": "another bit in an output",
    "changed": "any figure, output or training curve is not the same",
    **{name: f"the status becomes {name}" for name in STATUSES},
}


@dataclass(frozen=True)
class Rules:
    """The rules that were asked for: names of `RULES`, and the effective bits whose loss is a regression."""

    names: frozenset[str]
    bits: float = math.inf

    def broken(self, old: Mapping[str, Any], new: Mapping[str, Any] | None) -> list[str]:
        """The rules that a cell breaks, by its rows before and after; None is a row that is gone."""
        changed = new is None or any(not _same(old[name], new[name]) for name in COMPARED)
        told = ["changed"] if changed and "changed" in self.names else []
        if old["status"] in NOT_RUN:
            return told
        if new is None or new["status"] in NOT_RUN:
            return (["vanished"] if "vanished" in self.names else []) + told
        was, now = str(old["status"]), str(new["status"])
        named = [
            *([WORSE] if WORSE in self.names and _worse(old, new) else []),
            *([now] if now in self.names and now != was else []),
            *(["bits"] if lost(old, new) >= self.bits else []),
            *(["outputs"] if "outputs" in self.names and not _same(old["checksum"], new["checksum"]) else []),
        ]
        return named + told


def _worse(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Whether the status is worse, or a known departure is hiding an error that it did not have."""
    was, now = (ORDER.index(row["status"]) for row in (old, new))
    z, before = (row["z_worst"] or 0.0 for row in (new, old))
    return now > was or (now == was and z > 1 and z > FURTHER * before)


def _same(one: Any, other: Any) -> bool:
    """Whether two values of a column are the same; what is empty has many forms, NaN among them."""
    return one == other or (_empty(one) and _empty(other))


def _empty(value: Any) -> bool:
    return value is None or value == "" or value != value


def lost(old: Mapping[str, Any], new: Mapping[str, Any]) -> float:
    """The effective bits that a cell lost; NaN where one of the two rows has none."""
    before, after = (math.nan if row["bits"] is None else float(row["bits"]) for row in (old, new))
    return before - after


def rules(text: str) -> Rules:
    """The rules in a text like ``disagrees,bits:1,vanished``. Raises ValueError for one that is none."""
    names, bits = set[str](), math.inf
    for each in filter(None, (part.strip() for part in text.split(","))):
        name, _, number = each.partition(":")
        if name == "bits":
            try:
                bits = float(number)
            except ValueError:
                bits = math.nan
            if not 0 < bits < np.inf:
                raise ValueError(f"--fail-on: got {each!r}, should be bits:N with a number N above zero")
        elif each in RULES:
            names.add(each)
        else:
            raise ValueError(f"--fail-on: got {each!r}, {choice(each, list(RULES))}")
    if not names and bits == math.inf:
        raise ValueError(f"--fail-on: got {text!r}, should name a rule: {', '.join(RULES)}")
    return Rules(frozenset(names), bits)
