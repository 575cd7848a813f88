"""Peak memory of one call, above what its process held before. Runs in the worker.

The host's peak is the kernel's high-water mark of resident pages, which is reset before the call, so it
misses nothing. It excludes memory that is reserved but never touched, and memory from a pool that the
framework keeps (ONNX Runtime's arena): only glibc's pools are emptied before the call.
It is exact to a page if the kernel sums its counters (Linux 6.16), otherwise to about 128 KiB per core.
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
SETTLING, TRIES = 1e-3, 20  # seconds between two readings, and most readings
RESET = "5"  # written to clear_refs: resets the high-water mark to what is resident now


@dataclass(frozen=True)
class Memory:
    """Peak bytes of one call on host and device, and the bytes that this process holds on the GPU."""

    host: int | None
    device: int | None
    driver: int | None


def memory(engine: Backend, call: Callable[[], Any]) -> Memory:
    """The memory that `call` needs; warm it up before. On a CPU the framework's own count is host memory too.

    TensorFlow on a CPU keeps a pool that never shrinks, so there its own count is the larger.
    """
    host, counted = peak(call, engine.wait), engine.device_peak(call)
    if engine.device == "cpu":
        both = [each for each in (host, counted) if each is not None]
        return Memory(max(both, default=None), None, None)
    return Memory(host, counted, held())


def peak(call: Callable[[], Any], wait: Callable[[Any], None]) -> int | None:
    """Peak bytes of host memory of `call`, including its result; None if the system cannot measure it.

    Returns the larger of two runs, because the peak depends on how the threads interleave. Warm `call` up
    before, so that what is made once (threads, plans, code) is not counted.
    """
    try:
        return max(_needed(call, wait), _needed(call, wait))
    except _Uncounted:
        return None


def held(index: int = 0) -> int | None:
    """Bytes that this process holds on an NVIDIA GPU, by the driver's count; None if it does not report them.

    They include the context, code and the framework's pool, so they exceed the peak of a call. In a
    container the driver may use another process id; then the result is None.
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
    """This system has no high-water mark that a process can reset."""


def _needed(call: Callable[[], Any], wait: Callable[[Any], None]) -> int:
    enabled = gc.isenabled()
    gc.disable()  # memory freed by a collection would hide memory that the call takes
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
    """Wait until no more memory is freed: JAX frees old results on another thread."""
    resident = _trimmed()
    for _ in range(TRIES):
        time.sleep(SETTLING)
        earlier, resident = resident, _trimmed()
        if resident >= earlier:
            return


def _trimmed() -> int:
    """Resident KiB without freed memory that glibc keeps: a call would reuse it unnoticed."""
    trim()
    return _kib("VmRSS")


def _reset() -> int:
    """Reset the high-water mark, and return the KiB that are resident now."""
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
