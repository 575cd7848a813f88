"""NVIDIA's library with two cards, for machines that have none."""

from types import SimpleNamespace
from typing import Any

import pynvml

GIB = 2**30


def process(pid: int, gib: float | None) -> SimpleNamespace:
    return SimpleNamespace(pid=pid, usedGpuMemory=None if gib is None else int(gib * GIB))


def driver(monkeypatch: Any, **other: Any) -> None:
    """The driver's answers in place of the library's; what is named None is what it does not support."""
    top, now = {pynvml.NVML_CLOCK_SM: 1980}, {pynvml.NVML_CLOCK_SM: 345}
    answers: dict[str, Any] = {
        "nvmlInit": lambda: None,
        "nvmlShutdown": lambda: None,
        "nvmlSystemGetDriverVersion": lambda: b"570.1",
        "nvmlDeviceGetCount": lambda: 2,
        "nvmlDeviceGetHandleByIndex": lambda index: index,
        "nvmlDeviceGetName": lambda card: f"Card {card}",
        "nvmlDeviceGetMemoryInfo": lambda card: SimpleNamespace(total=80 * GIB),
        "nvmlDeviceGetCudaComputeCapability": lambda card: (9, 0),
        "nvmlDeviceGetMaxClockInfo": lambda card, clock: top.get(clock, 2619),
        "nvmlDeviceGetClockInfo": lambda card, clock: now.get(clock, 2619),
        "nvmlDeviceGetUUID": lambda card: f"GPU-{card}2345678-1234",
        "nvmlSystemGetCudaDriverVersion": lambda: 12080,
        "nvmlDeviceGetEnforcedPowerLimit": lambda card: 700_000,
        "nvmlDeviceGetEccMode": lambda card: [1, 0],
        "nvmlDeviceGetMigMode": lambda card: [0, 1],
        "nvmlDeviceGetPersistenceMode": lambda card: 1,
        "nvmlDeviceGetTemperature": lambda card, sensor: 31,
        "nvmlDeviceGetPowerUsage": lambda card: 70_400,
        "nvmlDeviceGetUtilizationRates": lambda card: SimpleNamespace(gpu=0),
        "nvmlDeviceGetComputeRunningProcesses": lambda card: [],
        "nvmlDeviceGetGraphicsRunningProcesses": lambda card: [],
        **other,
    }

    def refuse(*about: Any) -> None:
        raise pynvml.NVMLError_NotSupported

    for verb, answer in answers.items():
        monkeypatch.setattr(pynvml, verb, refuse if answer is None else answer)
