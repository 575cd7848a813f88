"""The gate's own test: how often it is wrong on equal sides, and which slowdowns it finds.

Fresh sets of processes of one environment are recorded, and gates are composed of disjoint sets. A slowdown
is applied to the recorded times of one cell; live ones show that this is faithful. Recording continues where
it ended.
"""

import json
import math
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Any

import numpy as np

from bench import pages
from bench.backends import faulty
from bench.cells.cell import Cell
from bench.cells.selection import Selection
from bench.cells.selection import cells as every
from bench.coarse import cut
from bench.digits import count
from bench.gate import decide
from bench.gate.decide import LOOKS, Answer
from bench.gate.duel import NEW, OLD, ROUNDS, Blocks, Outputs, given, replicate
from bench.gate.gate import broken, judged_sides
from bench.gate.side import Side
from bench.machine.records import home, machine
from bench.report.rules import USUAL, rules
from bench.report.table import Section, Table
from bench.store.suite import suite

SEED = 20261129
LIMIT = 0.05
CASES = ("linear-regression", "softmax", "layer-norm", "gelu", "attention", "lstm")
BACKENDS = ("numpy", "torch")
STATES = ("idle", "loaded")
FILE = "gate-self-test.jsonl"
DECISIONS = 100
SLOWDOWNS = (0.05, 0.10)
DIGITS = 5  # of recorded seconds
COMMAND = "gaugeblock gate --self-test"
BUSY = "while True: pass"

Recorded = list[dict[str, Blocks]]  # by replicate, then by cell


def wanted() -> list[Cell]:
    """The twelve cells: a gradient at the first size of each formula, in NumPy and in torch."""
    selection = Selection(backends=BACKENDS, speeds=True, dtypes=("float32",), modes=("eager",))
    found: dict[tuple[str, str], Cell] = {}
    for cell in every([pages.case(name) for name in CASES], selection):
        case = pages.case(cell.case)
        usual = (cell.option, cell.regime, cell.size) == (
            next(iter(case.options)), next(iter(case.regimes)), next(iter(case.sizes)),
        )  # fmt: skip
        if usual and cell.direction == "gradient":
            found.setdefault((cell.case, cell.backend), cell)
    return list(found.values())


@contextmanager
def loaded(state: str) -> Iterator[None]:
    """Keep one core busy, if that is the state to record."""
    if state != "loaded":
        yield
        return
    busy = subprocess.Popen([sys.executable, "-c", BUSY])
    try:
        yield
    finally:
        busy.kill()
        busy.wait()


def record(file: Path, state: str, seconds: float, threads: int | None, said: Callable[[str], None]) -> int:
    """Append replicates of equal sides for about so many seconds; returns how many."""
    side, cells, start, taken = Side("this environment"), wanted(), monotonic(), 0
    made_by = suite()
    before = len(recorded(file, state))
    with loaded(state):
        while monotonic() - start < seconds:
            found = replicate(cells, (side, side), threads=threads, seed=SEED + before + taken)
            line: dict[str, Any] = {
                "suite": made_by, "rounds": ROUNDS, "state": state, "seconds": round(found.seconds, 2),
                "cells": {},
            }  # fmt: skip
            for cell, blocks in found.blocks.items():
                if blocks.fault:
                    raise RuntimeError(f"{cell}: got {blocks.fault}, should be timed")
                line["cells"][str(cell)] = {
                    "wall": _short(blocks.wall), "cpu": _short(blocks.cpu), "turn": blocks.turn.tolist(),
                }  # fmt: skip
            _append(file, line)
            taken += 1
            said(f"{state}: {before + taken} sets of fresh processes, {found.seconds:.0f} s each")
    return taken


def _append(file: Path, line: Mapping[str, Any]) -> None:
    with file.open("a", encoding="utf-8") as to:
        to.write(json.dumps(line, separators=(",", ":")) + "\n")


def _short(values: Any) -> list[list[float]]:
    return [[float(f"{x:.{DIGITS}g}") for x in row] for row in values]


def _lines(file: Path) -> list[dict[str, Any]]:
    """The records of gates with as many rounds as now: others have another budget."""
    if not file.exists():
        return []
    found = []
    for number, text in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        try:
            line = json.loads(text)
            assert line["state"] in STATES
            found += [line] if line["rounds"] == ROUNDS else []
        except (ValueError, KeyError, TypeError, AssertionError):
            raise ValueError(f"{file}, line {number}: got {text[:60]!r}, should be a record") from None
    return found


def recorded(file: Path, state: str) -> Recorded:
    """The replicates of that state, in the order in which they were taken."""
    return [
        {
            name: Blocks(np.array(each["wall"], float), np.array(each["cpu"], float), np.array(each["turn"]))
            for name, each in line["cells"].items()
        }
        for line in _lines(file)
        if line["state"] == state and "cells" in line
    ]


@dataclass(frozen=True)
class Decision:
    """One composed gate: its answers, the cell whose times were scaled, and the replicates that it used."""

    answers: Mapping[str, Answer]
    scaled: str
    used: int

    @property
    def slower(self) -> list[str]:
        return [name for name, each in self.answers.items() if each.answer == "slower"]


def decisions(found: Recorded, factor: float = 1.0, most: int = DECISIONS) -> list[Decision]:
    """Gates of disjoint replicates, each as a live gate decides; `factor` scales one cell of the new side.

    The cell rotates. A gate that would need more replicates than are left is not made.
    """
    made: list[Decision] = []
    start = 0
    names = list(found[0]) if found else []
    while len(made) < most:
        scaled = names[len(made) % len(names)] if names and factor != 1 else ""
        decision = _decision(found[start : start + LOOKS[-1]], scaled, factor)
        if decision is None:
            break
        made.append(decision)
        start += decision.used
    return made


def _decision(found: Recorded, scaled: str, factor: float) -> Decision | None:
    answers: dict[str, Answer] = {}
    for look in LOOKS:
        if look > len(found):
            return None
        cells = {
            name: [_scaled(each[name], factor) if name == scaled else each[name] for each in found[:look]]
            for name in found[0]
        }
        every_ = decide.decide(cells, answers, LIMIT)
        answers = decide.settled(every_)
        if len(answers) == len(cells):
            break
    return Decision(every_, scaled, look)


def _scaled(blocks: Blocks, factor: float) -> Blocks:
    by = np.ones((3, 1))
    by[NEW] = factor
    return replace(blocks, wall=blocks.wall * by, cpu=blocks.cpu * by)


@dataclass(frozen=True)
class Rate:
    """How often something happened, of how many, with its 95 % binomial interval."""

    times: int
    of: int

    @property
    def interval(self) -> tuple[float, float]:
        """Clopper and Pearson's."""
        from scipy import stats

        beta: Any = stats.beta  # type: ignore[attr-defined]
        k, n = self.times, self.of
        low = float(beta.ppf(0.025, k, n - k + 1)) if k else 0.0
        return low, float(beta.ppf(0.975, k + 1, n - k)) if k < n else 1.0

    def __str__(self) -> str:
        if not self.of:
            return "none"
        low, high = self.interval
        return f"{self.times} of {self.of} ({low:.1%} to {high:.1%})"


def false_alarms(made: Sequence[Decision]) -> Rate:
    """Gates of equal sides in which any cell is slower."""
    return Rate(sum(bool(each.slower) for each in made), len(made))


def detected(made: Sequence[Decision]) -> Rate:
    """Gates in which the scaled cell is slower."""
    return Rate(sum(each.scaled in each.slower for each in made), len(made))


def astray(made: Sequence[Decision]) -> Rate:
    """Gates in which a cell that was not scaled is slower."""
    return Rate(sum(bool(set(each.slower) - {each.scaled}) for each in made), len(made))


# what others do with the samples of the two sides, pooled over processes


def mean_5(old: Any, new: Any) -> bool:
    """pytest-benchmark's --benchmark-compare-fail=mean:5%."""
    return bool(np.mean(new) > 1.05 * np.mean(old))


def asv(old: Any, new: Any) -> bool:
    """asv's rule: Mann-Whitney p below 0.002, and more than 1.1 times."""
    from scipy import stats

    test: Any = stats.mannwhitneyu  # type: ignore[attr-defined]
    slower = np.median(new) > 1.1 * np.median(old)
    return bool(slower and test(new, old).pvalue < 0.002)


OTHERS = {"pytest-benchmark mean:5%": mean_5, "asv": asv}


def others(found: Recorded, rule: Callable[[Any, Any], bool], factor: float = 1.0) -> tuple[Rate, Rate]:
    """How often a rule that compares a run with one before raises any alarm, and in the scaled cell.

    The run before is a process of one replicate, the new one a process of the next: as saved baselines are.
    """
    alarms = hits = of = 0
    names = list(found[0]) if found else []
    for number, (first, then) in enumerate(zip(found[::2], found[1::2], strict=False)):
        scaled = names[number % len(names)]
        told = [
            name
            for name in names
            if rule(first[name].wall[OLD], then[name].wall[NEW] * (factor if name == scaled else 1))
        ]
        alarms, hits, of = (
            alarms + bool(set(told) - {scaled} if factor != 1 else told),
            hits + (scaled in told),
            of + 1,
        )
    return Rate(alarms, of), Rate(hits, of)


def live(
    file: Path, state: str, threads: int | None, said: Callable[[str], None], gates: int, share: float = 0.1
) -> None:
    """Append gates of one cell each that is slower by `share` on the new side, while they are run."""
    from bench.backends.plugin import register
    from bench.gate.gate import run
    from bench.run.workers import TIMEOUT

    path = str(Path(faulty.__file__))
    specs = {"numpy": f"{path}:Dragging", "torch": f"{path}:DraggingTorch"}
    register(list(specs.values()), threads=threads, timeout=TIMEOUT, modes=("eager",), dtypes=("float32",))
    chosen, before, made_by = wanted(), len(lives(file, state)), suite()
    with loaded(state):
        for number in range(gates):
            cell = chosen[(before + number) % len(chosen)]
            moved = replace(cell, backend=specs[cell.backend])
            sides = Side("equal"), Side("slower", variables={faulty.DRAG: str(share)})
            found = run([moved], sides, threads=threads, limit=LIMIT, budget=math.inf, rules=rules(USUAL))
            speed = found.told[0].speed
            if speed is None:
                raise RuntimeError(f"{cell}: got {found.told[0].fault}, should be timed")
            line = {
                "suite": made_by, "rounds": ROUNDS, "state": state, "seconds": round(found.seconds, 2),
                "slower_by": share, "cell": str(cell), **asdict(speed),
            }  # fmt: skip
            _append(file, line)
            said(f"live {number + 1} of {gates}: {speed.answer}, {speed.ratio:.3f} {cell}")


def lives(file: Path, state: str) -> list[dict[str, Any]]:
    """The gates with a live slowdown."""
    return [line for line in _lines(file) if line["state"] == state and "slower_by" in line]


# losses of bits that are planted in honest outputs, by name: what becomes of an output
PLANTED: dict[str, Callable[[Any, Any], Any]] = {
    "an output rounded to bfloat16": lambda y, rng: cut(y, 8),
    "an output rounded to TF32": lambda y, rng: cut(y, 11),
    "one element wrong by 2^-10": lambda y, rng: _one_wrong(y, rng),
}


def _one_wrong(y: Any, rng: np.random.Generator) -> Any:
    found = y.copy()
    places = np.flatnonzero(found)
    found.ravel()[rng.choice(places)] *= 1 + 2.0**-10
    return found


def planted(threads: int | None, trials: int = DECISIONS) -> dict[str, Rate]:
    """How often the rules of numbers find each planted loss of bits, and find one in honest outputs.

    Each trial is of another cell or of other inputs; both sides are processes of this environment.
    """
    chosen, failing, side = wanted(), rules(USUAL), Side("this environment")
    cells = [replace(chosen[n % len(chosen)], seed=1 + n // len(chosen)) for n in range(trials)]
    with TemporaryDirectory(prefix="gaugeblock-gate-") as folder:
        old, new = (
            given(cells, side, threads=threads, folder=_folder(folder, each)) for each in ("old", "new")
        )
        outputs = {cell: {OLD: old[cell], NEW: new[cell]} for cell in cells}
        for number, fault in enumerate(PLANTED.values(), NEW + 1):
            there = _folder(folder, str(number))
            for trial, cell in enumerate(cells):
                outputs[cell][number] = _spoiled(new[cell], there / f"{trial}.npz", fault, trial)
        found = judged_sides(outputs, threads)
    told = dict.fromkeys(("nothing", *PLANTED), 0)
    for cell in cells:
        before, *after = (found[cell][each] for each in sorted(found[cell]))
        for name, each in zip(told, after, strict=True):
            if before.row is None or each.row is None:
                raise RuntimeError(f"{cell}: got {before.fault or each.fault}, should be judged")
            told[name] += bool(broken(failing, before.row, each))
    return {name: Rate(times, trials) for name, times in told.items()}


def _folder(folder: str, name: str) -> Path:
    path = Path(folder, name)
    path.mkdir()
    return path


def _spoiled(honest: Outputs, file: Path, fault: Callable[[Any, Any], Any], trial: int) -> Outputs:
    """The outputs with a fault in each output of the first set."""
    rng = np.random.default_rng((SEED, trial))
    with np.load(honest.file) as found:
        arrays = {name: fault(y, rng) if name.startswith("0.") else y for name, y in found.items()}
    np.savez(file, **arrays)
    return replace(honest, file=file)


def tested(
    busy: bool, seconds: float, living: int, threads: int | None, said: Callable[[str], None]
) -> list[Section]:
    """Record for so many seconds, find live slowdowns, and write and return what all records show."""
    from bench.machine.variables import threads as usual_threads
    from bench.report.table import markdown
    from bench.store.results import write

    here = home(machine(), Path("results"))
    threads = threads or usual_threads()
    live(here / FILE, STATES[busy], threads, said, living)
    record(here / FILE, STATES[busy], seconds, threads, said)
    said("plants losses of bits, for a minute or two")
    numbers = planted(threads)
    found = table(here / FILE)
    lines = [(name, str(rate)) for name, rate in numbers.items()]
    found.append(Table("Numbers: outputs in which something was planted", ("planted", "found"), lines))
    said(str(write((here / FILE).with_suffix(".md"), "# The gate's own test\n\n" + markdown(found))))
    return found


def table(file: Path) -> list[Section]:
    """What the recorded replicates show, by state."""
    lines, compared = [], []
    for state in STATES:
        found, living = recorded(file, state), lives(file, state)
        if living:
            hits = Rate(sum(each["answer"] == "slower" for each in living), len(living))
            used = [each["replicates"] for each in living]
            lines.append(
                (state, f"slower by {living[0]['slower_by']:.0%}, live", "", str(hits), "", _span(used))
            )
        if not found:
            continue
        equal = decisions(found)
        lines.append((state, "equal sides", str(false_alarms(equal)), "", "", _used(equal)))
        for share in SLOWDOWNS:
            for factor in (1 + share, 1 / (1 + share)):
                made = decisions(found, factor)
                what = f"{'slower' if factor > 1 else 'faster'} by {share:.0%}"
                hit = detected(made)
                told = str(hit) if factor > 1 else f"called slower: {hit}"
                lines.append((state, what, "", told, str(astray(made)), _used(made)))
        for name, rule in OTHERS.items():
            alarms, _ = others(found, rule)
            seen = [str(others(found, rule, 1 + share)[1]) for share in SLOWDOWNS]
            compared.append((state, name, str(alarms), *seen))
    columns = ("machine", "new side", "false alarms", "found", "another cell", "sets of processes")
    note = (
        f"Each gate has {len(wanted())} cells, and is composed of recorded sets of fresh processes that no "
        f"other gate of its line uses; seed {SEED}. A live slowdown is of one cell, whose calls take "
        f"longer. In brackets: 95 % intervals. {_made(file)}"
    )
    beside = ("machine", "rule", "false alarms", *(f"+{share:.0%} found" for share in SLOWDOWNS))
    return [
        Table("The gate against itself", columns, lines, note=note),
        Table("Other rules on the same samples, a run against the run before", beside, compared),
    ]


def _made(file: Path) -> str:
    """Which commits recorded how many sets of processes, and how long one takes."""
    every = [line for line in _lines(file) if "cells" in line]
    if not every:
        return ""
    suites = ", ".join(dict.fromkeys(line["suite"] for line in every))
    took = float(np.median([line["seconds"] for line in every]))
    return f"{count(len(every), 'set')} of {took:.0f} s each, recorded by {suites}."


def _used(made: Sequence[Decision]) -> str:
    return _span([each.used for each in made]) if made else "too few recorded"


def _span(used: Sequence[int]) -> str:
    return f"{np.mean(used):.1f} on average, {max(used)} at most"
