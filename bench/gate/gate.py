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
from bench.gate.duel import NEW, OLD, Blocks, Outputs, Replicate, given, key, replicate
from bench.gate.side import Side
from bench.report.rules import WORSE, Rules
from bench.store.row import Row
from bench.worker import Died, Worker

JUDGED, DEPARTED = (f"bench.gate.numbers:{name}" for name in ("judged", "departed"))
TIMEOUT = 1800.0
SIDES = {OLD: "old side", NEW: "new side"}


@dataclass(frozen=True)
class Judged:
    """What a side's outputs are: their row, or why there is none.

    departed: the elements that are further off than on the old side, as a sentence; empty without any.
    """

    row: Row | None
    fault: str = ""
    departed: str = ""


@dataclass(frozen=True)
class Told:
    """What the gate says of one cell.

    speed: the answer of the duel; None if it has no valid samples.
    old, new: the rows of both sides; None if a side gave no output.
    broken: the rules that its numbers break.
    departed: see `Judged`.
    fault: why a side has no valid samples or outputs.
    accepted: the entry that accepts its regression.
    since: of several environments, the first whose numbers depart from those of the old side.
    """

    cell: Cell
    speed: Answer | None
    old: Row | None = None
    new: Row | None = None
    broken: Sequence[str] = ()
    departed: str = ""
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
        judged = judged_sides(first.outputs, threads) if first else {}
        others = []
        for side in between:
            theirs = given(cells, side, threads=threads, folder=Path(folder))
            both = {cell: {**_old(first, cell), NEW: each} for cell, each in theirs.items()}
            others.append((side, judged_sides(both, threads)))
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


def _old(first: Replicate | None, cell: Cell) -> dict[int, Outputs]:
    """The outputs of the old side, to hold those of another environment against."""
    found = first.outputs.get(cell, {}) if first else {}
    return {OLD: found[OLD]} if OLD in found else {}


def _since(
    told: Told, others: Sequence[tuple[Side, Mapping[Cell, Mapping[int, Judged]]]], new: Side, rules: Rules
) -> str:
    """The name of the first side whose numbers depart from the old side's as those of the new one do."""
    if not others or told.old is None or not (told.broken or told.other_bits):
        return ""
    for side, judged in others:
        there = judged.get(told.cell, {}).get(NEW)
        if there is None or there.row is None:
            return side.name
        if broken(rules, told.old, there) if told.broken else told.old.checksum != there.row.checksum:
            return side.name
    return new.name


def broken(rules: Rules, old: Row, new: Judged) -> list[str]:
    """The rules that a side's outputs break, by both rows, and element by element."""
    found = rules.broken(old.as_dict(), new.row.as_dict()) if new.row else []
    worse = new.departed and WORSE in rules.names and WORSE not in found
    return [WORSE] * bool(worse) + found


def judged_sides(
    outputs: Mapping[Cell, Mapping[int, Outputs]], threads: int | None
) -> dict[Cell, dict[int, Judged]]:
    """What each side's outputs are, judged in processes of this environment; the old side comes first."""
    found: dict[Cell, dict[int, Judged]] = {}
    with ExitStack() as stack:
        workers: dict[Any, Worker] = {}
        for cell, sides in outputs.items():
            name = key(cell, threads)
            mine = found.setdefault(cell, {})
            for side, each in sorted(sides.items()):
                if each.fault:
                    mine[side] = Judged(None, each.fault)
                    continue
                if name not in workers:
                    workers[name] = Worker(dict(name[1]))
                    workers[name].timeout = TIMEOUT
                    stack.callback(workers[name].close)
                before = sides[OLD] if side != OLD and OLD in mine and mine[OLD].row else None
                mine[side] = _judged(workers[name], cell, each, before)
    return found


def _judged(worker: Worker, cell: Cell, outputs: Outputs, before: Outputs | None) -> Judged:
    """What these outputs are, and which elements are further off than `before`, on the old side."""
    try:
        answer = worker.request(JUDGED, asdict(cell), *outputs.sent)
        if "error" in answer:
            return Judged(None, str(answer["error"]))
        row, told = Row(**answer), dict[str, Any]()
        if before is not None:
            told = worker.request(DEPARTED, asdict(cell), row.accumulator, before.sent, outputs.sent)
        return Judged(row, str(told.get("error", "")), str(told.get("why", "")))
    except (Died, KeyError, TypeError, ValueError) as error:
        return Judged(None, str(error))


def _told(
    cell: Cell,
    speed: Answer | None,
    judged: Mapping[int, Judged],
    fault: Blocks | None,
    rules: Rules,
    accepted: Sequence[Accepted],
    today: date,
) -> Told:
    """What is said of a cell. One that only the old side computes has vanished."""
    whys = {side: each.fault for side, each in judged.items() if each.fault}
    if fault is not None:
        whys[fault.side] = fault.fault
    nothing = Judged(None)
    old, new = (judged.get(side, nothing) for side in (OLD, NEW))
    rules_broken: list[str] = []
    if old.row and new.row:
        rules_broken = broken(rules, old.row, new)
    elif OLD not in whys and NEW in whys:
        rules_broken = ["vanished"] if "vanished" in rules.names else []
    said = "; ".join(f"{SIDES[side]}: {why}" for side, why in sorted(whys.items()))
    found = Told(cell, None if fault else speed, old.row, new.row, tuple(rules_broken), new.departed, said)
    if not (found.slower or found.broken):
        return found
    return replace(found, accepted=next((one for one in accepted if one.covers(str(cell), today)), None))
