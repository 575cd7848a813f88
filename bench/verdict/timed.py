"""Judges timed calls: the outputs of the last calls of blocks, or for training the judged steps repeated."""

from dataclasses import replace
from typing import Any

from bench.cells.cell import Cell
from bench.contender import train
from bench.contender.given import bits, changed
from bench.contender.prepare import tensors
from bench.speed.clock import Call
from bench.store.row import TIMED, Row
from bench.verdict.again import CALLS, FEWER, left, repeat, unsteady_row
from bench.verdict.row import after, elsewhere, verdict

SLOW = 0.001  # seconds; calls that take longer are repeated less often: they were repeated before, untimed


def judged(call: Call, unit: Cell, direction: str) -> Row:
    """The row of what the last timed call gave on the first set, after what it gave on the others.

    For training, the row of the judged steps repeated after the timed ones.
    """
    kept, engine = call.kept, call.engine
    if isinstance(kept, train.Ready):
        row = verdict(unit, direction, kept.again(), engine)
        row = unsteady_row(row, unit, engine, call.fault)  # a fault of the judged steps comes first
        row = left({direction: row}, changed(kept.bits, bits(engine, kept.given)))[direction]
        return replace(row, judged=str(len(kept.batches)))
    got = {number: tensors(kept, *result) for number, result in call.ended.items()}
    row = verdict(unit, direction, got[0], engine)
    for number in sorted(got)[1:]:
        if row.status in TIMED or row.limit:
            row = after(row, unit, got[number], engine, number)
    row = left({direction: row}, changed(call.bits, call.inputs()))[direction]
    if row.status not in TIMED:
        return row
    return replace(_repeated(call, row, unit, direction), judged=str(len(got)))


def _repeated(call: Call, row: Row, unit: Cell, direction: str) -> Row:
    """The row after further calls, whose results are compared with those that were judged."""
    kept, engine = call.kept, call.engine

    def again(number: int) -> Any:
        bound = call.bound[number]
        return engine.get(bound.finish(bound.once()))

    def alike(number: int, result: Any) -> bool:
        if engine.device == "cpu":
            return False
        return not elsewhere(unit, direction, tensors(kept, *result), engine, number)

    if kept.case.random:
        return row
    least = CALLS if unit.dtype == "float32" else CALLS // FEWER
    firsts = [call.ended[number] for number in sorted(call.ended)]
    with engine.running(direction):
        calls, faults = repeat(again, firsts, least, alike, quick=0.0, slow=SLOW)
    return replace(unsteady_row(row, unit, engine, faults.get(direction, "")), repeats=calls)
