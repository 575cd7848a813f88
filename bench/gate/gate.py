"""Runs a gate: pairs of fresh processes until each cell is decided, then the numbers of the timed calls."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Any

from bench.cells.cell import Cell
from bench.gate import decide
from bench.gate.accepted import Accepted
from bench.gate.decide import LOOKS, Answer
from bench.gate.duel import NEW, OLD, Blocks, Outputs, given, key, replicate
from bench.gate.side import Side
from bench.report.rules import Rules
from bench.store.row import Row
from bench.worker import Died, Worker

JUDGED = "bench.gate.numbers:judged"
TIMEOUT = 1800.0
SIDES = {OLD: "old side", NEW: "new side"}


@dataclass(frozen=True)
class Told:
    """What the gate says of one cell.

    speed: the answer of the duel; None if it has no valid samples.
    old, new: the rows of both sides; None if a side gave no output.
    broken: the rules that its numbers break.
    fault: why a side has no valid samples or outputs.
    accepted: the entry that accepts its regression.
    since: of several environments, the first whose numbers depart from those of the old side.
    """

    cell: Cell
    speed: Answer | None
    old: Row | None = None
    new: Row | None = None
    broken: Sequence[str] = ()
    fault: str = ""
    accepted: Accepted | None = None
    since: str = ""

    @property
    def slower(self) -> bool:
        return self.speed is not None and self.speed.answer == "slower"

    @property
    def other_bits(self) -> bool:
        """Whether the outputs of the two sides differ."""
        return bool(self.old and self.new and self.old.checksum != self.new.checksum)

    @property
    def regressed(self) -> bool:
        """Whether it is slower, or its numbers broke a rule, and nobody has accepted that."""
        return (self.slower or bool(self.broken)) and self.accepted is None


@dataclass(frozen=True)
class Gate:
    """The outcome of a gate.

    sides: the old and the new side.
    between: environments between the two, whose numbers are compared too.
    told: what is said of each cell.
    limit: the slowdown that matters, relative.
    alarms: the part of compositions of equal processes in which this gate would tell a slower cell.
    turn: by how much the last block of a round is slower than the first, and its standard error.
    replicates, seconds: sets of fresh processes, and how long it took.
    records: the environment records of the workers of each side.
    blocks: all that was measured, by cell.
    """

    sides: tuple[Side, Side]
    told: Sequence[Told]
    limit: float
    alarms: float
    turn: tuple[float, float]
    replicates: int
    seconds: float
    records: Mapping[int, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    blocks: Mapping[Cell, Sequence[Blocks]] = field(default_factory=dict)
    between: Sequence[Side] = ()

    @property
    def smallest(self) -> float:
        """The smallest slowdown that would have been seen in every cell; infinite where one has no answer."""
        return max((each.speed.smallest if each.speed else float("inf") for each in self.told), default=0.0)

    @property
    def regressed(self) -> list[Told]:
        return [each for each in self.told if each.regressed]

    def status(self, strict: bool = False) -> int:
        """The exit status: 1 if a cell regressed, 2 if `strict` and a slowdown of the limit may hide."""
        if self.regressed:
            return 1
        return 2 if strict and self.smallest > self.limit else 0


def run(
    cells: Sequence[Cell],
    sides: tuple[Side, Side],
    *,
    threads: int | None,
    limit: float,
    budget: float,
    rules: Rules,
    between: Sequence[Side] = (),
    accepted: Sequence[Accepted] = (),
    today: date | None = None,
    said: Callable[[str], None] = lambda text: None,
) -> Gate:
    """Hold both sides against each other on these cells, for at most about `budget` seconds of timing."""
    start = monotonic()
    blocks: dict[Cell, list[Blocks]] = {cell: [] for cell in cells}
    faults: dict[Cell, Blocks] = {}
    doubted = set[Cell]()
    answers: dict[str, Answer] = {}
    with TemporaryDirectory(prefix="gaugeblock-gate-") as folder:
        first, took = None, 0.0
        for number in range(LOOKS[-1]):
            wanted = [cell for cell in cells if str(cell) not in answers and cell not in faults]
            if not wanted or (number > 1 and monotonic() - start + took * len(wanted) > budget):
                break
            found = replicate(
                wanted,
                sides,
                threads=threads,
                seed=number,
                folder=None if first else Path(folder),
                told=_progress(said, number, wanted, len(cells), start, budget),
            )
            first, took = first or found, found.seconds / len(wanted)
            for cell, each in found.blocks.items():
                if not each.fault:
                    blocks[cell].append(each)
                elif each.lost or cell in doubted:  # else another job may have disturbed the clock
                    faults[cell] = each
                else:
                    doubted.add(cell)
            if number + 1 in LOOKS:
                now = decide.decide(_enough(_open(blocks, faults)), answers, limit)
                answers = decide.settled(now)
        every = decide.decide(_enough(_open(blocks, faults)), answers, limit)
        said("judges the outputs of both sides")
        judged = rows_of(first.outputs, threads) if first else {}
        others = [
            (side, rows_of(_alone(given(cells, side, threads=threads, folder=Path(folder))), threads))
            for side in between
        ]
    here = today or datetime.now(UTC).date()
    told = [
        _told(cell, every.get(str(cell)), judged.get(cell, {}), faults.get(cell), rules, accepted, here)
        for cell in cells
    ]
    told = [replace(each, since=_since(each, others, sides[1], rules)) for each in told]
    kept = {str(cell): each for cell, each in blocks.items() if len(each) > 1}
    records = {
        each: [found[each] for found in (first.records.values() if first else ()) if each in found]
        for each in (OLD, NEW)
    }
    return Gate(
        sides, told, limit, decide.alarms(kept), decide.turn(kept),
        max((len(each) for each in blocks.values()), default=0), monotonic() - start,
        records, blocks, between,
    )  # fmt: skip


def _open(blocks: Mapping[Cell, Sequence[Blocks]], faults: Mapping[Cell, Any]) -> dict[str, Sequence[Blocks]]:
    return {str(cell): each for cell, each in blocks.items() if cell not in faults}


def _enough(cells: Mapping[str, Sequence[Blocks]]) -> dict[str, Sequence[Blocks]]:
    return {name: each for name, each in cells.items() if len(each) > 1}


def _progress(
    said: Callable[[str], None], number: int, wanted: Sequence[Cell], count: int, start: float, budget: float
) -> Callable[[Cell], None]:
    place = {cell: turn for turn, cell in enumerate(wanted, 1)}

    def told(cell: Cell) -> None:
        spent = monotonic() - start
        said(
            f"processes {number + 1} of at most {LOOKS[-1]}, cell {place[cell]} of {len(wanted)} "
            f"({count - len(wanted)} decided), {spent:.0f} s of at most {budget:.0f}: {cell}"
        )

    return told


def _alone(found: Mapping[Cell, Outputs]) -> dict[Cell, dict[int, Outputs]]:
    return {cell: {NEW: each} for cell, each in found.items()}


def _since(
    told: Told, others: Sequence[tuple[Side, Mapping[Cell, Mapping[int, Row | str]]]], new: Side, rules: Rules
) -> str:
    """The name of the first side whose numbers depart from the old side's as those of the new one do."""
    if not others or told.old is None or not (told.broken or told.other_bits):
        return ""
    for side, judged in others:
        row = judged.get(told.cell, {}).get(NEW)
        if not isinstance(row, Row):
            return side.name
        before, after = told.old.as_dict(), row.as_dict()
        if rules.broken(before, after) if told.broken else before["checksum"] != after["checksum"]:
            return side.name
    return new.name


def rows_of(
    outputs: Mapping[Cell, Mapping[int, Outputs]], threads: int | None
) -> dict[Cell, dict[int, Row | str]]:
    """The rows of each side, or why there is none, judged in processes of this environment."""
    rows: dict[Cell, dict[int, Row | str]] = {}
    with ExitStack() as stack:
        workers: dict[Any, Worker] = {}
        for cell, sides in outputs.items():
            name = key(cell, threads)
            for side, each in sides.items():
                if each.fault:
                    rows.setdefault(cell, {})[side] = each.fault
                    continue
                if name not in workers:
                    workers[name] = Worker(dict(name[1]))
                    workers[name].timeout = TIMEOUT
                    stack.callback(workers[name].close)
                rows.setdefault(cell, {})[side] = _row(workers[name], cell, each)
    return rows


def _row(worker: Worker, cell: Cell, outputs: Outputs) -> Row | str:
    try:
        answer = worker.request(JUDGED, asdict(cell), str(outputs.file), dict(outputs.facts))
        return str(answer["error"]) if "error" in answer else Row(**answer)
    except (Died, KeyError, TypeError, ValueError) as error:
        return str(error)


def _told(
    cell: Cell,
    speed: Answer | None,
    judged: Mapping[int, Row | str],
    fault: Blocks | None,
    rules: Rules,
    accepted: Sequence[Accepted],
    today: date,
) -> Told:
    """What is said of a cell. One that only the old side computes has vanished."""
    whys = {side: each for side, each in judged.items() if isinstance(each, str)}
    if fault is not None:
        whys[fault.side] = fault.fault
    old, new = (each if isinstance(each := judged.get(side), Row) else None for side in (OLD, NEW))
    broken: list[str] = []
    if old and new:
        broken = rules.broken(old.as_dict(), new.as_dict())
    elif OLD not in whys and NEW in whys:
        broken = ["vanished"] if "vanished" in rules.names else []
    said = "; ".join(f"{SIDES[side]}: {why}" for side, why in sorted(whys.items()))
    found = Told(cell, None if fault else speed, old, new, tuple(broken), said)
    if not (found.slower or found.broken):
        return found
    return replace(found, accepted=next((one for one in accepted if one.covers(str(cell), today)), None))
