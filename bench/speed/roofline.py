"""The roofline: what can be attained here, how much of it a call attains, and what nobody can attain.

The best backend of a session is the roof of them all. A roof of another machine or day is none.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from bench.backends import TF32
from bench.digits import scaled

MARGIN = 1.05  # times the roof: what is above is an error, not a record
BITS = {"float64": 64, "float32": 32, TF32: 19, "bfloat16": 16, "float16": 16}
STREAMS = {
    "copy GB/s": "copy_bytes_per_s",
    "triad GB/s": "triad_bytes_per_s",
    "read GB/s": "read_bytes_per_s",
}


@dataclass(frozen=True)
class Roof:
    """Floating-point operations and bytes a second that were attained; infinite where none was measured."""

    flops_per_s: float
    bytes_per_s: float
    cache_bytes: int = 0  # of the last level


def roof(found: Iterable[Mapping[str, Any]], device: str, dtype: str, threads: int | None) -> Roof | None:
    """The best of all backends on that device with so many threads; None where nothing was measured.

    Memory is as fast for every dtype, and products in a wider one count too: who converts attains them.
    """
    here = [each for each in found if place(each) == place({"device": device, "threads": threads})]
    wide = [each for each in here if str(each.get("dtype")) in _computing(dtype)]
    flops = max((figure(each, "flops_per_s") for each in wide), default=0.0)
    rate = max((figure(each, name) for each in here for name in STREAMS.values()), default=0.0)
    cache = max((int(figure(each, "cache_bytes")) for each in here), default=0)
    return Roof(flops or math.inf, rate or math.inf, cache) if flops or rate else None


def share(roof: Roof, flops: float, bytes: float, seconds: float, cached: bool = False) -> float | None:
    """Attained over attainable: the seconds that these flops and bytes need at the roof, over those taken.

    None where bytes decide that and come from a cache (`cached`), whose rate nobody has measured.
    """
    computing, moving = flops / roof.flops_per_s, bytes / roof.bytes_per_s
    return None if cached and moving > computing else max(computing, moving) / seconds


def impossible(roof: Roof, flops: float, bytes: float, seconds: float, fewer: bool = False) -> str:
    """A sentence where a call of so many seconds is more than 5 % above the roof, else nothing.

    `fewer`: the contender declares that it does fewer flops than the formula. Data of up to four caches are
    not asked about: they need not come from memory.
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
    """A device, and on a CPU the threads."""
    device = str(record.get("device"))
    return device, record.get("threads") if device == "cpu" else None


def _computing(dtype: str) -> set[str]:
    return {dtype} | {wide for wide, bits in BITS.items() if bits > BITS.get(dtype, math.inf)}


def figure(record: Mapping[str, Any], name: str) -> float:
    """A rate, or 0 where there is none: records may have been written by others."""
    value = record.get(name)
    return float(value) if isinstance(value, int | float) and 0 < value < 1e300 else 0.0


def _scaled(rate: float) -> str:
    """``250 G``, to go before a unit."""
    text = scaled(rate, rate / 200)
    return text if text[-1:].isalpha() else f"{text} "
