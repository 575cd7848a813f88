"""The table of the roofline: the best rates that the backends of a run reached."""

from collections.abc import Mapping, Sequence
from typing import Any

from bench.digits import digits
from bench.report.table import Section, Table
from bench.speed.roofline import STREAMS, figure, place

NOTE = (
    "Measured in this run, each by the fastest backend. matmul: square matrices, in the declared "
    "precision. copy, triad (a = b + 2 c) and read (a sum): arrays of four times the last-level cache; "
    "bytes read plus bytes written."
)


def roofs(found: Sequence[Mapping[str, Any]]) -> list[Section]:
    """One line per machine, device, dtype and number of threads; no table if nothing was measured."""
    several = len({str(each.get("machine")) for each in found}) > 1
    groups: dict[tuple[str, ...], list[Mapping[str, Any]]] = {}
    for each in found:
        device, threads = place(each)
        where = (device, str(each.get("dtype")), "" if threads is None else str(threads))
        groups.setdefault((str(each.get("machine", "")), *where)[0 if several else 1 :], []).append(each)
    names = {"matmul GFLOP/s": "flops_per_s", **STREAMS}
    lines = [(*where, *(_best(each, name) for name in names.values())) for where, each in groups.items()]
    errors = [
        f"{each.get('backend')} {each.get('dtype')}: {each['error']}" for each in found if "error" in each
    ]
    columns = (*(["machine"] if several else []), "device", "dtype", "threads", *names)
    note = "; ".join([NOTE, *errors]) if errors else NOTE
    return [Table("Roofline", columns, lines, right=("threads", *names), note=note)] if lines else []


def _best(records: Sequence[Mapping[str, Any]], name: str) -> str:
    best = max(records, key=lambda each: figure(each, name))
    rate = figure(best, name)
    return f"{digits(rate / 1e9)} {best.get('backend')}" if rate else ""
