"""What one call needs in memory at its peak, over what its process held before. Runs in the worker.

The host's peak is the kernel's own high-water mark of resident pages, reset before the call, so that no
sampling can miss it. It does not see memory that was reserved and never touched, nor what a call takes from
a pool that the framework keeps for itself (ONNX Runtime's arena): only glibc's pools are emptied before.
It is exact to a page where the kernel sums its counters (Linux 6.16), else to some 128 KiB a core.
"""

import gc
import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.backends import Backend
from bench.machine import nvml
from bench.machine.malloc import trim

SELF = Path("/proc/self")
SETTLING, TRIES = 1e-3, 20  # seconds between two looks, and looks
RESET = "5"  # to clear_refs: the high-water mark falls to what is resident now


@dataclass(frozen=True)
class Memory:
    """Bytes that one call needs at its peak on host and device, and what this process holds by the driver."""

    host: int | None
    device: int | None
    driver: int | None


def memory(engine: Backend, call: Callable[[], Any]) -> Memory:
    """What `call` needs, warmed up before. On a CPU a framework's own count is of host memory too.

    TensorFlow on a CPU keeps a pool that the system never sees shrink: its own count is the larger one then.
    """
    host, counted = peak(call, engine.wait), engine.device_peak(call)
    if engine.device == "cpu":
        both = [each for each in (host, counted) if each is not None]
        return Memory(max(both, default=None), None, None)
    return Memory(host, counted, held())


def peak(call: Callable[[], Any], wait: Callable[[Any], None]) -> int | None:
    """Bytes of host memory that `call` needs at its peak, its result included; None where nobody counts.

    The larger of two runs: how threads meet decides what is alive together, and a peak is the most of it.
    Call it first for another reason, so that what is made once (threads, plans, code) is no part of it.
    """
    try:
        return max(_needed(call, wait), _needed(call, wait))
    except _Uncounted:
        return None


def held(index: int = 0) -> int | None:
    """Bytes that this process holds on an NVIDIA GPU, as the driver counts; None where it does not say.

    Context, code and the framework's pool are in it, so that it is more than a call's peak. In a container
    the driver may know this process by another number, and then nothing is said.
    """
    with nvml.card(index) as found:
        if found is None:
            return None
        pynvml, handle = found
        try:
            processes = pynvml.nvmlDeviceGetComputeRunningProcesses(handle)
        except pynvml.NVMLError:
            return None
        return next((each.usedGpuMemory for each in processes if each.pid == os.getpid()), None)


class _Uncounted(Exception):
    """This system has no high-water mark that can be reset."""


def _needed(call: Callable[[], Any], wait: Callable[[Any], None]) -> int:
    enabled = gc.isenabled()
    gc.disable()  # what it collects meanwhile would pay for the call
    try:
        _settle()
        before = _reset()
        result = call()
        wait(result)
        return max(0, _kib("VmHWM") - before) * 1024
    finally:
        if enabled:
            gc.enable()


def _settle() -> None:
    """Return when nothing more is given back: JAX frees an old result on a thread of its own."""
    resident = _trimmed()
    for _ in range(TRIES):
        time.sleep(SETTLING)
        earlier, resident = resident, _trimmed()
        if resident >= earlier:
            return


def _trimmed() -> int:
    """KiB resident without the freed memory that glibc keeps, which would hide what a call takes from it."""
    trim()
    return _kib("VmRSS")


def _reset() -> int:
    """KiB that are resident now, from where the high-water mark starts again."""
    try:
        (SELF / "clear_refs").write_text(RESET, encoding="utf-8")
    except OSError as error:
        raise _Uncounted from error
    return _kib("VmRSS")


def _kib(name: str) -> int:
    try:
        found = re.search(
            rf"^{name}:\s+(\d+) kB$",
            (SELF / "status").read_text(encoding="utf-8", errors="replace"),
            re.MULTILINE,
        )
    except OSError as error:
        raise _Uncounted from error
    if found is None:
        raise _Uncounted
    return int(found[1])
