"""Spreads that are derived once and carried with the pages: suites/spreads/.

At the size of a headline a derivation takes up to minutes, and what it finds is small: what the elements of
each tensor share (`bench.tolerance.shared`), and the few that rounding never moves or that hang on a choice.
So `gaugeblock derive --headlines` writes it to a file beside the pages, with a hash of the code that it comes
from. A run takes it from there and needs one run of the reference for the values; if the code has changed, it
derives them again.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from bench import noise, pages
from bench.tolerance.shared import KEYS, Array, Effect, Shared, fit, judged
from bench.tolerance.spread import Expected, Part, parts, scaled
from bench.tree import Tree

FOLDER = "spreads"
ALL, NONZERO, NONE, SOME = "all", "nonzero", "none", "some"  # the elements that rounding moves


@dataclass(frozen=True)
class Carried:
    """How far rounding may move the elements of one tensor, without their values.

    sigma, sigma1: see `bench.tolerance.spread.Expected`, here squared.
    moved: which elements rounding moves: all, those that are not zero, none, or some, which `bits` packs.
    jump: the largest change by undecided choices, or None if there is none.
    """

    sigma: Shared
    sigma1: Shared
    moved: str
    bits: NDArray[np.uint8]
    jump: Array | None
    scatter: float
    undecided: int

    def expected(self, value: Array) -> Expected:
        """With the values of the elements."""
        shape, none = value.shape, np.zeros((1,) * value.ndim)
        if self.moved == NONE:
            zero = np.broadcast_to(none, shape)
            sigma, sigma1 = zero, zero
        else:
            sigma, sigma1 = np.sqrt(self.sigma.at(value)), np.sqrt(self.sigma1.at(value))
            if self.moved == NONZERO:
                sigma[value == 0] = sigma1[value == 0] = 0
            elif self.moved == SOME and self.bits.size == -(-value.size // 8):
                still = np.unpackbits(self.bits, count=value.size).reshape(shape) == 0
                sigma[still] = sigma1[still] = 0
        jump = np.broadcast_to(none, shape)
        if self.jump is not None and self.jump.shape == shape:
            jump = self.jump
        draws = min(self.sigma.draws, noise.FULL)
        return Expected(value, sigma, sigma1, jump, self.scatter, self.undecided, draws)


MANY = 2**22  # elements, whose bits need no effects of places
SLIGHT = 0.1  # of the spread: a jump that is smaller is left out, since a limit is many spreads wide
FURTHER = 2.0  # the widest of 30 draws is further off than that of a few, relative to all of them


def few(function: Callable[..., Tree], trees: tuple[Tree, ...], **how: Any) -> dict[str, Carried]:
    """What elements share, by path, from few draws: see `bench.tolerance.spread.spread`."""
    found, _, rounding = parts(function, trees, few=True, **how)
    return {path: _shared(part, rounding) for path, part in found.items()}


def _shared(part: Part, rounding: noise.Rounding) -> Carried:
    sigma, value, layout = part.sigma, part.value, rounding.layout
    if not (np.isfinite(sigma).all() and np.isfinite(value).all()):
        raise ValueError("a spread is not finite, should be for a headline; choose other inputs")
    widest = part.draws.max() / noise.rms(part.draws) if part.draws.any() else 1.0
    thirds = [np.square(scaled(each, value, rounding)) for each in part.thirds]
    one = fit(np.square(part.sigma1 / rounding.u), value, layout.exact_sums)
    return Carried(
        judged(thirds, value, np.square(part.draws)),
        one if value.size <= MANY else replace(one, effects=()),
        *which(sigma > 0, value),
        jump if (jump := np.where(part.jump > SLIGHT * sigma, part.jump, 0)).any() else None,
        1 + FURTHER * (float(widest) - 1),
        part.undecided,
    )


def which(moved: NDArray[np.bool_], value: Array) -> tuple[str, NDArray[np.uint8]]:
    """Which elements rounding moves, in a word, and packed if there is no word for them."""
    empty = np.zeros(0, dtype=np.uint8)
    if moved.all():
        return ALL, empty
    if not moved.any():
        return NONE, empty
    if np.array_equal(moved, value != 0):
        return NONZERO, empty
    return SOME, np.packbits(moved.ravel())


def file(place: str, direction: str, number: int) -> Path:
    """The file with the spreads of a cell's place and direction, for a set of inputs."""
    words = (*place.split("/"), direction or "training", str(number))
    return pages.folder() / FOLDER / f"{'-'.join(words)}.npz"


def save(path: Path, key: str, found: Mapping[str, Carried]) -> None:
    """Write the spreads, with the key of the code that they come from."""
    arrays: dict[str, NDArray[Any]] = {}
    listed = {}
    for number, (name, one) in enumerate(found.items()):
        for which_, part in (("sigma", one.sigma), ("sigma1", one.sigma1)):
            changes = np.flatnonzero(np.diff(part.variances, prepend=np.nan) != 0)
            arrays[f"{number}/{which_}/starts"] = changes.astype(np.int16)
            arrays[f"{number}/{which_}/variances"] = part.variances[changes]
            for place, effect in enumerate(part.effects):
                arrays[f"{number}/{which_}/{place}"] = _packed(effect.factors)
        if one.bits.size:
            arrays[f"{number}/bits"] = one.bits
        if one.jump is not None:
            jumps = one.jump.ravel()
            arrays[f"{number}/at"] = np.packbits(jumps > 0)
            arrays[f"{number}/jump"] = jumps[jumps > 0].astype(np.float32)
            arrays[f"{number}/shape"] = np.array(one.jump.shape)
        listed[name] = {
            "moved": one.moved, "scatter": one.scatter, "undecided": one.undecided,
            "shared": [
                {"axes": [each.axes for each in part.effects], "top": part.top, "draws": part.draws}
                for part in (one.sigma, one.sigma1)
            ],
        }  # fmt: skip
    path.parent.mkdir(exist_ok=True)
    arrays |= {"key": np.array(key), "listed": np.array(json.dumps(listed))}
    partial = path.with_name(f"{path.stem}.{uuid4().hex}.part.npz")
    try:
        np.savez_compressed(partial, **arrays)  # type: ignore[arg-type]  # of names to arrays
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


STEPS = 16  # of a factor in an octave: more digits say nothing, and would make files eight times larger


def _packed(factors: Array) -> NDArray[np.int8]:
    """Logarithms of factors in steps of 4 %, which move a spread by 1 % at most."""
    most = np.iinfo(np.int8).max
    return np.clip(np.rint(STEPS * np.log2(np.maximum(factors, 2.0**-64))), -most, most).astype(np.int8)


def load(path: Path, key: str) -> dict[str, Carried] | None:
    """The spreads of a file; None if it is missing, damaged, or comes from other code than this key's."""
    try:
        # np.load would leave a truncated file open
        with path.open("rb") as file, np.load(file, allow_pickle=False) as members:
            if str(members["key"]) != key:
                return None
            listed = json.loads(str(members["listed"]))
            return {name: _carried(members, number, one) for number, (name, one) in enumerate(listed.items())}
    except Exception:  # zipfile and NumPy raise many kinds of errors for a damaged file
        return None


def _carried(members: Mapping[str, Any], number: int, one: Mapping[str, Any]) -> Carried:
    found = []
    for which_, part in zip(("sigma", "sigma1"), one["shared"], strict=True):
        starts = members[f"{number}/{which_}/starts"].astype(np.int64)
        variances = np.repeat(members[f"{number}/{which_}/variances"], np.diff([*starts, KEYS]))
        effects = [
            Effect(tuple(axes), 2.0 ** (members[f"{number}/{which_}/{place}"] / STEPS))
            for place, axes in enumerate(part["axes"])
        ]
        found.append(Shared(variances, effects, int(part["top"]), int(part["draws"])))
    jump, bits = None, np.zeros(0, dtype=np.uint8)
    if f"{number}/jump" in members:
        jump = np.zeros(members[f"{number}/shape"])
        there = np.unpackbits(members[f"{number}/at"], count=jump.size).astype(bool)
        jump.ravel()[there] = members[f"{number}/jump"]
    if f"{number}/bits" in members:
        bits = members[f"{number}/bits"]
    sigma, sigma1 = found
    scatter, undecided = float(one["scatter"]), int(one["undecided"])
    return Carried(sigma, sigma1, str(one["moved"]), bits, jump, scatter, undecided)
