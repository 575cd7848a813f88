"""The roofline: the peak rates of this machine, the share that a call reaches, and impossible speeds.

The best backend of a session sets the roof for all. Peaks of another machine or session are not used.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from bench.backends import TF32
from bench.digits import scaled

MARGIN = 1.05  # times the roof: a faster call is an error, not a record
BITS = {"float64": 64, "float32": 32, TF32: 19, "bfloat16": 16, "float16": 16}
STREAMS = {
    "copy GB/s": "copy_bytes_per_s",
    "triad GB/s": "triad_bytes_per_s",
    "read GB/s": "read_bytes_per_s",
}


@dataclass(frozen=True)
class Roof:
    """Peak floating-point operations and bytes per second; infinite if not measured."""

    flops_per_s: float
    bytes_per_s: float
    cache_bytes: int = 0  # the size of the last-level cache


def roof(found: Iterable[Mapping[str, Any]], device: str, dtype: str, threads: int | None) -> Roof | None:
    """The best of all backends on that device with that number of threads; None if nothing was measured.

    Memory is equally fast for every dtype. Products in wider dtypes count too: a kernel may convert to one.
    """
    here = [each for each in found if place(each) == place({"device": device, "threads": threads})]
    wide = [each for each in here if str(each.get("dtype")) in _computing(dtype)]
    flops = max((figure(each, "flops_per_s") for each in wide), default=0.0)
    rate = max((figure(each, name) for each in here for name in STREAMS.values()), default=0.0)
    cache = max((int(figure(each, "cache_bytes")) for each in here), default=0)
    return Roof(flops or math.inf, rate or math.inf, cache) if flops or rate else None


def share(roof: Roof, flops: float, bytes: float, seconds: float, cached: bool = False) -> float | None:
    """The time that these flops and bytes need at the peak rates, over the time taken.

    None if bytes dominate and come from a cache (`cached`): the rate of the cache was not measured.
    """
    computing, moving = flops / roof.flops_per_s, bytes / roof.bytes_per_s
    return None if cached and moving > computing else max(computing, moving) / seconds


def limiting(roof: Roof, flops: float, bytes: float) -> str:
    """What allows the least speed: ``compute`` or ``memory``."""
    return "compute" if flops / roof.flops_per_s >= bytes / roof.bytes_per_s else "memory"


def impossible(roof: Roof, flops: float, bytes: float, seconds: float, fewer: bool = False) -> str:
    """A sentence if a call of `seconds` is more than 5 % above the roof, else empty.

    `fewer`: the contender declares that it does fewer flops than the formula. The memory rate is not checked
    for data of up to four times the cache: it need not come from memory.
    """
    rates = [] if fewer else [("FLOP", flops, roof.flops_per_s)]
    rates += [("B", bytes, roof.bytes_per_s)] if bytes > 4 * roof.cache_bytes else []
    for unit, amount, peak in rates:
        rate = amount / seconds
        if rate > MARGIN * peak:
            return (
                f"speed: got {_scaled(rate)}{unit}/s, {rate / peak:.0%} of the roofline of this session, "
                f"should be at most {MARGIN:.0%} of {_scaled(peak)}{unit}/s"
            )
    return ""


def place(record: Mapping[str, Any]) -> tuple[str, Any]:
    """The device of a record, and on a CPU its number of threads."""
    device = str(record.get("device"))
    return device, record.get("threads") if device == "cpu" else None


def _computing(dtype: str) -> set[str]:
    return {dtype} | {wide for wide, bits in BITS.items() if bits > BITS.get(dtype, math.inf)}


def figure(record: Mapping[str, Any], name: str) -> float:
    """A rate, or 0 if it is missing or invalid: records may be damaged."""
    value = record.get(name)
    return float(value) if isinstance(value, int | float) and 0 < value < 1e300 else 0.0


def _scaled(rate: float) -> str:
    """The rate as ``250 G``, ready for a unit."""
    text = scaled(rate, rate / 200)
    return text if text[-1:].isalpha() else f"{text} "
