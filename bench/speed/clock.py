"""The clock, in the worker: a call is compiled and warmed up, then sampled in blocks that are waited for.

Inputs rotate. What the last timed call returned is judged when the samples are taken; timed steps of a
training are held against the same steps one at a time, which are judged.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bench import pages
from bench.backends import Backend, Bound
from bench.case import Case
from bench.cells.cell import Cell
from bench.contender import train
from bench.machine import nvml
from bench.machine.caches import last_level
from bench.speed.energy import energy
from bench.speed.loops import Block, block, turns
from bench.speed.memory import memory
from bench.speed.sets import COLD, sets
from bench.speed.timing import Sample
from bench.speed.work import traffic
from bench.tree import flatten

BLOCK = 0.004  # seconds a sample should last, so that the clock's own cost is below 0.1 %
GPU_BLOCK = 0.02  # where a launch and a wait for the whole device cost 20 µs
LOAD = 0.05  # seconds of work before a block, in which a GPU that idled finds its clock again
WARM_UPS = 4
MOST = 100_000  # calls in a block
PATIENCE = 0.5  # seconds of warming up


@dataclass
class Call:
    """One contender's timed call: `bound` has one for each set of inputs, and `engine.wait` ends it."""

    engine: Backend
    bound: Sequence[Bound]
    calls: int = 1
    first_call_s: float = 0.0
    compile_s: float | None = None
    kept: Any = None
    last: Any = None  # what the last timed call on the first set returned
    idle_s: float | None = None  # seconds to read what is long there, once they are known
    fault: str = ""  # of the timed steps of a training
    fresh: Callable[[], Sequence[Bound]] | None = None
    start: Callable[[], None] | None = None  # takes a training back to its start
    elsewhere: Callable[[], Sequence[Bound]] | None = None  # the same inputs at another place in memory
    loop: Block = lambda: None  # until `blocks` makes one

    def blocks(self, calls: int) -> None:
        """Make blocks of that many calls; the last is one on the first set, which is what was judged."""
        self.calls, self.loop = calls, block(self.bound, calls)

    def begin(self) -> None:
        """Before a block: a training goes back to its start, small inputs go to another place."""
        if self.start:
            self.start()
        if self.elsewhere:
            self.bound = self.elsewhere()
            self.blocks(self.calls)


def ready(kept: Any, unit: Cell, direction: str) -> Call:
    """Bind, compile, warm up, and find how many calls fill a sample."""
    if isinstance(kept, train.Ready):
        steps = [Bound(call) for call in kept.calls()]
        return fill(Call(kept.engine, steps, kept=kept, start=kept.start), direction)
    found = sets(kept, unit, direction)
    call = Call(kept.engine, found.bound, kept=kept, elsewhere=found.elsewhere, fresh=found.fresh)
    return fill(call, direction)


def fill(call: Call, direction: str) -> Call:
    """The call once it has compiled and is warm, in blocks of at least `BLOCK` seconds, or `GPU_BLOCK`."""
    engine, once = call.engine, call.bound[0].once
    length = BLOCK if engine.device == "cpu" else GPU_BLOCK
    with engine.running(direction):
        before = engine.compilations()[1]
        start = time.perf_counter()
        call.last = once()
        engine.wait(call.last)
        call.first_call_s = time.perf_counter() - start
        call.compile_s = engine.compiling_since(before)
        warm: list[float] = []
        while len(warm) < max(WARM_UPS, len(call.bound)) and (len(warm) < 2 or sum(warm) < PATIENCE):
            warm.append(_timed(engine, call.bound[len(warm) % len(call.bound)].once))
        call.blocks(1)
        spent, filled = min(warm), 0
        while filled < 2 and call.calls < MOST:  # a lone call costs more than one of many, the first too
            if spent < length:
                call.blocks(min(MOST, max(2 * call.calls, round(1.2 * call.calls * length / spent))))
                filled = 0
            spent = min(warm) if call.calls == 1 else _timed(engine, call.loop)
            filled += spent >= length
    return call


def sample(call: Call, direction: str) -> Sample:
    """Time one block.

    Nothing that was returned before is held while it runs: its memory is the block's, as it is in a loop by
    hand. A GPU is put to work before, and looked at then: its clock falls while others are timed.
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
        engine.wait(once())
        compiled, _ = engine.compilations()
        at, cpu = time.time(), time.process_time()
        start = time.perf_counter()
        result = loop()
        issued = time.perf_counter()
        engine.wait(result)
        end = time.perf_counter()
        cpu = time.process_time() - cpu
        _read(engine, result)
        read = time.perf_counter()
        call.last = result
        recompiled = engine.compilations()[0] - compiled
    calls = call.calls
    spent = (end - start) / calls, read - end, call.idle_s, cpu / calls
    return Sample(*spent, recompiled, (issued - start) / calls, at, *seen)


def _loaded(call: Call) -> nvml.Load:
    """Blocks one after the other for `LOAD` seconds; what the card does while the last one runs."""
    look, end = nvml.watch(), time.perf_counter() + LOAD
    while True:
        result = call.loop()
        last = time.perf_counter() >= end
        seen = look() if last else nvml.Load()
        call.engine.wait(result)
        if last:
            return seen


def settle(call: Call, unit: Cell, direction: str, joules: bool = False) -> dict[str, Any]:
    """After the samples: calls on fresh inputs and on seen ones by turns, and memory."""
    engine = call.engine
    found: dict[str, list[float]] = {"fresh": [], "seen": []}
    call.fault = strayed(call, direction) if call.start else ""  # while it stands where timed steps left it
    with engine.running(direction):
        for new in call.fresh() if call.fresh else ():
            found["seen"].append(_timed(engine, call.bound[0].once))
            found["fresh"].append(_timed(engine, new.once))
        needed = memory(engine, call.bound[0].once)
        spent = energy(call.bound[0].once, engine.wait) if joules and engine.device == "gpu" else None
    return {
        **found,
        "peak_bytes": needed.host,
        "device_peak_bytes": needed.device,
        "energy_j": spent.joules if spent else None,
        "bytes": moved(call, pages.case(unit.case)),
        "sets": len(call.bound),
        "cache": cached(call),
    }


def cached(call: Call) -> str:
    """Where what goes round lies: hot in the last level of cache, cold from three of them on, or partly."""
    kept, size = call.kept, last_level(call.engine.device)
    if isinstance(kept, train.Ready):
        held = traffic(kept.loop.read(), *kept.batches)
    else:
        held = traffic(kept.params) + len(call.bound) * traffic(kept.data, kept.cotangents)
    return "hot" if held <= size else "partly" if held < COLD * size else "cold"


def strayed(call: Call, direction: str) -> str:
    """What the timed steps of a training left elsewhere than the same steps one at a time, or nothing.

    From the same start both leave the same bits. A GPU may sum in any order each time, and is asked for
    them only where three goes of one step at a time have them.
    """
    engine, steps = call.engine, turns(call.bound, call.calls)

    def stands(loss: Any) -> dict[str, Any]:
        return flatten({"weights and state": call.kept.loop.read(), "loss": engine.get(loss)})

    def alone() -> dict[str, Any]:
        call.begin()
        with engine.running(direction):
            for each in (call.bound[0], *steps):  # the first is the one that a block is preceded by
                loss = each.once()
                engine.wait(loss)
        return stands(loss)

    timed, slow = stands(call.last), alone()
    if not (path := _astray(timed, slow)):
        return ""
    for _ in range(1 if engine.device == "cpu" else 2):
        if other := _astray(slow, alone()):
            repeated = f"{other} is not the same when {len(steps)} steps are taken again from the same start"
            return repeated if engine.device == "cpu" else ""
    return f"{path} after {len(steps)} timed steps is not what the same steps leave one at a time"


def _astray(one: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    """The first path at which two have other bits, or nothing."""
    bits = {path: np.asarray(leaf).tobytes() for path, leaf in other.items()}
    return next((path for path, leaf in one.items() if np.asarray(leaf).tobytes() != bits[path]), "")


def moved(call: Call, case: Case) -> int:
    """Bytes that a call must move at least: what it reads once, and what it writes once."""
    kept = call.kept
    if isinstance(kept, train.Ready):
        params_and_state = kept.loop.read() if not case.looked_up else ()
        return traffic(params_and_state, kept.batches[0], params_and_state)
    outputs, gradients = call.bound[0].finish(call.last)
    whole = [kept.params, *([gradients["params"]] if gradients else [])]
    if case.looked_up:  # a table: the rows that are read are as many as the outputs
        whole = []
    backward = [kept.cotangents, gradients["data"]] if gradients else []
    return traffic(*whole, kept.data, outputs, *backward)


def _read(engine: Backend, result: Any) -> None:
    smallest = min(flatten(result).values(), key=lambda leaf: int(np.prod(leaf.shape)))
    engine.get(smallest)


def _idle(engine: Backend, once: Block) -> float:
    """Seconds to read a result that is there for certain: a later one has been read.

    Another result, since some frameworks keep what they have read.
    """
    earlier, later = once(), once()
    engine.wait((earlier, later))
    _read(engine, later)
    start = time.perf_counter()
    _read(engine, earlier)
    return time.perf_counter() - start


def _timed(engine: Backend, loop: Block) -> float:
    start = time.perf_counter()
    engine.wait(loop())
    return time.perf_counter() - start
