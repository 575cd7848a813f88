"""The two records of a run: its machine and its environment. Each has a short key."""

import hashlib
import json
import os
import platform
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from bench.machine.cpu import cpu
from bench.machine.gpus import gpus as gpus
from bench.machine.host import host
from bench.machine.pools import pools
from bench.machine.variables import variables

Record = dict[str, Any]

# the facts that identify a machine, and those that identify a kind of GPU
LASTING = ("cpu", "architecture", "vendor", "family", "model", "stepping", "cores", "threads")
GROWING = ("memory_gib", "usable")  # facts that vary on a rented machine
KIND = ("name", "memory_gib", "capability")
PACKAGES = (
    "gaugeblock", "numpy", "scipy", "pandas", "scikit-learn", "pytest", "pytest-benchmark", "torch",
    "tensorflow", "tensorflow-cpu", "tensorflow-intel", "keras", "jax", "jaxlib", "flax", "optax",
    "ml-dtypes", "transformers", "onnx", "onnxruntime", "onnxruntime-gpu", "triton", "mkl",
    "jax-cuda12-plugin", "jax-cuda12-pjrt", "jax-cuda13-plugin", "jax-cuda13-pjrt",
    "nvidia-cublas", "nvidia-cublas-cu12",
    "nvidia-cuda-runtime", "nvidia-cuda-runtime-cu12", "nvidia-cudnn-cu12", "nvidia-cudnn-cu13",
)  # fmt: skip


def machine() -> Record:
    """Permanent facts of this machine, so that its key is stable: CPU, host, memory, OS and GPUs.

    See `bench.machine.load_average` for its load. Takes about a second.
    """
    import psutil  # may be missing in a contender's environment

    return {
        **cpu(),
        **host(),
        "cores": psutil.cpu_count(logical=False),
        "threads": psutil.cpu_count(),
        "usable": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else psutil.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30),
        "os": _system(),
        "gpus": gpus(),
    }


def environment(flags: Mapping[str, Any] | None = None) -> Record:
    """Versions, BLAS libraries and flags, as read back. Imports no framework."""
    with suppress(ModuleNotFoundError):  # may be missing in a contender's environment
        import scipy.linalg  # noqa: F401  # loads its BLAS and NumPy's, so that threadpoolctl sees both
    found = [
        {
            name: pool.get(name)
            for name in ("user_api", "internal_api", "prefix", "version", "architecture", "num_threads")
        }
        for pool in pools()
    ]
    return {
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "packages": installed(PACKAGES),
        "pools": sorted(found, key=str),
        "variables": variables(),
        "flags": dict(flags or {}),
    }


def installed(packages: Iterable[str]) -> dict[str, str]:
    """The versions of the installed ones of these packages. Imports none of them."""
    found = {}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def key(record: Mapping[str, Any]) -> str:
    """Eight hexadecimal digits that depend only on the record.

    A machine with GPUs is often rented, so all machines of its kind have the same key: it does not depend on
    the memory, the usable cores and the UUIDs of the GPUs.
    """
    cards = record.get("gpus")
    if isinstance(cards, list) and cards and all(isinstance(card, Mapping) for card in cards):
        kind = [{fact: value for fact, value in card.items() if fact != "uuid"} for card in cards]
        record = {name: value for name, value in record.items() if name not in GROWING} | {"gpus": kind}
    canonical = json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=True, default=str)
    return hashlib.sha256(canonical.encode()).hexdigest()[:8]


def home(record: Mapping[str, Any], root: Path) -> Path:
    """The folder below `root` for published results of this machine; creates it if needed."""
    folder = root / folder_name(record)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def folder_name(record: Mapping[str, Any]) -> str:
    """The name of the folder for published results of this machine."""
    return f"{name(record)}-{key(record)}"


def differing(record: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """The facts about CPUs and GPUs in which two records differ, as far as the first record has them.

    Memory, drivers and the kernel are not compared: they may change on one machine. Two GPUs of the same kind
    are equal: a rented machine has a different one each time.
    """
    facts = [fact for fact in LASTING if fact in record or fact == LASTING[0]]
    found = [fact for fact in facts if record.get(fact) != other.get(fact)]
    return found + (["gpus"] if _cards(record) != _cards(other) else [])


def _cards(record: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    cards = record.get("gpus")
    found = [card for card in cards if isinstance(card, Mapping)] if isinstance(cards, list) else []
    return [tuple(card.get(fact) for fact in KIND) for card in found]


def name(record: Mapping[str, Any]) -> str:
    """A machine's name for folders: its first GPU, else its CPU, else unknown. Never its host name."""
    cards = record.get("gpus")
    first = cards[0] if isinstance(cards, list) and cards and isinstance(cards[0], Mapping) else {}
    words = str(first.get("name") or record.get("cpu") or "")
    words = re.sub(r"\((?:R|TM|C)\)|@.*|\bCPU\b|\bProcessor\b|\b\d+-Core\b", " ", words, flags=re.IGNORECASE)
    return re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")[:40].strip("-") or "unknown"


def _system() -> str:
    try:
        distribution = platform.freedesktop_os_release().get("PRETTY_NAME", "")
    except OSError:
        distribution = ""
    return ", ".join(filter(None, (f"{platform.system()} {platform.release()}", distribution)))
