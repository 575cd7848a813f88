"""The table of fingerprints: the measured arithmetic of each backend, mode and dtype."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bench.report.table import Section, Table

COLUMNS = ("backend", "mode", "dtype", "multiplier", "accumulator", "subnormals", "run to run", "batch size")
NOTE = (
    "Measured. multiplier: significant bits of an operand that a product keeps. accumulator: bits that a "
    "sum keeps; 'from' is the number of terms above which it keeps fewer. subnormals: which are flushed to"
    " zero. run to run: operations whose bits change when they are called again. batch size: operations "
    "whose first row has other bits than in a batch of 512, with the batch sizes."
)


def arithmetic(found: Sequence[Mapping[str, Any]]) -> list[Section]:
    """One line per backend, mode, device and dtype; no table if there are no fingerprints."""
    lines = list(dict.fromkeys(map(_line, found)))
    if not lines:
        return []
    return [Table("Fingerprints of the arithmetic", COLUMNS, lines, right=("multiplier",), note=NOTE)]


def answers(found: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, str]]:
    """What each backend, mode and dtype answered, by the columns of the table."""
    lines = map(_line, found)
    return {"/".join(line[:3]): dict(zip(COLUMNS[3:], line[3:], strict=True)) for line in lines}


def _line(record: Mapping[str, Any]) -> tuple[str, ...]:
    backend, mode, device, dtype = (str(record.get(name)) for name in ("backend", "mode", "device", "dtype"))
    place = (backend if device == "cpu" else f"{backend} {device}", mode, dtype)
    if "error" in record:
        return (*place, "", f"error: {record['error']}", "", "", "")
    return (
        *place,
        _said(record, "multiplier", str),
        _said(record, "accumulator", _lengths),
        _said(record, "flushed", lambda sides: f"{', '.join(sides)} flushed" if sides else "", "kept"),
        _said(record, "repeats", lambda same: "" if same else "differs", "same"),
        _said(record, "batches", lambda sizes: ", ".join(map(str, sizes)), "same"),
    )


def _said(record: Mapping[str, Any], probe: str, words: Callable[[Any], str], usual: str = "") -> str:
    """The answers of the operations: one if all agree, else each with its name."""
    answers = record.get(probe)
    if not isinstance(answers, Mapping):
        return ""
    said = {name: "absent" if isinstance(each, str) else words(each) for name, each in answers.items()}
    if len({*said.values()}) == 1:
        return next(iter(said.values())) or usual
    return "\n".join(f"{name} {text}" for name, text in sorted(said.items()) if text)


def _lengths(bits: Mapping[str, int]) -> str:
    """``24``, or ``24, 8 from 64``."""
    parts: list[str] = []
    last = None
    for length, number in bits.items():
        if number != last:
            parts.append(f"{number} from {length}" if parts else str(number))
        last = number
    return ", ".join(parts)
