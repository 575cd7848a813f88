"""Energy of one call on an NVIDIA GPU: the whole board's over a window of seconds, idle draw included.

The driver's counter moves in steps of some 0.1 s and its power is a mean over up to 1 s, so that a window
of several seconds is needed, after a lead under the same load. Other jobs on the card are counted too.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bench.machine import nvml

LEAD = 1.0  # seconds under load before the window
BLOCK = 0.05  # seconds that a block should last: its calls are started without a wait between them


@dataclass(frozen=True)
class Energy:
    """Joules a call, over so many calls in so many seconds, by the driver's "counter" or its "power"."""

    joules: float
    calls: int
    seconds: float
    source: str


def energy(
    call: Callable[[], Any], wait: Callable[[Any], None], seconds: float = 3.0, index: int = 0
) -> Energy | None:
    """The energy of `call` on CUDA's device `index`; None without a driver, or a card that can say it.

    Takes a second more than `seconds`. `wait(result)` returns when the call that gave `result` has ended.
    """
    with nvml.card(index) as found:
        if found is None:
            return None
        pynvml, handle = found
        millijoules = _reader(pynvml, "nvmlDeviceGetTotalEnergyConsumption", handle)
        milliwatts = _reader(pynvml, "nvmlDeviceGetPowerUsage", handle)
        look = milliwatts if millijoules is None else lambda: 0
        if look is None:
            return None
        size, lead = 1, time.perf_counter() + LEAD
        while (start := time.perf_counter()) < lead:
            _block(call, wait, size, look)
            size *= 1 if time.perf_counter() - start >= BLOCK else 2
        calls, joules = 0, 0.0
        counted = millijoules() if millijoules else 0
        first = before = time.perf_counter()
        while before < first + seconds:
            watts = _block(call, wait, size, look) / 1e3
            now = time.perf_counter()
            calls, joules, before = calls + size, joules + watts * (now - before), now
        if millijoules:
            joules = (millijoules() - counted) / 1e3
        return Energy(joules / calls, calls, before - first, "counter" if millijoules else "power")


def _block(call: Callable[[], Any], wait: Callable[[Any], None], size: int, look: Callable[[], int]) -> int:
    for _ in range(size):
        result = call()
    seen = look()  # while the card is at work: after the wait it is not
    wait(result)
    return seen


def _reader(pynvml: Any, verb: str, handle: Any) -> Callable[[], int] | None:
    """The counter came with Volta, and a slice of a card (MIG) has neither."""
    read = getattr(pynvml, verb)
    try:
        read(handle)
    except pynvml.NVMLError:
        return None
    return lambda: int(read(handle))
