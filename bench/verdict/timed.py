"""Judges timed calls: the output of the last call, or for training the judged steps repeated."""

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
    """The row of the last timed call's output; for training, of the judged steps repeated after it."""
    kept, engine = call.kept, call.engine
    if isinstance(kept, train.Ready):
        row = verdict(unit, direction, kept.again(), engine)
        if not call.fault or row.status not in TIMED:  # a fault of the judged steps comes first
            return row
        found: dict[str, Any] = unsteady(call.fault, limits(unit, engine, direction))
        return replace(row, **found)
    outputs, gradients = call.bound[0].finish(call.last)
    return verdict(unit, direction, tensors(kept, outputs, gradients), engine)
