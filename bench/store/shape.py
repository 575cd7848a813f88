"""Decodes a line of a rows file, and says what is wrong with it.

A quick decoder reads it, which hides some faults; where one may be hidden, a strict one reads again.
"""

import json
import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields
from functools import lru_cache
from operator import itemgetter
from types import NoneType
from typing import Any, NamedTuple

import orjson

from bench.store.row import COLUMNS, EDITIONS, MEANING, SPEEDS, STATUSES, TIMED, Row, unlawful

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
EXACT = 2**53  # below it both readers give the same number, and a float holds every whole one
SHAPES = 4096  # that are kept; the rows of a run have some dozens

Wrong = tuple[str, str, str]  # a column, what it holds (empty text means its value), and what it should be


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
    timed: bool  # whether it has a speed
    colons: int  # between names and values, and in names
    texts: Callable[[tuple[Any, ...]], Iterable[str]]  # the values that are text
    numbers: Callable[[tuple[Any, ...]], Iterable[float]]  # and those that are numbers


def decoded(line: bytes) -> Any:
    """The values of the object in a line, their shape, and what is wrong with them; else what is there.

    Raises ValueError or RecursionError for what is no JSON.
    """
    try:
        found = orjson.loads(line)
    except orjson.JSONDecodeError:
        found = None
    if isinstance(found, dict):
        names, values = tuple(found), tuple(found.values())
        shape = _shape(names, tuple(map(type, values)))
        if _plain(shape, values, line):
            return values, shape, None
    # decoded even where it is not UTF-8, so that the error can name the column
    found = _STRICT(line.decode("utf-8", "surrogateescape"))
    if not isinstance(found, tuple):
        return found
    names, values = zip(*found, strict=True) if found else ((), ())
    shape = _shape(names, tuple(map(type, values)))
    if not (wrong := shape.wrong or _wrong(shape, names, values, line)):
        return values, shape, None
    column, got, should = wrong
    got = got or _words(values[names.index(column)])
    named = column if column.isidentifier() and len(column) < 40 else _words(column)
    return values, shape, (named, got, should)


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


def _plain(shape: Shape, values: tuple[Any, ...], line: bytes) -> bool:
    """Whether values that the quick reader gives, which takes the last of equal names, are a valid row.

    Each pair has a colon, so that one more than names and texts account for is of a name that is there twice.
    """
    if shape.wrong:
        return False
    status, numbers = values[shape.status], shape.numbers(values)
    return (
        (status in TIMED or (status in STATUSES and not shape.timed))
        and (shape.schema is None or values[shape.schema] <= MEANING)
        and min(numbers, default=0) > -EXACT
        and max(numbers, default=0) < EXACT
        and line.count(b":") == shape.colons + "".join(shape.texts(values)).count(":")
        and b"\\u003" not in line  # a colon of a text may be written so
    )


@lru_cache(SHAPES)
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
        any(types[place[name]] is not NoneType for name in SPEEDS if name in place),
        len(names) + "".join(names).count(":"),
        _picked([at for at, kind in enumerate(types) if kind is str]),
        _picked([at for at, kind in enumerate(types) if kind in (int, float)]),
    )


def _picked(places: Sequence[int]) -> Callable[[tuple[Any, ...]], Iterable[Any]]:
    return itemgetter(*places) if len(places) > 1 else lambda values: [values[at] for at in places]


def _whole(text: str) -> int | Literal:
    found = int(text) if len(text) < 20 + text.startswith("-") else 2**63
    return found if -(2**63) <= found < 2**63 else Literal(text)


_STRICT = json.JSONDecoder(object_pairs_hook=tuple, parse_int=_whole, parse_constant=Literal).decode


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
