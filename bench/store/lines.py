"""Reads the JSON Lines files of runs; an invalid line is reported with its file, line and column."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn

from bench.store.shape import DEFAULTS, decoded

OBJECT = "one JSON object"
CURE = "restore the file, or skip such lines with --lenient"
DELETE = "restore the file, or delete that line"

Told = Callable[[str, str], None]  # is called with what is wrong with a line, and what to do about it
Entry = tuple[tuple[Any, ...], Mapping[str, Any]]  # the values of `COLUMNS`, and any further columns


def refuse(wrong: str, cure: str) -> NoReturn:
    """Raise ValueError."""
    raise ValueError(f"{wrong}; {cure}")


def ignore(wrong: str, cure: str) -> None:
    """Skip the line."""


def lines(file: Path, told: Told = refuse, cut: Told | None = None) -> Iterator[dict[str, Any]]:
    """The objects of a file, one per line. `told` is called for each line that is not an object.

    A last line that was cut off raises nothing: resuming the run removes it. `cut` is called for it.
    """
    cut = cut or (ignore if told is refuse else told)
    for _, found in _objects(file, file.stem, _loosely, dict, told, cut):
        yield found


def entries(file: Path, told: Told = refuse, cut: Told | None = None) -> Iterator[Entry]:
    """The rows of a file, each as it was written; `told` is called for every line that is not a row.

    For a last line that was cut off, `cut` is called instead.
    """
    for number, (values, shape, wrong) in _objects(file, "rows", decoded, tuple, told, cut or told):
        if wrong:
            column, got, should = wrong
            told(f"rows {file}, line {number}, {column}: got {got}, should {should}", CURE)
            continue
        beyond = {name: values[at] for name, at in shape.beyond}
        yield (shape.pick((*values, *DEFAULTS)) if shape.pick else values), beyond


def _objects(
    file: Path, kind: str, decode: Callable[[bytes], Any], sort: type, told: Told, cut: Told
) -> Iterator[tuple[int, Any]]:
    """The number and object of each line; `cut` is called for a last line that was cut off."""
    cure = CURE if kind == "rows" else DELETE
    blank = []
    with file.open("rb") as opened:
        for number, line in enumerate(opened, 1):
            found, more = None, False
            try:
                found = decode(line)
            except (ValueError, RecursionError) as error:
                more = str(error).startswith("Extra data")
            if isinstance(found, sort) and b"\r" not in line:
                yield number, found
                continue
            where = f"{kind} {file}, line {number}"
            if not line.strip(b" \t\n"):
                blank.append(where)
            elif b"\r" in line:
                told(f"{where}: got a carriage return, should be {OBJECT} and a line feed", cure)
            elif line.startswith(b"\xef\xbb\xbf"):
                told(f"{where}: got a byte order mark, should be {OBJECT}", cure)
            elif more:
                told(f"{where}: got more than one value, should be {OBJECT}", cure)
            elif line.endswith(b"\n"):
                told(f"{where}: got {line[:40]!r}, should be {OBJECT}", cure)
            else:
                on = f"continue the run with --results {file.parent}, or skip that line with --lenient"
                cut(f"{where}: got a line that was cut off, should be {OBJECT}", on)
    for where in blank:  # last, because any other fault matters more
        told(f"{where}: got an empty line, should be {OBJECT}", cure)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name occurs twice")
    return found


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is not a JSON number")


_LOOSE = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_no_number).decode


def _loosely(line: bytes) -> Any:
    return _LOOSE(line.decode())
