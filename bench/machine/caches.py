"""Bytes of the last level of cache: of the CPU, as its system tells, and of an NVIDIA GPU, as CUDA does."""

import ctypes
from functools import cache
from pathlib import Path

from bench.machine.cpu import size_bytes

CPU, OTHER = 64 * 2**20, 128 * 2**20  # bytes of a cache that nobody tells; no GPU has more
CPUS = Path("/sys/devices/system/cpu")
L2 = 38  # CU_DEVICE_ATTRIBUTE_L2_CACHE_SIZE


@cache
def last_level(device: str = "cpu", root: Path = CPUS) -> int:
    """Bytes of the last level of cache: of a CPU all sockets and groups of cores together."""
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
        except (OSError, ValueError):  # a system that tells it otherwise
            continue
    last = max((level for level, _ in found), default=0)
    return sum(size for (level, _), size in found.items() if level == last)


def _cuda() -> int:
    """Of the first device that CUDA shows this process; 0 where there is none. NVML does not tell it."""
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
