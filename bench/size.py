"""Sizes: either a name on the page, or spelled out as ``batch:1+kernel:3.2``, as exploring finds them."""

import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from bench import pages
from bench.case import Case, Headline

CORPUS = "corpus.txt"
SPELLED = r"\w+:\d+(\.\d+)*(\+\w+:\d+(\.\d+)*)*"


def dims(case: Case, size: str) -> dict[str, Any]:
    """The dimensions of a size; raises ValueError if it is neither a name on the page nor spelled out."""
    if size in case.sizes:
        return dict(case.sizes[size])
    found = dict(map(_dimension, size.split("+"))) if is_spelled(size) else {}
    if set(found) != set(first(case)):
        known = f"{', '.join(case.sizes)}, or spelled out as {spelled(first(case))}"
        raise ValueError(f"size of {case.name}: got {size!r}, should be one of {known}")
    return found


def varied(case: Case, headline: Headline, changed: Mapping[str, Any]) -> str:
    """The size of a headline with some dimensions changed; without changes its name."""
    return spelled({**case.sizes[headline.size], **changed}) if changed else headline.size


def growth(case: Case, headline: Headline) -> list[str]:
    """The sizes of the curve of time over size, with the headline's own; in order of the formula's work."""
    found = [varied(case, headline, changed) for changed in (*headline.growth, {})]
    option = case.options[headline.option or next(iter(case.options))]
    return sorted(found, key=lambda size: float(case.flops(**dims(case, size), **option)))


def headline(case: Case, size: str) -> Headline | None:
    """The headline that has this size, on a CPU, on a GPU or in its growth; None if none has."""
    for each in case.headlines:
        if size in (each.size, *(varied(case, each, some) for some in (*each.growth, each.gpu))):
            return each
    return None


def main(case: Case, headline: Headline) -> str:
    """The direction of a headline that a default run times."""
    return headline.direction or case.directions[-1]


def on(case: Case, headline: Headline, device: str, direction: str) -> str:
    """The size of a headline on that kind of device, in that direction.

    A GPU gets the larger one where each example has outputs of its own, so that the spreads of the smaller
    size hold; a sum over more examples has others, which take hours to derive.
    """
    larger = device != "cpu" and direction == "forward"
    return varied(case, headline, headline.gpu) if larger else headline.size


def is_spelled(size: str) -> bool:
    """Whether a size spells out its dimensions, and is not a name."""
    return bool(re.fullmatch(SPELLED, size))


def spelled(found: Mapping[str, Any]) -> str:
    """Dimensions as a name, in characters that pytest's -k accepts."""
    sides = {name: value if isinstance(value, tuple) else (value,) for name, value in found.items()}
    return "+".join(f"{name}:{'.'.join(map(str, value))}" for name, value in sides.items())


def _dimension(text: str) -> tuple[str, Any]:
    name, _, sides = text.partition(":")
    found = tuple(map(int, sides.split(".")))
    return name, found if len(found) > 1 else found[0]


def first(case: Case) -> Mapping[str, Any]:
    """The dimensions of the case's first size."""
    return next(iter(case.sizes.values()))


Find = tuple[str, str, str, str]  # case, option, regime, size


def corpus(case: Case) -> list[tuple[str, str, str]]:
    """The options, regimes and sizes in suites/corpus.txt, on which exploring found failures.

    Every --full run includes them.
    """
    return [(option, regime, size) for name, option, regime, size in _kept() if name == case.name]


def keep(found: Iterable[Find]) -> Path:
    """Add finds to the corpus."""
    lines = ["/".join(each) for each in dict.fromkeys((*_kept(), *found))]
    _file().write_text("".join(f"{line}\n" for line in sorted(lines)), encoding="utf-8")
    _kept.cache_clear()
    return _file()


def _file() -> Path:
    return pages.folder() / CORPUS


@cache
def _kept() -> tuple[Find, ...]:
    lines = _file().read_text(encoding="utf-8").splitlines() if _file().exists() else []
    places = (line.split("/") for line in lines)
    return tuple((name, option, regime, size) for name, option, regime, size in places)
