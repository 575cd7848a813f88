"""What changed between the rows of two runs, cell by cell. No clock is involved: speeds are not compared."""

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

from bench.report.header import Records
from bench.store.row import COLUMNS
from bench.store.rows import CELL, NUMBERS, aloud, curves, files, heard, load, records, run_id

COORDINATES = [name for name in CELL if name != "run_id"]
CURVE = ("case", "option", "regime", "size", "contender", "backend", "mode", "device", "dtype", "seed")
_BEFORE = {"device": "cpu", "seed": 0}  # of curves that were written without them

# What is compared, exactly, by kind of change; a cell is of the first kind that it shows.
KINDS = {
    "status": ("status",),
    "figures": ("bits", "z_rms", "z_worst", "worst", "undecided", "accumulator"),
    "outputs": ("checksum",),
}
COMPARED = tuple(name for names in KINDS.values() for name in names)

Curve = tuple[str, ...]  # its coordinates, those of `CURVE`


@dataclass(frozen=True)
class Side:
    """What stands at one path: the newest row of each cell, the newest curve, and the runs' records."""

    path: str
    rows: pd.DataFrame
    again: int  # cells that several runs had
    curves: Mapping[Curve, Sequence[float]]  # losses; NaN for null
    machines: Records
    environments: Records


@dataclass(frozen=True)
class Comparison:
    """What changed from A to B. `old` and `new` hold the cells of both, line by line."""

    a: Side
    b: Side
    old: pd.DataFrame
    new: pd.DataFrame
    differs: pd.DataFrame  # of each line, which of `COMPARED` differ
    kind: NDArray[Any]  # of each line, which of `KINDS` it is; empty where nothing differs
    gone: pd.DataFrame  # rows of A whose cell B has not
    added: pd.DataFrame  # rows of B whose cell A has not
    bent: Mapping[Curve, int]  # curves of both that differ, and the first step at which they do
    lost: Sequence[Curve]  # curves of A that B has not

    @property
    def changed(self) -> bool:
        """Whether B is not all that A is. A cell that B alone has is no change."""
        return bool((self.kind != "").any() or len(self.gone) or self.bent or self.lost)


def read(path: str | os.PathLike[str], *, lenient: bool = False) -> Side:
    """A rows file, a run's folder or a folder of runs. Of a cell that several runs have the newest counts.

    Raises FileNotFoundError where there is no rows file, ValueError where it has no row or cannot be read.
    `lenient` leaves out what is no row and no curve, and says so on stderr, as of records in any case.
    """
    every = load(path, lenient=lenient)[list(COLUMNS)]
    if every.empty:
        raise ValueError(f"rows {path}: got none, should be at least one; `gaugeblock run` makes them")
    every = every.iloc[every["run_id"].astype("category").cat.codes.argsort(kind="stable")]
    rows = every.drop_duplicates(COORDINATES, keep="last", ignore_index=True)
    several = every.duplicated(COORDINATES) & ~every.duplicated(COORDINATES, keep="last")
    found = files(path)
    known = heard(lambda told: records(found, told), aloud)
    return Side(os.fspath(path), rows, int(several.sum()), _curves(found, lenient), *known)


def compare(a: Side, b: Side) -> Comparison:
    """Every cell of A against the same cell of B: exactly, and NaN is NaN."""
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
    )


def _unequal(old: pd.Series, new: pd.Series) -> Any:
    if old.name not in NUMBERS:
        return old.to_numpy(object) != new.to_numpy(object)
    x, y = (side.to_numpy(float, na_value=math.nan) for side in (old, new))
    return (x != y) & ~(np.isnan(x) & np.isnan(y))


def _parting(old: Sequence[float], new: Sequence[float]) -> int | None:
    """The first step at which two curves differ, or end apart."""
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
