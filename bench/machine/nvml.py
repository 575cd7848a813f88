"""The NVIDIA driver's view of one card."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, NamedTuple


@contextmanager
def card(index: int = 0) -> Iterator[tuple[Any, Any] | None]:
    """The module pynvml and the handle of CUDA's device `index`; None without a driver that shows it.

    CUDA_VISIBLE_DEVICES renumbers what a framework sees, and the driver does not look at it. Without it
    CUDA counts the fastest card first and the driver counts by slot: cards that differ may be mistaken,
    unless CUDA_DEVICE_ORDER is PCI_BUS_ID.
    """
    try:
        import pynvml

        pynvml.nvmlInit()
    except Exception:  # no library, no driver, no permission: no card that anybody could read
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
    if int(name) < 0:  # as CUDA reads it: nothing is visible
        raise ValueError(f"CUDA_VISIBLE_DEVICES: got {name}, should be the number or name of a card")
    return pynvml.nvmlDeviceGetHandleByIndex(int(name))


class Load(NamedTuple):
    """What a card is doing under load: SM clock in MHz, power in W, and what holds its clock down."""

    sm_mhz: int | None = None
    power_w: float | None = None
    throttled: str = ""


# as nvml.h numbers them; idle, the clocks that an application or the display asked for hold nothing down
HELD = {
    0x04: "power cap", 0x08: "hardware slowdown", 0x10: "sync boost", 0x20: "software thermal slowdown",
    0x40: "hardware thermal slowdown", 0x80: "power brake",
}  # fmt: skip


@cache
def watch(index: int = 0) -> Callable[[], Load]:
    """A look at CUDA's device `index`, some 0.1 ms long; the driver stays open for this process."""
    try:
        import pynvml

        pynvml.nvmlInit()
        handle = _handle(pynvml, index)
    except Exception:  # no library, no driver, no permission: nobody looks
        return Load

    def ask(verb: str, *about: Any) -> Any:
        try:
            return getattr(pynvml, verb)(handle, *about)
        except (pynvml.NVMLError, AttributeError):
            return None

    def look() -> Load:
        power = ask("nvmlDeviceGetPowerUsage")
        reasons = ask("nvmlDeviceGetCurrentClocksEventReasons")  # by its older name in older drivers
        reasons = ask("nvmlDeviceGetCurrentClocksThrottleReasons") if reasons is None else reasons
        held = [name for bit, name in HELD.items() if (reasons or 0) & bit]
        watts = None if power is None else power / 1000
        return Load(ask("nvmlDeviceGetClockInfo", pynvml.NVML_CLOCK_SM), watts, ", ".join(held))

    return look


def free_bytes(index: int = 0) -> int | None:
    """Memory that nobody holds on CUDA's device `index`; None without a driver that says it."""
    with card(index) as found:
        if found is None:
            return None
        pynvml, handle = found
        try:
            return int(pynvml.nvmlDeviceGetMemoryInfo(handle).free)
        except pynvml.NVMLError:
            return None
