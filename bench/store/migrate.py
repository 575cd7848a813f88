"""Turns older rows into what rows mean now: columns that they lack are derived from those that they have."""

import math
from contextlib import suppress
from typing import TYPE_CHECKING

from bench.noise import precision
from bench.store.row import CELL, MEANING, row_id
from bench.store.source import split

if TYPE_CHECKING:
    from pandas import DataFrame, Series


def migrated(rows: "DataFrame") -> "DataFrame":
    """The rows, those of schema 1 with what schema 2 has; they keep the number that they were written with.

    Schema 1 lacks the bits that a cell lost, the ids of rows, and where the source of a Limit points. What a
    Limit explained and since when, and who was timed with whom, cannot be told later: it stays empty.
    """
    old = rows["schema"] < MEANING
    if not old.any():
        return rows
    older = rows[old]
    cells = older[list(CELL)].to_dict("records")
    rows.loc[old, "bits_lost"] = older["bits_lost"].fillna(lost(older))
    rows.loc[old, "row_id"] = [row_id(str(cell["run_id"]), cell) for cell in cells]
    rows.loc[old, "source_package"] = [str(each).partition(" ")[0] for each in older["versions"]]
    parts = {source: split(str(source)) for source in older["source"].drop_duplicates()}
    for place, name in enumerate(("source_path", "source_line", "source_issue")):
        rows.loc[old, name] = [parts[each][place] for each in older["source"]]
    return rows


def lost(rows: "DataFrame") -> "Series":
    """The bits of each cell's dtype that are not effective."""
    known = {dtype: significant(str(dtype)) or math.nan for dtype in rows["dtype"].drop_duplicates()}
    return rows["dtype"].map(known).astype(float) - rows["bits"]


def significant(dtype: str) -> int | None:
    """The significant bits of a dtype; None for one that only a later version has."""
    with suppress(Exception):
        return precision(dtype).bits
    return None
