"""Pairwise options: every two values of two axes occur together, in far fewer than all combinations."""

import random
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

Place = tuple[str, int]  # the n-th value of an axis


def pairs(axes: Mapping[str, Sequence[Any]], *, seed: int = 0) -> dict[str, dict[str, Any]]:
    """Named options in which every two values of two axes occur together; the first value is the default.

    An option of defaults only is left out, because a case has it already. The choice is greedy; the seed
    breaks ties.
    """
    rng = random.Random(seed)
    places = [(axis, n) for axis, values in axes.items() for n in range(len(values))]
    met = {frozenset({one, two}) for one, two in combinations(places, 2) if one[1] == two[1] == 0}
    wanted = {frozenset({one, two}) for one, two in combinations(places, 2) if one[0] != two[0]} - met
    options = {}
    while wanted:
        first = min(wanted, key=lambda pair: sorted(map(places.index, pair)))
        chosen = dict(first)
        for axis in rng.sample(list(axes), len(axes)):
            if axis not in chosen:
                chosen[axis] = max(
                    rng.sample(range(len(axes[axis])), len(axes[axis])),
                    key=lambda n: sum(frozenset({(axis, n), other}) in wanted for other in chosen.items()),
                )
        wanted -= {frozenset(pair) for pair in combinations(chosen.items(), 2)}
        option = {axis: axes[axis][chosen[axis]] for axis in axes if chosen[axis]}
        options[name(option)] = option
    return options


def name(option: Mapping[str, Any]) -> str:
    """The name of an option, from what it sets: stride-2-padding-same-no-bias."""
    return "-".join(
        keyword if value is True else f"no-{keyword}" if value is False else f"{keyword}-{_word(value)}"
        for keyword, value in option.items()
    )


def _word(value: Any) -> str:
    return "x".join(map(_word, value)) if isinstance(value, tuple | list) else str(value)
