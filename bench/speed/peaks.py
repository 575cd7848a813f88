"""The peak rates of a backend, measured in its worker: of matrix products and of memory streams."""

import math
import os
from collections.abc import Callable
from functools import partial
from time import perf_counter as clock
from typing import Any

import numpy as np

from bench.backends import TF32, Absent, Backend
from bench.contender.prepare import THREADS
from bench.inputs import rounded
from bench.machine import nvml
from bench.machine.caches import last_level
from bench.store.row import sentence

Record = dict[str, Any]

SIZES = (128, 256, 512, 1024, 2048, 4096, 8192)
LARGEST = 3  # how many of the largest sizes a GPU gets: smaller ones do not fill it
SLOW = 0.4  # seconds a call may take: calls that would take longer are not tried
BUDGET = 0.1  # seconds of samples of one figure
FEWEST = 2  # samples of one figure: a machine that stops for a moment slows one, and would set the roof
BLOCK = 0.005  # seconds a sample should last
GPU_BLOCK = 0.02  # longer on a GPU, where a launch and a synchronization cost 20 µs
WIDTH = 2**15  # elements in a row of the streamed arrays
PART = 16  # a first try streams one row in 16
MOST = 2**31  # most bytes of a streamed array, however large the caches are
BYTES = {"float64": 8, "float32": 4, "bfloat16": 2, "float16": 2}
STREAMS = {  # the operation, its number of arguments, and the number of arrays that it reads and writes
    "copy_bytes_per_s": ("copy", 1, 2),
    "triad_bytes_per_s": ("triad", 2, 3),
    "read_bytes_per_s": ("sum", 1, 1),
}


def measure(engine: Backend, cache: int | None = None, mode: str = "") -> Record:
    """The peak rates of the engine on its device in its dtype; a rate is None if it has no such kernel.

    In mode ``tf32`` the record's dtype is ``tf32``. `cache` is the size of the last-level cache in bytes.
    An exception of the framework is recorded as ``error``.
    """
    cache = cache or last_level(engine.device)
    dtype = TF32 if mode == TF32 else engine.dtype
    place: Record = {"backend": engine.name, "device": engine.device, "dtype": dtype}
    place["cache_bytes"] = cache
    try:
        told = os.environ.get(THREADS)
        place |= {"version": engine.version, "threads": engine.threads() or (int(told) if told else None)}
        place |= _products(engine, mode)
        return place | _streams(engine, cache)
    except Exception as error:  # of the framework: the run continues
        return place | {"error": sentence(error)}


def _products(engine: Backend, mode: str) -> Record:
    """Floating-point operations per second of the fastest square product, and the sizes that were tried."""
    verb, best = engine.operations()["matmul"], 0.0
    if mode == TF32:
        product = engine.forward(lambda params, a, b: {"y": engine.operations()["matmul"](a, b)}, mode)
        verb = lambda a, b: product({}, {"a": a, "b": b})  # noqa: E731
    sizes: list[int] = []
    for size in SIZES if engine.device == "cpu" else SIZES[-LARGEST:]:
        flops = 2.0 * size**3
        if best and flops / best > SLOW:
            break
        seconds = _least(engine, partial(verb, *_normal(engine, size, size)))
        if seconds is None:
            break
        sizes.append(size)
        best = max(best, flops / seconds)
    return {"flops_per_s": best or None, "sizes": sizes}


def _streams(engine: Backend, cache: int) -> Record:
    """Bytes per second, read plus written; reading alone may be faster than copying."""
    row = WIDTH * BYTES[engine.dtype]
    part = _array_bytes(engine.device, cache) // row // PART + 1
    few = _normal(engine, part, WIDTH)
    many = tuple(_repeated(engine, array, PART) for array in few)
    found: Record = {"array_bytes": part * PART * row}
    for name, (verb, given, moved) in STREAMS.items():
        call = engine.operations().get(verb)
        once = call and _least(engine, partial(call, *few[:given]), budget=0)
        slow = not once or once * PART > SLOW
        seconds = None if slow or not call else _least(engine, partial(call, *many[:given]))
        found[name] = moved * part * PART * row / seconds if seconds else None
    return found


def _array_bytes(device: str, cache: int) -> int:
    """Bytes of a streamed array: four times the cache, or less if memory is short."""
    import psutil

    if device != "cpu" and (free := nvml.free_bytes()):
        return min(MOST, free // 16)
    return min(4 * cache, MOST, psutil.virtual_memory().available // 16)


def _repeated(engine: Backend, array: Any, times: int) -> Any:
    """The array repeated along its rows; made on the device if the backend has ``tile``."""
    if verb := engine.operations().get("tile"):
        return verb(array, times)
    return engine.put({"x": np.tile(engine.get({"x": array})["x"], (times, 1))})["x"]


def _least(engine: Backend, once: Callable[[], Any], budget: float = BUDGET) -> float | None:
    """The fewest seconds per call over several blocks of calls; None if there is no such kernel."""
    best, spent, samples, calls = math.inf, 0.0, 0, 1
    length = BLOCK if engine.device == "cpu" else GPU_BLOCK
    try:
        engine.wait(once())  # compiles, and touches the memory pages
        while samples < (FEWEST if budget else 1) or spent < budget:
            start = clock()
            for _ in range(calls):
                result = once()
            engine.wait(result)
            taken = clock() - start
            samples, spent, best = samples + 1, spent + taken, min(best, taken / calls)
            calls = max(1, round(length / max(best, 1e-6)))
    except Exception as error:
        if not (isinstance(error, Absent) or engine.lacks(error)):
            raise
        return None
    return best


def _normal(engine: Backend, rows: int, columns: int) -> tuple[Any, Any]:
    """Two seeded normal arrays on the device; large ones repeat numbers, since drawing takes seconds."""
    drawn = [np.random.default_rng(seed).standard_normal(min(rows * columns, 2**16 + 1)) for seed in (0, 1)]
    given = rounded(dict(zip("xy", drawn, strict=True)), engine.dtype)
    placed = engine.put({name: np.resize(array, (rows, columns)) for name, array in given.items()})
    return placed["x"], placed["y"]
