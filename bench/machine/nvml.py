"""The NVIDIA driver's view of one card."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


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
