"""Reads one GPU through the NVIDIA driver."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, NamedTuple


@contextmanager
def card(index: int = 0) -> Iterator[tuple[Any, Any] | None]:
    """The module pynvml and the handle of CUDA device `index`; None if the driver does not have it.

    CUDA_VISIBLE_DEVICES renumbers devices for frameworks, but not for the driver. Without that variable CUDA
    numbers the fastest GPU first and the driver numbers by slot: with different GPUs this may be the wrong
    one, unless CUDA_DEVICE_ORDER is PCI_BUS_ID.
    """
    try:
        import pynvml

        pynvml.nvmlInit()
    except Exception:  # no library, driver or permission
        yield None
        return
    try:
        try:
            handle = _handle(pynvml, index)
        except (pynvml.NVMLError, IndexError, ValueError):
            handle = None
        yield None if handle is None else (pynvml, handle)
    finally:
        pynvml.nvmlShutdown()


def _handle(pynvml: Any, index: int) -> Any:
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    name = str(index) if visible is None else visible.split(",")[index].strip()
    if name.startswith(("GPU-", "MIG-")):
        return pynvml.nvmlDeviceGetHandleByUUID(name)
    if int(name) < 0:  # to CUDA a negative number means that no device is visible
        raise ValueError(f"CUDA_VISIBLE_DEVICES: got {name}, should be the number or UUID of a GPU")
    return pynvml.nvmlDeviceGetHandleByIndex(int(name))


class Load(NamedTuple):
    """The state of a GPU under load: SM clock in MHz, power in W, and throttle reasons."""

    sm_mhz: int | None = None
    power_w: float | None = None
    throttled: str = ""


# bits of nvml.h; idle, and clocks that an application or the display has set, do not count as throttling
HELD = {
    0x04: "power cap", 0x08: "hardware slowdown", 0x10: "sync boost", 0x20: "software thermal slowdown",
    0x40: "hardware thermal slowdown", 0x80: "power brake",
}  # fmt: skip


@cache
def watch(index: int = 0) -> Callable[[], Load]:
    """A function that reads CUDA device `index` in about 0.1 ms; the driver stays open in this process."""
    try:
        import pynvml

        pynvml.nvmlInit()
        handle = _handle(pynvml, index)
    except Exception:  # no library, driver or permission
        return Load

    def ask(verb: str, *about: Any) -> Any:
        try:
            return getattr(pynvml, verb)(handle, *about)
        except (pynvml.NVMLError, AttributeError):
            return None

    def look() -> Load:
        power = ask("nvmlDeviceGetPowerUsage")
        reasons = ask("nvmlDeviceGetCurrentClocksEventReasons")  # older drivers have only the older name
        reasons = ask("nvmlDeviceGetCurrentClocksThrottleReasons") if reasons is None else reasons
        held = [name for bit, name in HELD.items() if (reasons or 0) & bit]
        watts = None if power is None else power / 1000
        return Load(ask("nvmlDeviceGetClockInfo", pynvml.NVML_CLOCK_SM), watts, ", ".join(held))

    return look


def free_bytes(index: int = 0) -> int | None:
    """Free memory of CUDA device `index` in bytes; None if the driver does not report it."""
    with card(index) as found:
        if found is None:
            return None
        pynvml, handle = found
        try:
            return int(pynvml.nvmlDeviceGetMemoryInfo(handle).free)
        except pynvml.NVMLError:
            return None
