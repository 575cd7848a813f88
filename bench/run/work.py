"""What a run asks of its workers beside samples: limits derived, cells judged, arithmetic probed.

A worker runs these functions by their names, so that they take and give built-in types.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from bench import pages
from bench.backends import Absent, backend
from bench.cells.cell import LOW, Cell
from bench.contender.prepare import instance, lost
from bench.failure.freeze import freeze
from bench.failure.steps import explained
from bench.machine.malloc import held
from bench.machine.records import key
from bench.noise import accumulators
from bench.run.environment import environment
from bench.speed import timed
from bench.speed.kept import keep as keep_until_timed
from bench.tolerance.expected import expectation
from bench.verdict import fingerprint as fingerprints
from bench.verdict import saboteur
from bench.verdict import timed as verdicts
from bench.verdict.judge import judge as judge_unit


def derive(cell: dict[str, Any]) -> None:
    """Derive a cell's limits into the cache; the cells that need them say what went wrong."""
    one = Cell(**cell)
    with held(), suppress(Exception):
        expectation(one, accumulator=accumulators(one.dtype)[0])
        for direction in pages.case(one.case).directions if one.dtype not in LOW else ():
            saboteur.passing(one, direction)


def judge(
    unit: dict[str, Any],
    directions: list[str],
    keep: bool,
    curve: bool,
    failures: str = "",
    options: Sequence[str] = (),
) -> dict[str, Any]:
    """The rows of one unit by direction, the losses of its free run, and the worker's environment record.

    `lost` says that this worker can compute no more: its GPU refuses even a small product now.
    What fails leaves a folder in `failures`, with the command that has the run's `options`.
    """
    cell = Cell(**unit)
    with suppress(Absent):
        backend(cell.backend).installed()
        backend(cell.backend).compile_anew(keep)
    record = environment(cell)
    judged = judge_unit(cell, directions, curve=curve)
    if keep and judged.ready is not None:
        keep_until_timed(cell, judged.ready)
    rows = {}
    for direction, row in judged.rows.items():
        if failures:
            one = replace(cell, direction=direction)
            first = cell.size == next(iter(pages.case(cell.case).sizes))  # of others the steps take minutes
            row = replace(explained(one, row) if first else row, command=one.command(*options))
            freeze(Path(failures), one, row, judged, graph="gradient" in directions)
        rows[direction] = plain(replace(row, environment=key(record) if record else "").as_dict())
    losses = [float(loss) for loss in judged.curve]
    broken = any(row["status"] == "error" for row in rows.values()) and lost(cell)
    return {"rows": rows, "curve": losses, "environment": record, "lost": broken}


def verdict(name: str) -> dict[str, Any]:
    """The row of what a timed call gave; then it is dropped, and its memory with it."""
    wanted, call = timed.taken(name)
    return timed.answer(lambda: plain(verdicts.judged(call, wanted.unit, wanted.direction).as_dict()))


def fingerprint(unit: dict[str, Any]) -> dict[str, Any]:
    """The arithmetic of a unit's backend, mode and dtype."""
    cell = Cell(**unit)
    return fingerprints.fingerprint(instance(backend(cell.backend), cell.device, cell.dtype), cell.mode)


def plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """NumPy's numbers as Python's."""
    return {name: value.item() if isinstance(value, np.generic) else value for name, value in row.items()}
