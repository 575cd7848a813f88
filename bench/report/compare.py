"""What changed between two runs, cell by cell. Speeds are not compared."""

import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import NoneType
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bench.report.arithmetic import answers
from bench.report.header import Records
from bench.report.overview import short
from bench.report.variants import followed
from bench.store.row import COLUMNS
from bench.store.rows import (
    CELL,
    NUMBERS,
    aloud,
    curves,
    files,
    fingerprints,
    heard,
    load,
    records,
    run_id,
)

COORDINATES = [name for name in CELL if name != "run_id"]
CURVE = ("case", "option", "regime", "size", "contender", "backend", "mode", "device", "dtype", "seed")
_BEFORE = {"device": "cpu", "seed": 0}  # of curves that were written without them

# The columns that are compared exactly, by kind of change. A cell counts for the first kind that applies.
KINDS = {
    "status": ("status",),
    "figures": ("bits", "z_rms", "z_worst", "worst", "undecided", "accumulator"),
    "outputs": ("checksum",),
}
COMPARED = tuple(name for names in KINDS.values() for name in names)

Curve = tuple[str, ...]  # its coordinates, those of `CURVE`


@dataclass(frozen=True)
class Side:
    """The runs at one path: the newest row of each cell, the newest curves, and the runs' records."""

    path: str
    rows: pd.DataFrame
    again: int  # cells that several runs had
    curves: Mapping[Curve, Sequence[float]]  # losses; NaN for null
    machines: Records
    environments: Records
    fingerprints: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True)
class Otherwise:
    """What both runs measured of a backend, with another outcome: a fingerprint or a convention."""

    what: str
    old: str
    new: str


@dataclass(frozen=True)
class Comparison:
    """What changed from A to B. `old` and `new` hold the cells that both have, in the same order."""

    a: Side
    b: Side
    old: pd.DataFrame
    new: pd.DataFrame
    differs: pd.DataFrame  # per cell, which columns of `COMPARED` differ
    kind: NDArray[Any]  # per cell, its kind in `KINDS`; empty if nothing differs
    gone: pd.DataFrame  # rows of A whose cell is not in B
    added: pd.DataFrame  # rows of B whose cell is not in A
    bent: Mapping[Curve, int]  # curves of both that differ, and the first step at which they do
    lost: Sequence[Curve]  # curves that only A has
    otherwise: Sequence[Otherwise] = ()

    @property
    def changed(self) -> bool:
        """Whether a cell changed or is gone. A cell that only B has is no change."""
        return bool((self.kind != "").any() or len(self.gone) or self.bent or self.lost or self.otherwise)


def read(path: str | os.PathLike[str], *, lenient: bool = False) -> Side:
    """Read a rows file, a run or a folder of runs. If several runs have a cell, the newest counts.

    Raises FileNotFoundError where there is no rows file, ValueError where it has no row or cannot be read.
    `lenient` skips invalid rows and curves with a message on stderr; invalid records are always skipped.
    """
    every = load(path, lenient=lenient)[list(COLUMNS)]
    if every.empty:
        raise ValueError(f"rows {path}: got none, should be at least one; `gaugeblock run` makes them")
    every = every.iloc[every["run_id"].astype("category").cat.codes.argsort(kind="stable")]
    rows = every.drop_duplicates(COORDINATES, keep="last", ignore_index=True)
    several = every.duplicated(COORDINATES) & ~every.duplicated(COORDINATES, keep="last")
    found = files(path)
    known = heard(lambda told: records(found, told), aloud)
    prints = heard(lambda told: [each for file in found for each in fingerprints(file, told)], aloud)
    return Side(os.fspath(path), rows, int(several.sum()), _curves(found, lenient), *known, prints)


def compare(a: Side, b: Side) -> Comparison:
    """Compare every cell of A with the same cell of B, exactly; NaN equals NaN."""
    numbered = b.rows[COORDINATES].assign(at=np.arange(len(b.rows)))
    at = a.rows[COORDINATES].merge(numbered, on=COORDINATES, how="left", validate="1:1")["at"].to_numpy(float)
    both = ~np.isnan(at)
    found = at[both].astype(int)
    old = a.rows[both].reset_index(drop=True)
    new = b.rows.iloc[found].reset_index(drop=True)
    differs = pd.DataFrame({name: _unequal(old[name], new[name]) for name in COMPARED}, index=old.index)
    kinds = [differs[list(names)].any(axis=1) for names in KINDS.values()]
    fresh = np.ones(len(b.rows), dtype=bool)
    fresh[found] = False
    steps = {each: _parting(a.curves[each], b.curves[each]) for each in a.curves if each in b.curves}
    return Comparison(
        a,
        b,
        old,
        new,
        differs,
        kind=np.select(kinds, list(KINDS), ""),
        gone=a.rows[~both],
        added=b.rows[fresh],
        bent={each: step for each, step in steps.items() if step is not None},
        lost=[each for each in a.curves if each not in b.curves],
        otherwise=[*_arithmetic(a, b), *_conventions(old, new)],
    )


def _arithmetic(a: Side, b: Side) -> list[Otherwise]:
    """What the fingerprints of a backend, mode and dtype have otherwise in B."""
    one, other = answers(a.fingerprints), answers(b.fingerprints)
    return [
        Otherwise(f"{place}: {name}", said or "none", other[place][name] or "none")
        for place in one
        if place in other
        for name, said in one[place].items()
        if said != other[place][name]
    ]


def _conventions(old: pd.DataFrame, new: pd.DataFrame) -> list[Otherwise]:
    """The conventions that a framework follows otherwise in B, by the cells that both have."""
    one, other = followed(old), followed(new)
    return [
        Otherwise(f"{short(place[1])}: {place[0]}", said, other.get(place) or "none")
        for place, said in one.items()
        if said != other.get(place)
    ]


def _unequal(old: pd.Series, new: pd.Series) -> Any:
    if old.name not in NUMBERS:
        return old.to_numpy(object) != new.to_numpy(object)
    x, y = (side.to_numpy(float, na_value=math.nan) for side in (old, new))
    return (x != y) & ~(np.isnan(x) & np.isnan(y))


def _parting(old: Sequence[float], new: Sequence[float]) -> int | None:
    """The first step at which two curves differ, or one of them ends."""
    pairs = zip(old, new, strict=False)
    apart = (at for at, (x, y) in enumerate(pairs) if x != y and not (math.isnan(x) and math.isnan(y)))
    return next(apart, None if len(old) == len(new) else min(len(old), len(new)))


def _curves(found: Iterable[Path], lenient: bool) -> dict[Curve, list[float]]:
    """The curves beside rows files, those of the newest run last."""
    kept: dict[Curve, list[float]] = {}
    for file in sorted(found, key=run_id):
        for curve in heard(partial(curves, file), aloud) if lenient else curves(file):
            where = tuple(str(curve.get(name, _BEFORE.get(name, ""))) for name in CURVE)
            losses = _losses(curve.get("loss"))
            if losses is None:
                raise ValueError(
                    f"curve of {'/'.join(where)} beside {file}: got {str(curve.get('loss'))[:40]!r} as its "
                    "loss, should be a list of numbers"
                )
            kept[where] = losses
    return kept


def _losses(found: Any) -> list[float] | None:
    """A curve's losses, NaN for null; None where they are no list of numbers."""
    if not isinstance(found, list) or any(type(each) not in (int, float, NoneType) for each in found):
        return None
    try:
        return [math.nan if each is None else float(each) for each in found]
    except OverflowError:  # an integer of hundreds of digits
        return None
