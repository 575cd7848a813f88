"""Judges every mutant of every formula: which lanes of the verdict detect it."""

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from bench import pages
from bench.backends.numpy import NumPy, reference
from bench.case import INTEGERS, Case
from bench.cells.cell import Cell
from bench.cells.selection import settings
from bench.digits import count
from bench.mutation.mutant import GENERAL, General, Mutant, mutants
from bench.report.kill_matrix import EQUIVALENT, INADEQUATE, KILLED, Fate, write
from bench.verdict.judge import Judged, attempt, unchanged
from bench.worker import pool


def fate(case: Case, mutant: Mutant | General, *, quick: bool = False) -> Fate | None:
    """The fate of one mutant; None if a general fault does not change the formula's outputs.

    `quick` stops at the first lane that detects it. A mutant that is not detected in its own option and
    regime is tried in all others before it counts as a survivor. Raises ValueError if it does not run.
    """
    planted = mutant.plant(case)
    if isinstance(mutant, General) and not _differs(case, planted):
        return None
    lanes: dict[str, str] = {}
    for first in (True, False):
        for lane, unit in _units(case, mutant, typical=first):
            if lanes.get(lane) or (quick and any(lanes.values())):
                continue
            lanes[lane] = _judged(planted, unit, lane)
        if any(lanes.values()):
            break
    killed = any(lanes.values())
    verdict = KILLED if killed else EQUIVALENT if mutant.equivalent else INADEQUATE
    why = mutant.equivalent
    if not quick and lanes.get("semantics") and not lanes.get("native", "not judged"):
        why = "equivalent in float32: below its resolution, and found in float64"
    return Fate(case.name, mutant.name, mutant.kind, mutant.edits_outputs, verdict, lanes, why)


def fates(
    names: Sequence[str] = (), *, quick: bool = False, jobs: int = 2, told: Callable[[str], None] = print
) -> Iterator[Fate]:
    """The fates of all mutants of these cases, by default of all cases, one case after the other."""
    wanted = [case.name for case in pages.chosen(names)]
    with pool(jobs) as several:
        for name, found in zip(wanted, several.map(_of_case, wanted, [quick] * len(wanted)), strict=True):
            survivors = sum(each.verdict == INADEQUATE for each in found)
            told(f"{name}: {count(len(found), 'mutant')}" + (f", {survivors} survived" if survivors else ""))
            yield from found


def _of_case(name: str, quick: bool) -> list[Fate]:
    case = pages.case(name)
    found = (fate(case, mutant, quick=quick) for mutant in mutants(case))
    return [each for each in found if each is not None]


def _units(case: Case, mutant: Mutant | General, *, typical: bool) -> Iterator[tuple[str, Cell]]:
    """Lanes and cells for the mutant's own option and regime, or for all others; cheapest lane first."""
    options, regimes = list(case.options), list(case.regimes)
    shown = (mutant.option or options[0], mutant.regime or regimes[0])
    chosen = [shown] if typical else [each for each in settings(case) if each != shown]

    def unit(option: str, regime: str, dtype: str) -> Cell:
        size = next(iter(case.sizes))
        return Cell(case.name, option, regime, size, "", "numpy", "eager", "cpu", dtype, "")

    for option, regime in chosen:
        yield "semantics", unit(option, regime, "float64")
    for option in dict.fromkeys(option for option, _ in chosen):
        if option in case.integers:
            yield "exact", unit(option, INTEGERS, "float32")
    for option, regime in chosen:
        yield "native", unit(option, regime, "float32")
    if "gradient" in case.directions:
        for option, regime in chosen:
            yield "invariants", unit(option, regime, "float32")


def _judged(planted: Case, unit: Cell, lane: str) -> str:
    """Why the lane rejects the mutant, or empty. Raises ValueError if the mutant does not run."""
    judged = _attempt(planted, unit)
    if lane == "invariants":
        return unchanged(judged.ready)
    for direction, row in judged.rows.items():
        if row.status == "error":
            raise ValueError(f"mutant of {unit.case}: got {row.why}, should run; correct its `new`")
        if row.status == "disagrees":
            return f"{direction}: {row.why}"
    return ""


def _attempt(planted: Case, unit: Cell) -> Judged:
    contender = reference(planted, lambda function: function)
    return attempt(planted, contender, NumPy(unit.device, unit.dtype), unit, planted.directions)


def _differs(case: Case, planted: Case) -> bool:
    """Whether the fault changes any bit of the outputs of the typical cell."""
    unit = next(unit for _, unit in _units(case, GENERAL[0], typical=True))
    first, second = (_attempt(each, unit).rows.values() for each in (case, planted))
    return [row.checksum for row in first] != [row.checksum for row in second]


def run(names: Sequence[str], quick: bool, folder: Path | None, told: Callable[[str], None]) -> list[Fate]:
    """Judge the mutants, write the matrix to `folder`, and return the fates; `told` prints progress.

    Raises FileNotFoundError if there is no such folder.
    """
    if folder is not None and not folder.is_dir():
        raise FileNotFoundError(f"results {folder}: got no such folder, should be the folder of a run")
    start = time.monotonic()
    found = list(fates(names, quick=quick, told=told))
    if folder is not None:
        told(f"written to {write(found, folder)}")
    told(f"{count(len(found), 'mutant')} in {time.monotonic() - start:.0f} s")
    return found
