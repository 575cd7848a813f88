"""Calls a judged contender again: on further inputs, which are judged too, and many times on all of them.

A contender that keeps a result may give it for other inputs too. One that is wrong now and then gives other
bits than before on the same inputs. And no call may change what it is given. None of these calls is timed.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from time import perf_counter
from typing import Any

import numpy as np

from bench.backends import Backend
from bench.cells.cell import Cell
from bench.contender import train
from bench.contender.given import astray, bits, changed, held
from bench.contender.prepare import Ready, taken, tensors
from bench.inputs import inputs
from bench.store.row import TIMED, Row
from bench.tree import Tree, flatten
from bench.verdict.invariants import named
from bench.verdict.known import limits, unsteady
from bench.verdict.row import after, elsewhere

CALLS, CALLS_FULL = 64, 300  # in float32 at the first size of a case; the latter under --full
FEWER = 8  # other dtypes make so many times fewer calls
# seconds per call wanted: more calls are made as long as they fit, fewer if they take longer than `SLOW`
QUICK, SLOW = 0.0005, 0.005
LONG = 0.02  # seconds of a call, above which one on each set must do
LEAST = 3  # calls on each set in any case; of a training once through its steps


def called_again(
    rows: Mapping[str, Row], ready: Ready, unit: Cell, call: Callable[..., Any], first: Tree, least: int
) -> tuple[dict[str, Row], dict[str, Any]]:
    """The rows by direction after a call on a further set, which is judged, and repeated calls on both.

    Also returns the tensors of the further set.

    ``call(data, cotangents)`` returns outputs and gradients; it gave `first` for the first set.
    """
    engine, further, rows = ready.engine, inputs(unit, 1), dict(rows)
    sets = [
        (ready.data, ready.cotangents),
        (taken(engine, ready.case, further.data), engine.put(dict(further.cotangents))),
    ]
    before = _bits(engine, *sets[1])
    second = held(engine.get(call(*sets[1])))
    got = tensors(ready, *second)
    for each, row in rows.items():
        if row.status in TIMED or row.limit:
            rows[each] = after(row, unit, got, engine, 1)

    def alike(number: int, result: Any) -> bool:
        """Whether other bits are right too: a GPU may sum in another order each time."""
        if engine.device == "cpu":
            return False
        found = tensors(ready, *result)
        return not any(elsewhere(unit, each, found, engine, number) for each in rows)

    calls, faults = 0, dict[str, str]()
    if not ready.case.random:
        calls, faults = repeat(lambda number: engine.get(call(*sets[number])), (first, second), least, alike)
    judged = f"{len(sets)}{', reordered' if further.order is not None else ''}"
    rows = left(rows, changed(before, _bits(engine, *sets[1])))
    done = {each: unsteady_row(row, unit, engine, faults.get(each, "")) for each, row in rows.items()}
    return {each: replace(row, judged=judged, repeats=calls) for each, row in done.items()}, got


def _bits(engine: Backend, data: Tree, cotangents: Tree) -> dict[str, int]:
    found = bits(engine, {"input": data, "cotangent": cotangents})
    return {f"{path} of set 1": each for path, each in found.items()}


def unsteady_row(row: Row, unit: Cell, engine: Backend, fault: str) -> Row:
    """The row, or what it becomes if repeated calls differ."""
    if not fault or row.status not in TIMED:
        return row
    found: dict[str, Any] = unsteady(fault, limits(unit, engine, row.direction))
    return replace(row, **found)


def left(rows: Mapping[str, Row], fault: str) -> dict[str, Row]:
    """The rows, or what they become if a call changed its inputs."""
    wrong: dict[str, Any] = {"status": "disagrees", "why": fault, "bits": None} if fault else {}
    return {each: replace(row, **(wrong if row.status in TIMED else {})) for each, row in rows.items()}


def unlinked(ready: train.Ready, judged: Mapping[str, Any]) -> str:
    """Why steps in a row are not those that were judged one by one, in a sentence; empty if they are.

    Each judged step begins with a load. A loop that works only then, or keeps what a batch once gave, is
    right in each of them. A GPU may sum in another order each time, so bits are compared on a CPU only.
    """
    (row, losses), (single, _) = ready.run(reload=False), ready.run(reload=True)
    ready.start()
    count = len(losses)
    if ready.engine.device == "cpu" and (path := astray(row, single)):
        return f"{train.NAMES[path[0]]}{path[1:]} after {count} steps in a row is not what single steps leave"
    kept = [np.array_equal(loss, judged[f"training.{n}.loss"]) for n, loss in enumerate(losses)]
    varied = len({np.asarray(loss).tobytes() for loss in losses}) > 1
    if varied and all(kept):
        return f"the loss of each of {count} batches is the same with other weights"
    return ""


def repeat(
    call: Callable[[int], Tree],
    firsts: Sequence[Tree],
    least: int,
    alike: Callable[[int, Tree], bool] = lambda number, result: False,
    quick: float = QUICK,
    slow: float | None = None,
    fewest: int = LEAST,
) -> tuple[int, dict[str, str]]:
    """Call on all sets in random order, and compare each result with the first on the same set, bit by bit.

    ``call(number)`` returns outputs and gradients as NumPy has them. Makes at least `least` calls, more if
    they take less than `quick` seconds each, and fewer if they take longer than `slow` (default: `SLOW`), but
    `fewest` on each set in any case; one if they take longer than `LONG`. ``alike(number, result)`` may
    accept other bits. Returns the number of calls, and by direction a sentence about the first that differs.
    """
    flat = [flatten(each) for each in firsts]
    slow = SLOW if slow is None else slow
    rng, start, calls, quickest = np.random.default_rng(0), perf_counter(), 0, math.inf
    each = rng.permutation(len(flat))
    while calls < fewest * len(flat) or (
        (spent := perf_counter() - start) < slow * least and (calls < least or spent < quick * least)
    ):
        if calls >= len(flat) and quickest > LONG:  # another job may hold up a few
            break
        number = int(each[calls] if calls < len(flat) else rng.integers(len(flat)))
        begun = perf_counter()
        result, calls = call(number), calls + 1
        quickest = min(quickest, perf_counter() - begun)
        faults = _differing(flat[number], flatten(result), calls)
        if faults and not alike(number, result):
            return calls, faults
    return calls, {}


def _differing(first: Mapping[str, Any], again: Mapping[str, Any], calls: int) -> dict[str, str]:
    """A sentence by direction for the first array whose bits are not those of the first call."""
    found: dict[str, str] = {}
    for path in {**first, **again}:
        y, other = np.asarray(first.get(path)), np.asarray(again.get(path))
        alike = y.dtype == other.dtype and y.shape == other.shape
        # most often the bits are the same, which takes the least time to see
        if alike and (y.tobytes() == other.tobytes() or np.array_equal(y, other, equal_nan=True)):
            continue
        wrong = np.size(y)
        if other.shape == np.shape(y):
            wrong -= int(np.count_nonzero((y == other) | ((y != y) & (other != other))))
        what = f"{wrong} of {np.size(y)} elements differ from the first call on the same inputs"
        if path not in first or path not in again:
            what = "it is not there in each call"
        elif y.dtype != other.dtype:
            what = f"its dtype is {other.dtype}, and was {y.dtype} in the first call on the same inputs"
        found.setdefault(
            "gradient" if path.startswith("1") else "forward",
            f"the same call gave another {named(path)}: in call {calls}, {what}",
        )
    return found
