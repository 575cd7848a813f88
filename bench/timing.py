"""Speed: first call and steady state apart, every call waited for, contenders in interleaved rounds."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from bench import train
from bench.backends import Backend
from bench.tree import flatten

BLOCK = 0.004  # seconds a sample should last, so that the clock's own cost is below 0.1 %
ROUNDS, FEWEST = 7, 5  # a slow call stops after FEWEST, once its samples have cost BUDGET
BUDGET = 1.0  # seconds
WARM_UPS = 4
FLOOR = 5e-4  # seconds: a shared machine can hold up a read so long, whoever waited
MOST = 100_000  # calls in a block


@dataclass(frozen=True)
class Call:
    """One contender's timed call: `once()` starts it, `engine.wait` ends it."""

    engine: Backend
    once: Callable[[], Any]
    first_call_s: float
    calls: int
    result: Any  # of the first call


@dataclass(frozen=True)
class Timing:
    """What the samples say, in seconds a call."""

    samples: tuple[float, ...]
    residues: tuple[float, ...]
    idles: tuple[float, ...]
    calls: int
    first_call_s: float

    @property
    def median_s(self) -> float:
        return float(np.median(self.samples))

    @property
    def interval_s(self) -> tuple[float, float]:
        """The 95 % interval of the median, by bootstrap over the samples."""
        samples = np.array(self.samples)
        draws = np.random.default_rng(0).choice(samples, (2000, samples.size))
        low, high = np.quantile(np.median(draws, axis=1), (0.025, 0.975))
        return float(low), float(high)

    @property
    def residue_s(self) -> float:
        return float(np.median(self.residues))

    @property
    def waited(self) -> bool:
        """Whether the wait waited: at the claimed end a result is read as fast as an older one.

        The least of the residues counts: who does not wait pays it in every round, other jobs do not.
        """
        claim = self.median_s * self.calls
        return min(self.residues) <= max(0.05 * claim, 3 * float(np.median(self.idles)), FLOOR)


def ready(prepared: Any, direction: str, mode: str) -> Call:
    """Compile, warm up, and find how many calls fill a sample."""
    engine = prepared.engine
    if isinstance(prepared, train.Ready):
        once = _steps(prepared)
    elif direction == "forward":
        forward = engine.forward(prepared.run, mode)
        once = lambda: forward(prepared.params, prepared.data)  # noqa: E731  # a value, like its twin
    else:
        once = lambda: prepared.vjp(prepared.params, prepared.data, prepared.cotangents)  # noqa: E731
    start = time.perf_counter()
    result = once()
    engine.wait(result)
    first = time.perf_counter() - start
    warm: list[float] = []
    while len(warm) < WARM_UPS and (len(warm) < 2 or sum(warm) < BUDGET / 2):
        warm.append(_timed(engine, once))
    calls, spent, filled = 1, min(warm), 0
    while filled < 2 and calls < MOST:  # a lone call costs more than one of many, and the first of many too
        if spent < BLOCK:
            calls, filled = min(MOST, max(2 * calls, round(1.2 * calls * BLOCK / spent))), 0
        spent = min(warm) if calls == 1 else _timed(engine, once, calls)
        filled += spent >= BLOCK
    return Call(engine, once, first, calls, result)


def sample(call: Call) -> tuple[float, float, float]:
    """Seconds a call over one block, to read its result after the claimed end, and to read one done before.

    The one done before is another result, since some frameworks keep what they have read.
    """
    before = call.once()
    call.engine.wait(before)
    start = time.perf_counter()
    for _ in range(call.calls):
        result = call.once()
    call.engine.wait(result)
    end = time.perf_counter()
    _read(call.engine, result)
    read = time.perf_counter()
    _read(call.engine, before)
    return (end - start) / call.calls, read - end, time.perf_counter() - read


def _read(engine: Backend, result: Any) -> None:
    smallest = min(flatten(result).values(), key=lambda leaf: int(np.prod(leaf.shape)))
    engine.get(smallest)


def _steps(prepared: train.Ready) -> Callable[[], Any]:
    step = 0

    def once() -> Any:
        nonlocal step
        step += 1
        return prepared.loop.step(prepared.batches[step % len(prepared.batches)])

    return once


def _timed(engine: Backend, once: Callable[[], Any], calls: int = 1) -> float:
    start = time.perf_counter()
    for _ in range(calls):
        result = once()
    engine.wait(result)
    return time.perf_counter() - start
