"""Describes this machine's CPU: name, model, vector instructions, sockets, caches, frequencies, governor."""

import platform
from collections.abc import Iterable
from pathlib import Path
from typing import Any

# the instruction sets by which numerical libraries choose their kernels, in Linux's names
VECTORS = (
    "neon", "asimd", "asimdhp", "asimddp", "bf16", "i8mm", "sve", "sve2", "sme",
    "ssse3", "sse4_1", "sse4_2", "f16c", "avx", "avx2", "fma", "avx_vnni", "avx_vnni_int8", "avx_ne_convert",
    "avx512f", "avx512cd", "avx512dq", "avx512bw", "avx512vl", "avx512ifma", "avx512vbmi", "avx512_vbmi2",
    "avx512_vnni", "avx512_bitalg", "avx512_vpopcntdq", "avx512_bf16", "avx512_fp16",
    "amx_tile", "amx_int8", "amx_bf16", "amx_fp16",
)  # fmt: skip
CPUS = Path("/sys/devices/system/cpu")  # exists on Linux only
KINDS = {"Data": "d", "Instruction": "i"}
UNITS = {"K": 2**10, "M": 2**20, "G": 2**30}


def cpu() -> dict[str, Any]:
    """The permanent facts of the CPU; None or empty for what the system does not report."""
    try:
        import cpuinfo

        found = cpuinfo.get_cpu_info()
    except Exception:  # it parses text of the system, whose format may change
        found = {}
    flags = set(found.get("flags", ()))
    governors = set(_texts(CPUS.glob("cpu[0-9]*/cpufreq/scaling_governor")))
    return {
        "cpu": found.get("brand_raw") or platform.processor() or platform.machine() or "unknown",
        "architecture": platform.machine(),
        "vendor": found.get("vendor_id_raw"),
        "family": found.get("family"),
        "model": found.get("model"),
        "stepping": found.get("stepping"),
        "vectors": [vector for vector in VECTORS if vector in flags],
        "sockets": len(set(_texts(CPUS.glob("cpu[0-9]*/topology/physical_package_id")))) or None,
        "caches": _caches(),
        "base_mhz": _highest("base_frequency"),
        "top_mhz": _top(),
        "governor": ", ".join(sorted(governors)) or None,
    }


def _caches() -> dict[str, int]:
    """Bytes of each cache that serves the first CPU: L1d, L1i, L2, L3."""
    found = {}
    for index in sorted(CPUS.glob("cpu0/cache/index[0-9]*")):
        told = list(_texts(index / name for name in ("level", "type", "size")))
        if len(told) == 3 and (size := size_bytes(told[2])):
            found[f"L{told[0]}{KINDS.get(told[1], '')}"] = size
    return found


def size_bytes(size: str) -> int:
    """The bytes of a size such as 32K; 0 for any other text."""
    digits, unit = (size[:-1], size[-1]) if size[-1:] in UNITS else (size, "")
    return int(digits) * UNITS.get(unit, 1) if digits.isdecimal() else 0


def _top() -> int | None:
    """The highest frequency of any CPU, in MHz: the hardware's maximum, whatever the policy allows."""
    if told := _highest("cpuinfo_max_freq"):
        return told
    try:
        import psutil  # may be missing in a contender's process, which asks for cache sizes

        return round(psutil.cpu_freq().max) or None
    except Exception:  # absent on some systems, None on others, refused in some virtual machines
        return None


def _highest(file: str) -> int | None:
    """The highest value of that frequency file over all CPUs, in MHz."""
    told = [int(text) for text in _texts(CPUS.glob(f"cpu[0-9]*/cpufreq/{file}")) if text.isdecimal()]
    return round(max(told) / 1000) if told else None


def _texts(files: Iterable[Path]) -> Iterable[str]:
    for file in files:
        try:
            text = file.read_text(encoding="utf-8").strip()
        except (OSError, ValueError):  # the file of an offline CPU cannot be read
            continue
        if text:
            yield text
