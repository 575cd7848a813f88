"""Reads the JSON Lines files of runs; an invalid line is reported with its file, line and column."""

import json
import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from operator import itemgetter
from pathlib import Path
from types import NoneType
from typing import Any, NamedTuple, NoReturn

from bench.store.row import COLUMNS, EDITIONS, MEANING, TIMED, Row, unlawful

KINDS: dict[Any, tuple[frozenset[type], str]] = {
    str: (frozenset({str}), "text"),
    int: (frozenset({int}), "a whole number of 64 bits"),
    int | None: (frozenset({int, NoneType}), "a whole number of 64 bits, or null"),
    float | None: (frozenset({float, int, NoneType}), "a number of 64 bits, or null"),
}
SCHEMA = {column.name: KINDS[column.type] for column in fields(Row)}
# the types of a column that a later version of Gaugeblock has added
BEYOND = frozenset({str, int, float, bool, NoneType}), "text, a number, true, false or null"
EDITION = {name: number for number, names in enumerate(EDITIONS, 1) for name in names}
DEFAULTS = tuple(column.default for column in fields(Row))
INFINITE = frozenset({math.inf, -math.inf})  # json reads 1e999 as infinity
OBJECT = "one JSON object"
CURE = "restore the file, or skip such lines with --lenient"
DELETE = "restore the file, or delete that line"

Wrong = tuple[str, str, str]  # a column, what it holds (empty text means its value), and what it should be
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
    for _, _, found in _objects(file, file.stem, _LOOSE, dict, told, cut):
        yield found


def entries(file: Path, told: Told = refuse, cut: Told | None = None) -> Iterator[Entry]:
    """The rows of a file, each as it was written; `told` is called for every line that is not a row.

    For a last line that was cut off, `cut` is called instead.
    """
    shapes: dict[Any, Shape] = {}
    for number, line, found in _objects(file, "rows", _STRICT, tuple, told, cut or told):
        names, values = zip(*found, strict=True) if found else ((), ())
        key = names, tuple(map(type, values))
        shape = shapes.get(key) or shapes.setdefault(key, _shape(*key))
        if wrong := shape.wrong or _wrong(shape, names, values, line):
            column, got, should = wrong
            got = got or _words(values[names.index(column)])
            column = column if column.isidentifier() and len(column) < 40 else _words(column)
            told(f"rows {file}, line {number}, {column}: got {got}, should {should}", CURE)
            continue
        beyond = {name: values[at] for name, at in shape.beyond}
        yield (shape.pick((*values, *DEFAULTS)) if shape.pick else values), beyond


class Literal(str):
    """A number that JSON or 64 bits cannot hold, as it was written: NaN, or too many digits."""


class Shape(NamedTuple):
    """What all rows with the same columns and types have in common."""

    wrong: Wrong | None
    pick: Callable[[tuple[Any, ...]], tuple[Any, ...]] | None  # reorders values into the order of `COLUMNS`
    beyond: tuple[tuple[str, int], ...]  # the columns of a later version, and their positions
    status: int  # the position of the status
    schema: int | None  # of the schema, which older rows lack
    whole: tuple[str, ...]  # columns of any number that hold an int


def _shape(names: tuple[str, ...], types: tuple[type, ...]) -> Shape:
    place = {name: at for at, name in enumerate(names)}
    later = any(name not in SCHEMA for name in names)  # a version that adds columns has all of ours
    edition = len(EDITIONS) if later else max((EDITION.get(name, 0) for name in names), default=0)
    twice = (name for name, number in Counter(names).items() if number > 1)
    lacking = (name for name in COLUMNS if name not in place and EDITION.get(name, 0) <= edition)
    odd = (name for name, kind in zip(names, types, strict=True) if kind not in SCHEMA.get(name, BEYOND)[0])
    wrong = (
        *((name, "the name twice in one object", "be there once") for name in twice),
        *((name, "no such column", f"be {SCHEMA[name][1]}") for name in lacking),
        *((name, "", f"be {SCHEMA.get(name, BEYOND)[1]}") for name in odd),
    )
    order = [place.get(name, len(names) + at) for at, name in enumerate(COLUMNS)]
    any_number = KINDS[float | None]
    return Shape(
        wrong[0] if wrong else None,
        None if names == tuple(COLUMNS) else itemgetter(*order),
        tuple((name, at) for name, at in place.items() if name not in COLUMNS),
        place.get("status", 0),
        place.get("schema"),
        tuple(name for name, at in place.items() if SCHEMA.get(name) == any_number and types[at] is int),
    )


def _wrong(shape: Shape, names: tuple[str, ...], values: tuple[Any, ...], line: bytes) -> Wrong | None:
    """What is wrong with these values, which have the right types."""
    newer = shape.schema is not None and values[shape.schema] > MEANING
    if newer or values[shape.status] not in TIMED:
        given = {"schema": 1, **dict(zip(names, values, strict=True))}
        if found := unlawful(given):
            return found
    if not INFINITE.isdisjoint(values):
        column = next(name for name, value in zip(names, values, strict=True) if value in INFINITE)
        return column, "", f"be {SCHEMA.get(column, BEYOND)[1]}"
    for name in shape.whole:
        value = values[names.index(name)]
        if int(float(value)) != value:
            return name, "", f"be {SCHEMA[name][1]}"
    if b"\\" in line or not line.isascii():  # an escaped lone surrogate, or bytes that are not UTF-8
        for name, value in zip(names, values, strict=True):
            if not _is_text(name) or (isinstance(value, str) and not _is_text(value)):
                return name, "", "be text in UTF-8"
    return None


def _objects(
    file: Path, kind: str, decode: Callable[[str], Any], sort: type, told: Told, cut: Told
) -> Iterator[tuple[int, bytes, Any]]:
    """The number, bytes and object of each line; `cut` is called for a last line that was cut off."""
    rows = kind == "rows"
    # rows are decoded even where they are not UTF-8, so that the error can name the column
    errors, cure = ("surrogateescape", CURE) if rows else ("strict", DELETE)
    blank = []
    with file.open("rb") as opened:
        for number, line in enumerate(opened, 1):
            found, more = None, False
            try:
                found = decode(line.decode("utf-8", errors))
            except (ValueError, RecursionError) as error:
                more = str(error).startswith("Extra data")
            if isinstance(found, sort) and b"\r" not in line:
                yield number, line, found
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


def _whole(text: str) -> int | Literal:
    found = int(text) if len(text) < 20 + text.startswith("-") else 2**63
    return found if -(2**63) <= found < 2**63 else Literal(text)


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is not a JSON number")


_STRICT = json.JSONDecoder(object_pairs_hook=tuple, parse_int=_whole, parse_constant=Literal).decode
_LOOSE = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_no_number).decode


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _words(value: Any) -> str:
    """A value as JSON writes it, short enough for a sentence."""
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, list):
        return "a list"
    if isinstance(value, tuple):
        return "an object"
    text = value if isinstance(value, Literal) else repr(value)
    return text if len(text) <= 40 else f"{text[:40]} …"
