"""What the pages say of machines side by side: computed here once, so that a page only shows it."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from bench.report import prices as costs
from bench.report.hardware import groups, has, letters, machine, power, price
from bench.report.header import Records
from bench.report.means import HEADLINES, Mean, beyond, interval
from bench.report.overview import short
from bench.report.ratios import Comparison
from bench.report.states import differences
from bench.site.numbers import Values, short_number

TOLD = (
    "seconds", "rate", "relative", "backend", "contender", "mode", "device", "status", "bits", "dispatch",
    "per_watt", "per_price",
)  # fmt: skip


def hardware(found: Comparison, machines: Records) -> Values:
    """The states, the workloads and geometric means to the first state, and those of every pair of states."""
    places = range(len(found.states))
    return {
        "states": [
            {
                "name": name or state.machine,
                "machine": machine(state, machines),
                "runs": list(state.runs),
                "noise": short_number(noise.part) if noise else None,
                "cells": noise.cells if noise else 0,
                "power": power(found, place),
                "price": price(found, place),
                "currency": costs.of(found.prices, state.machine).currency,
                "differs": differences(found.states[found.base], state),
            }
            for place, (name, state, noise) in enumerate(
                zip(letters(found), found.states, found.noise, strict=True)
            )
        ],
        "base": found.base,
        "lines": [_line(rows) for rows in groups(found)],
        "means": [
            _mean(each, found.floor(found.base, each.state))
            for each in sorted(found.means(), key=lambda each: each.state)
            if each.n
        ],
        "pairs": {
            f"{one}-{other}": {
                "floor": short_number(found.floor(one, other)),
                "differs": differences(found.states[one], found.states[other]),
                "means": [
                    _mean(each, found.floor(one, other))
                    for each in found.pair(one, other)
                    if each.n and each.over == HEADLINES
                ],
            }
            for one in places
            for other in places
            if one != other
        },
    }


def _mean(mean: Mean, floor: float | None) -> Values:
    numbers = {name: short_number(value) for name, value in vars(mean).items()}
    return numbers | {"framework": short(mean.framework), "beyond": beyond(mean, floor)}


def _line(rows: Sequence[Mapping[str, Any]]) -> Values:
    """A workload of one framework, or of the best, in every state; None where a state lacks it."""
    first = rows[0]
    unit = next(row["unit"] for row in rows if has(row))
    return {
        **{name: first[name] for name in ("workload", "case", "direction", "dtype", "framework")},
        "unit": unit,
        "at": [{name: short_number(row[name]) for name in TOLD} if has(row) else None for row in rows],
    }


def multiples(workloads: Sequence[Values]) -> Values:
    """Each framework's time as a multiple of the fastest, over the workloads of a run that all of them timed.

    workloads: as `bench.site.run` makes them. What is bound by dispatch takes no part.
    """
    timed = [
        {each["backend"]: each for each in one["contenders"] if not each["dispatch"]} for one in workloads
    ]
    backends = list(dict.fromkeys(name for each in timed for name in each))
    shared = [
        (one, each)
        for one, each in zip(workloads, timed, strict=True)
        if backends and all(b in each for b in backends)
    ]
    lines = []
    for backend in backends if shared else ():
        logs = np.log([each[backend]["ratio"] for _, each in shared])
        middle, low, high = map(short_number, interval(logs, [one["case"] for one, _ in shared]))
        first = sum(one["contenders"][0]["backend"] == backend for one, _ in shared)
        lines.append({"backend": backend, "mean": middle, "low": low, "high": high, "first": first})
    return {"n": len(shared), "lines": sorted(lines, key=lambda each: each["mean"])}
