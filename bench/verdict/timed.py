"""The verdict on what was timed: the last call's output, or the judged steps of a training once more."""

from dataclasses import replace
from typing import Any

from bench.cells.cell import Cell
from bench.contender import train
from bench.contender.prepare import tensors
from bench.speed.clock import Call
from bench.store.row import TIMED, Row
from bench.verdict.known import limits, unsteady
from bench.verdict.row import verdict


def judged(call: Call, unit: Cell, direction: str) -> Row:
    """The row of what the last timed call gave; of a training, of the judged steps once more after it."""
    kept, engine = call.kept, call.engine
    if isinstance(kept, train.Ready):
        row = verdict(unit, direction, kept.again(), engine)
        if not call.fault or row.status not in TIMED:  # what is wrong with the judged steps comes first
            return row
        found: dict[str, Any] = unsteady(call.fault, limits(unit, engine, direction))
        return replace(row, **found)
    outputs, gradients = call.bound[0].finish(call.last)
    return verdict(unit, direction, tensors(kept, outputs, gradients), engine)
