"""The two records of a run: the machine it ran on, and the environment it ran in. Each has a short key."""

import hashlib
import json
import os
import platform
import re
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import psutil

from bench.machine.cpu import cpu
from bench.machine.gpus import gpus as gpus
from bench.machine.host import host
from bench.machine.variables import variables

Record = dict[str, Any]

# what stays as long as it is the same machine, and of each GPU
LASTING = ("cpu", "architecture", "vendor", "family", "model", "stepping", "cores", "threads")
GROWING = ("memory_gib", "usable")  # of a machine that is lent
KIND = ("name", "memory_gib", "capability")
PACKAGES = (
    "gaugeblock", "numpy", "scipy", "pandas", "scikit-learn", "pytest", "pytest-benchmark", "torch",
    "tensorflow", "tensorflow-cpu", "tensorflow-intel", "keras", "jax", "jaxlib", "flax", "optax",
    "ml-dtypes", "onnx", "onnxruntime", "onnxruntime-gpu", "triton", "mkl",
    "jax-cuda12-plugin", "jax-cuda12-pjrt", "jax-cuda13-plugin", "jax-cuda13-pjrt",
    "nvidia-cublas", "nvidia-cublas-cu12",
    "nvidia-cuda-runtime", "nvidia-cuda-runtime-cu12", "nvidia-cudnn-cu12", "nvidia-cudnn-cu13",
)  # fmt: skip


def machine() -> Record:
    """CPU, host, memory, operating system and GPUs of this machine: what stays, so that its key does.

    What it is doing at one time is `bench.machine.load_average`'s. Takes about a second.
    """
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
    """Versions, BLAS and flags, as read back. Imports no framework."""
    import scipy.linalg  # noqa: F401  # loads its BLAS and NumPy's, so that threadpoolctl sees both
    from threadpoolctl import threadpool_info

    pools = [
        {
            name: pool.get(name)
            for name in ("user_api", "internal_api", "prefix", "version", "architecture", "num_threads")
        }
        for pool in threadpool_info()
    ]
    return {
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "packages": installed(PACKAGES),
        "pools": sorted(pools, key=str),
        "variables": variables(),
        "flags": dict(flags or {}),
    }


def installed(packages: Iterable[str]) -> dict[str, str]:
    """The versions of those packages that are installed. Imports none of them."""
    found = {}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def key(record: Mapping[str, Any]) -> str:
    """Eight hexadecimal digits that are the same for the same record, wherever and whenever it was made.

    Of a machine with GPUs, which is often rented, they are the same for the next one of its kind: memory that
    grows, the cores that one may use, and which of many cards it is are no part of them.
    """
    cards = record.get("gpus")
    if isinstance(cards, list) and cards and all(isinstance(card, Mapping) for card in cards):
        kind = [{fact: value for fact, value in card.items() if fact != "uuid"} for card in cards]
        record = {name: value for name, value in record.items() if name not in GROWING} | {"gpus": kind}
    canonical = json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=True, default=str)
    return hashlib.sha256(canonical.encode()).hexdigest()[:8]


def home(record: Mapping[str, Any], root: Path) -> Path:
    """Where what is published of this machine stands under `root`, made where it is not there."""
    folder = root / folder_name(record)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def folder_name(record: Mapping[str, Any]) -> str:
    """Of the folder in which what is published of this machine stands."""
    return f"{name(record)}-{key(record)}"


def differing(record: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """The facts by which these are two kinds of machine, as far as the first record has them: CPUs and GPUs.

    Memory, drivers and the kernel may change on one machine: that of a virtual one grows while it runs. Two
    cards of one kind are as good as one: a rented machine has another each time.
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
