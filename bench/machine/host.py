"""Describes the computer: the product of its maker or cloud, its hypervisor and its NUMA nodes.

No serial number, UUID or host name is read, because records are published.
"""

import os
import re
import subprocess
from pathlib import Path
from typing import Any

DMI = Path("/sys/class/dmi/id")  # exists, like NODES, on Linux only
NODES = Path("/sys/devices/system/node")


def host() -> dict[str, Any]:
    """The permanent facts of the computer; None for what the system does not report."""
    return {
        "maker": _text(DMI / "sys_vendor"),
        "product": _text(DMI / "product_name"),
        "hypervisor": _hypervisor(),
        "numa_nodes": len(list(NODES.glob("node[0-9]*"))) or None,
    }


def _hypervisor() -> str | None:
    """The hypervisor's vendor as lscpu reads it from the CPU; None on bare metal or without lscpu."""
    try:
        told = subprocess.run(
            ["lscpu"], env={**os.environ, "LC_ALL": "C"}, capture_output=True, encoding="utf-8", timeout=10
        )
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    found = re.search(r"^\s*Hypervisor vendor:\s*(\S.*?)\s*$", told.stdout, re.MULTILINE)
    return found[1] if found else None


def _text(file: Path) -> str | None:
    try:
        return " ".join(file.read_text(encoding="utf-8", errors="replace").split()) or None
    except OSError:
        return None
