"""Measures the overhead of the clock: its time per call over that of a hand-written loop.

The loops are what an expert would write: positional arguments, inputs in rotation, one wait at the end.
"""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from bench.backends import SHIPPED, Absent, Backend, backend
from bench.report.table import Table
from bench.speed.clock import Call, fill, sample
from bench.speed.sets import SETS
from bench.speed.timing import interval
from bench.worker import Worker

ROUNDS = 31  # or more, until the median is known to `PRECISION` or `PATIENCE` seconds have passed
PRECISION, PATIENCE = 0.005, 10.0
SIDES = {"smallest": 2, "200 µs": 0, "20 ms": 0}  # side of a square product; 0: chosen to take that long
ALLOWED = 0.02


@dataclass(frozen=True)
class Overhead:
    """The median of the paired ratios: the clock's seconds per call over the hand-written loop's."""

    backend: str
    mode: str
    call: str
    seconds: float
    ratio: float
    low: float
    high: float


def run(params: Any, x: Any) -> dict[str, Any]:
    """A matrix product, which is written alike in every framework."""
    return {"y": x @ x}


def study(told: Callable[[str], None]) -> list[Overhead]:
    """The clock's overhead in every installed framework, each in a worker with one thread."""
    found = []
    for name in SHIPPED:
        cls = backend(name)
        try:
            cls.installed()
        except Absent as reason:
            told(f"absent: {reason}")
            continue
        worker = Worker(cls.environment(threads=1, dtype="float32", device="cpu"))
        try:
            for mode in [mode for mode in cls.modes if mode not in (*cls.layouts, *cls.heavy, *cls.typical)]:
                answers = worker.request("bench.studies.overhead:measured", name, mode)
                found += [Overhead(**each) for each in answers]
        finally:
            worker.close()
    return found


def enough(found: Sequence[Overhead]) -> bool:
    """Whether the overhead is small enough in every framework."""
    return all(abs(each.ratio - 1) <= ALLOWED for each in found if each.backend != "numpy")


def measured(name: str, mode: str) -> list[dict[str, Any]]:
    """The result of `overheads` in built-in types, for a worker to return."""
    return [asdict(each) for each in overheads(name, mode)]


def overheads(name: str, mode: str) -> list[Overhead]:
    """The overhead of each call of `SIDES` in one backend and mode. Runs in its own process."""
    cls = backend(name)
    cls.installed()
    engine = cls("cpu", "float32")
    compiled = engine.compile(run, mode)
    found = []
    for call, side in SIDES.items():
        side = side or _side(engine, compiled, float(call.split()[0]) * (1e-6 if "µs" in call else 1e-3))
        found.append(_one(engine, compiled, mode, call, side))
    return found


def _one(engine: Backend, compiled: Callable[..., Any], mode: str, name: str, side: int) -> Overhead:
    rng = np.random.default_rng(side)
    sets = [engine.put({"x": _square(rng, side)}) for _ in range(SETS)]
    bind = engine.bind(run, mode)
    call = fill(Call(engine, [bind({}, each, {}) for each in sets]), "forward")
    xs = [each["x"] for each in sets]
    by_hand(engine, compiled, xs, call.calls)
    ratios: list[float] = []
    seconds: list[float] = []
    rng_order = random.Random(name)
    start = time.perf_counter()
    low, high = 0.0, np.inf
    while len(ratios) < ROUNDS or (high - low > 2 * PRECISION and time.perf_counter() - start < PATIENCE):
        took = {}
        for which in rng_order.sample(("clock", "hand"), 2):
            if which == "clock":
                took[which] = sample(call, "forward")[0]
            else:
                took[which] = by_hand(engine, compiled, xs, call.calls)
        ratios.append(took["clock"] / took["hand"])
        seconds.append(took["hand"])
        if len(ratios) >= ROUNDS:
            low, high = interval(np.array(ratios), 0.95)
    return Overhead(engine.name, mode, name, float(np.median(seconds)), float(np.median(ratios)), low, high)


def by_hand(engine: Backend, call: Callable[..., Any], xs: Sequence[Any], calls: int) -> float:
    """Seconds per call of the loop that an expert would write in that framework."""
    wait = {"torch": _nothing, "tensorflow": _nothing, "jax": _block}.get(engine.name, engine.wait)
    with engine.running("forward"):
        inputs = [xs[(calls - 1 - n) % len(xs)] for n in range(calls)]
        params: dict[str, Any] = {}
        wait(call(params, inputs[-1]))
        start = time.perf_counter()
        for x in inputs:
            y = call(params, x)
        wait(y)
        return (time.perf_counter() - start) / calls


def _nothing(y: Any) -> None:
    """Needs no wait: on a CPU, torch and TensorFlow calls return when the result is complete."""


def _block(y: Any) -> None:
    import jax

    jax.block_until_ready(y)


def _side(engine: Backend, compiled: Callable[..., Any], seconds: float) -> int:
    """The side of a square product that takes about that many seconds."""
    side = 64
    while side < 4096:
        xs = [engine.put({"x": _square(np.random.default_rng(0), side)})["x"]]
        if min(by_hand(engine, compiled, xs, 3) for _ in range(3)) >= seconds:
            break
        side = round(side * 1.25)
    return side


def _square(rng: Any, side: int) -> Any:
    return rng.standard_normal((side, side)).astype("float32")


def table(found: Sequence[Overhead]) -> Table:
    """A table with one line per backend, mode and call."""
    from bench.digits import seconds

    lines = [
        (
            each.backend,
            each.mode,
            each.call,
            seconds(each.seconds),
            f"{each.ratio:.3f}",
            f"{each.low:.3f} to {each.high:.3f}",
        )
        for each in found
    ]
    columns = ("backend", "mode", "call", "by hand", "clock to hand", "interval")
    note = f"Seconds per call by the clock over those of a hand-written loop: at most {1 + ALLOWED:.2f}."
    return Table("Overhead of the clock", columns, lines, right=columns[3:], note=note)
