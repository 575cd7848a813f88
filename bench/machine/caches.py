"""Reads the size of the last-level cache: a CPU's from Linux, an NVIDIA GPU's from CUDA."""

import ctypes
from functools import cache
from pathlib import Path

from bench.machine.cpu import size_bytes

CPU, OTHER = 64 * 2**20, 128 * 2**20  # bytes assumed for a cache of unknown size; no GPU has more
CPUS = Path("/sys/devices/system/cpu")
L2 = 38  # CU_DEVICE_ATTRIBUTE_L2_CACHE_SIZE


@cache
def last_level(device: str = "cpu", root: Path = CPUS) -> int:
    """Bytes of the last-level cache; for a CPU the sum over all sockets and groups of cores."""
    return (_sockets(root) or CPU) if device == "cpu" else _cuda() or OTHER


def _sockets(root: Path) -> int:
    found: dict[tuple[int, str], int] = {}
    for folder in root.glob("cpu[0-9]*/cache/index*"):
        try:
            level, size, shared = (
                (folder / name).read_text(encoding="utf-8").strip()
                for name in ("level", "size", "shared_cpu_list")
            )
            found[int(level), shared] = size_bytes(size)
        except (OSError, ValueError):  # missing or in another format
            continue
    last = max((level for level, _ in found), default=0)
    return sum(size for (level, _), size in found.items() if level == last)


def _cuda() -> int:
    """The cache of the first device that CUDA shows this process, or 0. NVML does not report it."""
    found, device = ctypes.c_int(0), ctypes.c_int(0)
    try:
        cuda = ctypes.CDLL("libcuda.so.1")
        asked = (
            cuda.cuInit(0)
            or cuda.cuDeviceGet(ctypes.byref(device), 0)
            or cuda.cuDeviceGetAttribute(ctypes.byref(found), L2, device)
        )
    except (OSError, AttributeError):
        return 0
    return 0 if asked else found.value
