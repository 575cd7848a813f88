"""Measurements of a device itself: its peak rates in every dtype, and errors of elementary functions."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import zip_longest
from pathlib import Path
from typing import Any

from bench.backends import TF32, backend
from bench.campaign.preflight import cell
from bench.run.workers import Workers
from bench.speed.rounds import ROOF
from bench.studies.libm import BITS
from bench.worker import Died

FUNCTIONS = "bench.studies.libm:measure"
DTYPES = ("float32", "bfloat16", "float64", "float16")
ROOFS, ERRORS = "roofs.jsonl", "functions.jsonl"

Place = Mapping[str, str]  # backend, device, dtype
Record = dict[str, Any]


def probe(
    folder: Path,
    backends: Sequence[str],
    device: str,
    workers: Workers,
    told: Callable[[str], None],
    left: Callable[[], float],
) -> None:
    """Measure what the folder's two files lack, and append it, while ``left()`` seconds are positive."""
    asked = [[*_asked(name, device)] for name in backends]
    for each in zip_longest(*asked):  # the first probe of every backend, then the second of every one
        for file, measured, place in filter(None, each):
            where = f"{file.partition('.')[0]} of {' '.join(place.values())}"
            if any(place.items() <= known.items() for known in _known(folder / file)):
                continue
            if left() <= 0:
                told(f"{where}: no time left")
                continue
            try:
                found = measured(workers, place)
            except (Died, ValueError) as error:
                found = [{**place, "error": str(error)}]
            with (folder / file).open("a", encoding="utf-8") as opened:
                opened.writelines(json.dumps(each) + "\n" for each in found)
            told(f"{where}: {_said(found)}")


def _asked(name: str, device: str) -> Iterator[tuple[str, Callable[[Workers, Place], list[Record]], Place]]:
    found = backend(name)
    dtypes = [each for each in DTYPES if each in found.dtypes]
    rounding = [TF32] if TF32 in found.modes and device == "gpu" else []
    for dtype in [*dtypes[:1], *rounding, *dtypes[1:]]:
        yield ROOFS, _roof, {"backend": name, "device": device, "dtype": dtype}
    for dtype in [each for each in BITS if each in dtypes]:
        yield ERRORS, _functions, {"backend": name, "device": device, "dtype": dtype}


def _roof(workers: Workers, place: Place) -> list[Record]:
    dtype, mode = ("float32", TF32) if place["dtype"] == TF32 else (place["dtype"], "")
    one = cell(place["backend"], place["device"], dtype, mode)
    return [{**workers.ask(one, ROOF, asdict(one)), **place}]


def _functions(workers: Workers, place: Place) -> list[Record]:
    one = cell(place["backend"], place["device"], place["dtype"])
    return list(workers.ask(one, FUNCTIONS, one.backend, one.device, one.dtype))


def _known(file: Path) -> list[Record]:
    """The records of earlier calls; probes that were cut off or failed are run again."""
    found = []
    for line in file.read_text(encoding="utf-8").splitlines() if file.exists() else ():
        try:
            each = json.loads(line)
        except ValueError:
            continue
        found += [] if "error" in each else [each]
    return found


def _said(found: Sequence[Record]) -> str:
    if faults := [str(each["error"]) for each in found if "error" in each]:
        return faults[0]
    if not found:
        return "none that are known"
    if "function" in found[0]:
        worst = max(found, key=lambda each: float(each["rms"]))
        return f"{worst['function']} is the worst, at {worst['rms']:.2g} half units in the last place"
    flops, rate = found[0].get("flops_per_s") or 0, found[0].get("copy_bytes_per_s") or 0
    return f"{flops / 1e9:,.0f} GFLOP/s, {rate / 1e9:,.0f} GB/s copied"
