"""Times calls in the worker: compiles a call, warms it up, then samples blocks and waits for each block.

Inputs rotate, and blocks end on each set in random order, also on sets outside the rotation. What the last
call of a block gave is judged after sampling. For training, the timed steps are compared with the same steps
taken one at a time, and those are judged.

A worker imports this module before any framework or plug-in, so it has the clocks of the Python library.
"""

import itertools
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from time import perf_counter, process_time, time
from typing import Any

import numpy as np

from bench import pages
from bench.backends import Backend, Bound
from bench.case import Case
from bench.cells.cell import Cell
from bench.contender import train
from bench.contender.given import astray, bits, held
from bench.machine import nvml
from bench.machine.caches import last_level
from bench.size import headline
from bench.speed.energy import energy
from bench.speed.loops import Block, block, turns
from bench.speed.memory import memory
from bench.speed.sets import COLD, Placed, sets
from bench.speed.timing import FRESH as SEEN
from bench.speed.timing import Sample
from bench.speed.work import traffic
from bench.tree import flatten

BLOCK = 0.004  # seconds a sample should last, so that the cost of reading the clock is below 0.1 %
LONGER = 0.02  # the same at the size of a headline, and on a GPU, where a launch and a wait cost 20 µs
LEADING = 0.1  # seconds of a block, above which it needs no call before it that warms up
LOAD = 0.05  # seconds of work before a block, in which an idle GPU returns to its full clock rate
WARM_UPS = 4
MOST = 100_000  # calls in a block
PATIENCE = 0.25  # seconds of warm-up
RELOADS = 64  # of a training that is repeated by single steps, at most
FEW = 8  # calls whose results are held
SOON, AGAIN = 5e-4, 4  # seconds of a read that waits for nothing; further tries if none is as quick


@dataclass
class Call:
    """One contender's timed call: `bound` has one per set of inputs; `engine.wait` waits for the result.

    Blocks rotate through the first `rotating` sets (all by default) and the `copies`, and end on each set in
    random order. They last at least `length` seconds. `leads`: a call that is not timed precedes each block.
    """

    engine: Backend
    bound: Sequence[Bound]
    rotating: int = 0
    copies: Sequence[Bound] = ()
    length: float = BLOCK
    leads: bool = True
    calls: int = 1
    first_call_s: float = 0.0
    compile_s: float | None = None
    kept: Any = None
    last: Any = None  # what the last timed call returned
    end: int = 0  # the set of the last call of the next block
    order: Iterator[int] = field(default_factory=lambda: iter(()))  # the sets on which further blocks end
    ended: dict[int, Any] = field(default_factory=dict)  # by set, what the last such call gave, in NumPy
    placed: Placed = ()  # the inputs of each set
    bits: Mapping[str, int] = field(default_factory=dict)  # checksums of them before the first call
    idle_s: float | None = None  # seconds to read a result that is already complete; None until measured
    fault: str = ""  # what is wrong with the timed training steps
    fresh: Callable[[], Iterator[tuple[Bound, Any]]] | None = None
    few: int = 0  # how many of these are enough
    start: Callable[[], None] | None = None  # resets a training to its start
    elsewhere: Callable[[], tuple[Sequence[Bound], Placed]] | None = None  # at other addresses
    loop: Block = lambda: None  # replaced by `blocks`

    def blocks(self, calls: int) -> None:
        """Set the number of calls per block."""
        self.calls, self.loop = calls, block(self.rotation, calls, self.bound[self.end])

    @property
    def rotation(self) -> list[Bound]:
        """The calls that a block makes in turn."""
        return [*self.bound[: self.rotating or None], *self.copies]

    def begin(self) -> None:
        """Prepare for a block: reset a training to its start, move small inputs to another address."""
        if self.start:
            self.start()
        if self.elsewhere:
            self.bound, self.placed = self.elsewhere()
        self.end = next(self.order, 0)
        self.blocks(self.calls)

    def inputs(self) -> dict[str, int]:
        """Checksums of the inputs of all sets, by path; of what sets share, once."""
        names, seen = ("parameter", "input", "cotangent"), set[int]()
        found: dict[str, int] = {}
        for number, placed in enumerate(self.placed):
            for name, tree in zip(names, placed, strict=True):
                if id(tree) not in seen:
                    seen.add(id(tree))
                    some = bits(self.engine, {"": tree})
                    found |= {f"{name}.{path} of set {number}": each for path, each in some.items()}
        return found


def ends(count: int, name: str) -> Iterator[int]:
    """The numbers below `count` in random order, again and again in another one."""
    rng = random.Random(name)
    while True:
        yield from rng.sample(range(count), count)


def ready(kept: Any, unit: Cell, direction: str) -> Call:
    """Bind, compile and warm up a call, and find how many calls fill a sample."""
    large = headline(pages.case(unit.case), unit.size) is not None
    length = LONGER if large or kept.engine.device != "cpu" else BLOCK
    if isinstance(kept, train.Ready):
        steps = [Bound(call) for call in kept.calls()]
        return fill(Call(kept.engine, steps, kept=kept, start=kept.start, length=length), direction)
    found = sets(kept, unit, direction)
    call = Call(
        kept.engine,
        found.bound,
        found.rotating,
        found.copies,
        length,
        kept=kept,
        order=ends(len(found.bound), str(unit)),
        placed=found.placed,
        elsewhere=found.elsewhere,
        fresh=found.fresh,
        few=found.few,
    )
    call.bits = call.inputs()
    return fill(call, direction)


def fill(call: Call, direction: str) -> Call:
    """Compile and warm up the call, and make blocks of at least `call.length` seconds."""
    engine, once, length = call.engine, call.bound[0].once, call.length
    with engine.running(direction):
        before = engine.compilations()[1]
        start = perf_counter()
        call.last = once()
        engine.wait(call.last)
        call.first_call_s = perf_counter() - start
        call.compile_s = engine.compiling_since(before)
        warm: list[float] = []
        rotation = call.rotation
        least = 1 if call.first_call_s > PATIENCE and (call.compile_s or 0) < call.first_call_s / 2 else 2
        while len(warm) < max(WARM_UPS, len(rotation)) and (len(warm) < least or sum(warm) < PATIENCE):
            warm.append(_timed(engine, rotation[len(warm) % len(rotation)].once))
        call.blocks(1)
        spent, filled = min(warm), 0
        # two blocks must be long enough: a single call, and the first block, are slower than later ones
        while filled < 2 and call.calls < MOST:
            if spent < length:
                call.blocks(min(MOST, max(2 * call.calls, round(1.2 * call.calls * length / spent))))
                filled = 0
            spent = min(warm) if call.calls == 1 else _timed(engine, call.loop)
            filled += spent >= length
    call.leads = spent < LEADING
    return call


def sample(call: Call, direction: str) -> Sample:
    """Time one block.

    Earlier results are freed first, as a hand-written loop would free them, so that the block can use their
    memory. A GPU's clock rate drops while other contenders are timed, so a GPU runs a load first, and its
    clock rate and power are read under that load.
    """
    engine, seen = call.engine, nvml.Load()
    if call.idle_s is None:
        with engine.running(direction):
            call.idle_s = _idle(engine, call.bound[0].once)
    call.last = None
    if engine.device != "cpu":
        with engine.running(direction):
            seen = _loaded(call)
    call.begin()
    loop, once = call.loop, call.bound[0].once
    with engine.running(direction):
        if call.leads:
            engine.wait(once())
        compiled, _ = engine.compilations()
        at, cpu = time(), process_time()
        start = perf_counter()
        result = loop()
        issued = perf_counter()
        engine.wait(result)
        end = perf_counter()
        cpu = process_time() - cpu
        _read(engine, result)
        read = perf_counter()
        call.last = result
        recompiled = engine.compilations()[0] - compiled
        if call.placed:
            call.ended[call.end] = held(engine.get(call.bound[call.end].finish(result)))
    calls = call.calls
    spent = (end - start) / calls, read - end, call.idle_s, cpu / calls
    issue = (issued - start) / calls if engine.asynchronous else None
    return Sample(*spent, recompiled, issue, at, *seen)


def _loaded(call: Call) -> nvml.Load:
    """Run blocks for `LOAD` seconds; return the clock rate and power of the GPU during the last one."""
    look, end = nvml.watch(), perf_counter() + LOAD
    while True:
        result = call.loop()
        last = perf_counter() >= end
        seen = look() if last else nvml.Load()
        call.engine.wait(result)
        if last:
            return seen


def settle(call: Call, unit: Cell, direction: str, joules: bool = False) -> dict[str, Any]:
    """After sampling: time calls on fresh and seen inputs alternately, measure energy."""
    engine = call.engine
    for _ in range(len(call.bound) - len(call.ended) if call.placed else 0):
        sample(call, direction)  # few samples were taken: end on each set once
    with engine.running(direction):
        found = {**_renewed(call), "behind": _soonest(call)} if call.fresh else {}
        spent = energy(call.bound[0].once, engine.wait) if joules and engine.device == "gpu" else None
    return found | {"energy_j": spent.joules if spent else None}


def finish(call: Call, unit: Cell, direction: str) -> dict[str, Any]:
    """What is not timed, so that another worker may compute at the same time: memory, timed steps."""
    engine = call.engine
    call.fault = strayed(call, direction) if call.start else ""  # first: it needs the state after the block
    with engine.running(direction):
        needed = memory(engine, call.bound[0].once)
    return {
        "peak_bytes": needed.host,
        "device_peak_bytes": needed.device,
        "bytes": moved(call, pages.case(unit.case)),
        "sets": len(call.rotation),
        "cache": cached(call),
    }


def cached(call: Call) -> str:
    """``hot`` if inputs and weights fit in the last-level cache, ``cold`` from three times its size on, else
    ``partly``."""
    kept, room = call.kept, last_level(call.engine.device)
    if isinstance(kept, train.Ready):
        size = traffic(kept.loop.read(), *kept.batches)
    else:
        size = traffic(kept.params) + len(call.rotation) * traffic(kept.data, kept.cotangents)
    return "hot" if size <= room else "partly" if size < COLD * room else "cold"


def strayed(call: Call, direction: str) -> str:
    """How the timed steps of a training differ from the same steps taken one at a time; empty if they agree.

    Both must leave the same bits, also where a single step begins by loading what was read after the one
    before. A GPU may sum in a different order each time, so on a GPU a difference counts only if three
    repetitions of the single steps agree with each other.
    """
    engine, steps = call.engine, turns(call.bound, call.calls)
    apart = -(-len(steps) // RELOADS)

    def state(loss: Any) -> dict[str, Any]:
        return flatten({"weights and state": call.kept.loop.read(), "loss": engine.get(loss)})

    def alone() -> dict[str, Any]:
        call.begin()
        with engine.running(direction):
            # `sample` takes one step before a short block
            for number, each in enumerate((*call.bound[: call.leads], *steps)):
                if number % apart == 0:
                    call.kept.loop.load(*call.kept.loop.read())
                loss = each.once()
                engine.wait(loss)
        return state(loss)

    timed, slow = state(call.last), alone()
    if not (path := astray(timed, slow)):
        return ""
    for _ in range(1 if engine.device == "cpu" else 2):
        if other := astray(slow, alone()):
            repeated = f"{other} is not the same when {len(steps)} steps are taken again from the same start"
            return repeated if engine.device == "cpu" else ""
    return f"{path} after {len(steps)} timed steps is not what the same steps leave one at a time"


def moved(call: Call, case: Case) -> int:
    """The fewest bytes that a call can move: each input read once, each output written once."""
    kept = call.kept
    if isinstance(kept, train.Ready):
        params_and_state = kept.loop.read() if not case.looked_up else ()
        return traffic(params_and_state, kept.batches[0], params_and_state)
    outputs, gradients = call.bound[0].finish(call.last)
    whole = [kept.params, *([gradients["params"]] if gradients else [])]
    if case.looked_up:  # of a table only as many rows are read as there are outputs
        whole = []
    backward = [kept.cotangents, gradients["data"]] if gradients else []
    return traffic(*whole, kept.data, outputs, *backward)


def _renewed(call: Call) -> dict[str, list[float]]:
    """Seconds of calls on seen and on fresh inputs in turn.

    Each follows a call on other inputs at once, as in a block: the same ones would still be in the cache.
    All fresh inputs are held to the end: no two of them have the same address, by which results may be kept.
    There are more of them while none is quick: another job may hold up a few.
    """
    engine, once = call.engine, call.bound[0].once
    known = itertools.cycle(call.bound[1 : call.rotating or None] or call.bound[:1])
    found: dict[str, list[float]] = {"seen": [], "fresh": []}
    held = []
    for new, given in call.fresh() if call.fresh else ():
        held.append(new)
        bits(engine, {"": given})  # reads it: the first read of new memory is slower
        for name, each in (("seen", next(known).once), ("fresh", new.once)):
            engine.wait(once())
            found[name].append(_timed(engine, each))
        quick = min(found["fresh"]) <= SEEN * float(np.median(found["seen"]))
        if len(held) >= call.few and quick:
            break
    return found


def _soonest(call: Call) -> list[float]:
    """What `_behind` finds, several times while no read is quick: another job may hold up a few."""
    found = _behind(call)
    for _ in range(AGAIN):
        if not found or min(found) < SOON:
            break
        found += _behind(call)
    return found


def _behind(call: Call) -> list[float]:
    """Seconds to read each result of a few calls in a row, after the last of them was waited for and read."""
    engine, found, results = call.engine, list[float](), list[Any]()
    start = perf_counter()
    for each in turns(call.bound, FEW if engine.device == "cpu" else 2):
        if len(results) < 2 or perf_counter() - start < BLOCK:
            results.append(each.once())
    engine.wait(results[-1])
    _read(engine, results[-1])  # the first read is slower
    for each in results[:-1]:
        start = perf_counter()
        read = _read(engine, each)
        middle = perf_counter()
        np.array(read)  # what copying takes is no waiting, and a large result is copied
        found.append(max(0.0, 2 * middle - start - perf_counter()))
    return found


def _read(engine: Backend, result: Any) -> Any:
    smallest = min(flatten(result).values(), key=lambda leaf: int(np.prod(leaf.shape)))
    return engine.get(smallest)


def _idle(engine: Backend, once: Block) -> float:
    """Seconds to read a result that is certainly complete, because a later one has been read.

    Two results are needed because some frameworks cache a result that has been read.
    """
    earlier, later = once(), once()
    engine.wait((earlier, later))
    _read(engine, later)
    start = perf_counter()
    _read(engine, earlier)
    return perf_counter() - start


def _timed(engine: Backend, loop: Block) -> float:
    start = perf_counter()
    engine.wait(loop())
    return perf_counter() - start
