"""What every view of the pages needs: the runs, the formulas, and what departs over all runs."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from bench import pages
from bench.digits import magnitude
from bench.report.formulas import about
from bench.report.frames import DEPARTURE
from bench.report.frames import departures as found_off
from bench.report.overview import BACKENDS, DTYPES, FAILED, WORST, ordered, short, significant
from bench.site.links import links
from bench.site.numbers import Values, short_number
from bench.store.row import STATUSES, TIMED

if TYPE_CHECKING:
    from pandas import DataFrame


def index(runs: Sequence[Values], rows: "DataFrame", told: Mapping[str, Values]) -> Values:
    """What the index holds.

    runs: as `bench.site.run.about` tells them, the newest first. Each has its formulas by place here.
    rows: those that depart, of all runs. told: what the runs say of formulas that no page here has.
    """
    formulas = ordered(_names(each["formulas"] for each in runs), list(pages.cases()))
    place = {name: number for number, name in enumerate(formulas)}
    backends = ordered(_names(each["backends"] for each in runs), BACKENDS)
    dtypes = ordered(_names(each["dtypes"] for each in runs), DTYPES)
    return {
        "statuses": STATUSES,
        "timed": list(TIMED),
        "worst": list(WORST),
        "failed": list(FAILED),
        "backends": [{"name": each, "shown": short(each)} for each in backends],
        "dtypes": dtypes,
        "bits": {each: significant(each) for each in dtypes},
        "runs": [each | {"formulas": [place[name] for name in each["formulas"]]} for each in runs],
        "formulas": [
            {"name": each, **(about(each) if each in pages.cases() else told.get(each, about(each)))}
            for each in formulas
        ],
        "departures": departures(rows, [str(each["id"]) for each in runs]),
    }


def _names(several: Iterable[Sequence[str]]) -> list[str]:
    return list(dict.fromkeys(name for names in several for name in names))


def departures(rows: "DataFrame", runs: Sequence[str]) -> list[Values]:
    """What departs, once each over all runs: first what is wrong beyond its limit, then known departures."""
    by = [name for name in DEPARTURE if name != "run_id"]
    return [
        _departure(row, runs) for row in found_off(rows[rows["status"] != "imprecise"], by).to_dict("records")
    ]


def _departure(row: Mapping[str, Any], runs: Sequence[str]) -> Values:
    low, high = magnitude(row["z_low"]), magnitude(row["z_high"])
    known = row["status"] == "limited"
    told = ("status", "case", "backend", "why", "since", "source", "versions")
    return {
        **{name: str(row[name]) for name in told},
        "of": row["limit"] if known else row["contender"],
        "links": [list(each) for each in links(row["source"], row["versions"])] if known else [],
        "cells": row["cells"],
        "lost": short_number(row["bits_lost"]),
        "off": low if low == high else f"{low} to {high}",
        "example": row["cell"],
        "run": runs.index(str(row["run_id"])),
    }
