"""Checks that a machine is usable: the frameworks start, compute and can be timed on its device."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from bench.backends import Absent, backend
from bench.cells.cell import Cell
from bench.contender.environment import read_back
from bench.contender.prepare import instance
from bench.run.workers import Workers
from bench.worker import Died

ASK = "bench.campaign.preflight:ask"


@dataclass(frozen=True)
class Started:
    """The result of starting a backend: the settings that it reads back, or why it does not run."""

    backend: str
    seconds: float
    read: dict[str, Any]
    fault: str = ""

    def __str__(self) -> str:
        if self.fault:
            return f"{self.backend} is left out: {self.fault}"
        read = f"{self.read.get('version')}, {self.read.get('precision')}"
        return f"{self.backend} started in {self.seconds:.0f} s: {read}"


def started(backends: Sequence[str], device: str, dtype: str, workers: Workers) -> list[Started]:
    """Start each backend in its worker, in parallel: a first import can take a minute."""

    def start(name: str) -> Started:
        began = time.perf_counter()
        try:
            answer = workers.ask(cell(name, device, dtype), ASK, name, device, dtype)
        except (Absent, Died, ValueError) as error:
            answer = {"fault": str(error)}
        fault = str(answer.pop("fault", ""))
        return Started(name, time.perf_counter() - began, answer, fault)

    with ThreadPoolExecutor(len(backends)) as pool:
        return list(pool.map(start, backends))


def cell(name: str, device: str, dtype: str, mode: str = "") -> Cell:
    """An arbitrary cell of that backend, device, dtype and mode, which selects its worker."""
    mode = mode or backend(name).modes[0]
    return Cell("softmax", "plain", "typical", "small", "", name, mode, device, dtype, "forward")


def ask(name: str, device: str, dtype: str) -> dict[str, Any]:
    """Compute a product, then return what the framework reads back. Runs in the worker."""
    try:
        engine = instance(backend(name), device, dtype)
        engine.start()
    except Absent as reason:
        return {"fault": str(reason)}
    except Exception as error:
        return {"fault": f"{type(error).__name__}: {error}"}
    return {"version": engine.version, **read_back(engine)}
