"""Energy per call on an NVIDIA GPU: that of the whole board over several seconds, with its idle power.

The driver updates its energy counter about every 0.1 s, and its power is a mean over up to 1 s. So the
window lasts several seconds and follows a lead-in under the same load. Other jobs on the GPU are included.
"""

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from bench.machine import nvml

LEAD = 1.0  # seconds under load before the window
BLOCK = 0.05  # seconds that a block should last; calls of a block are started without waiting


@dataclass(frozen=True)
class Energy:
    """Joules per call, the calls and seconds measured, and the source: the driver's "counter" or "power"."""

    joules: float
    calls: int
    seconds: float
    source: str


def energy(
    call: Callable[[], Any], wait: Callable[[Any], None], seconds: float = 3.0, index: int = 0
) -> Energy | None:
    """The energy of `call` on CUDA device `index`; None if the driver or the GPU cannot measure it.

    Takes one second more than `seconds`. `wait(result)` returns when the call that gave `result` has ended.
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
        size, lead = 1, perf_counter() + LEAD
        while (start := perf_counter()) < lead:
            _block(call, wait, size, look)
            size *= 1 if perf_counter() - start >= BLOCK else 2
        calls, joules = 0, 0.0
        counted = millijoules() if millijoules else 0
        first = before = perf_counter()
        while before < first + seconds:
            watts = _block(call, wait, size, look) / 1e3
            now = perf_counter()
            calls, joules, before = calls + size, joules + watts * (now - before), now
        if millijoules:
            joules = (millijoules() - counted) / 1e3
        return Energy(joules / calls, calls, before - first, "counter" if millijoules else "power")


def _block(call: Callable[[], Any], wait: Callable[[Any], None], size: int, look: Callable[[], int]) -> int:
    for _ in range(size):
        result = call()
    seen = look()  # before the wait, while the GPU is busy
    wait(result)
    return seen


def _reader(pynvml: Any, verb: str, handle: Any) -> Callable[[], int] | None:
    """A function that reads the value, or None: GPUs before Volta lack the counter, MIG slices lack both."""
    read = getattr(pynvml, verb)
    try:
        read(handle)
    except pynvml.NVMLError:
        return None
    return lambda: int(read(handle))
