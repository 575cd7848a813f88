"""Every two values of two axes meet in an option, and in few of them."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.cells.pairwise import name, pairs

AXES = {"stride": (1, 2, (2, 1)), "padding": (0, "same"), "groups": (1, 2), "bias": (True, False)}


def unmet(axes, options):
    """The pairs of values of two axes that no option has."""
    whole = [{axis: option.get(axis, axes[axis][0]) for axis in axes} for option in options]
    return [
        (one, a, two, b)
        for one, two in combinations(axes, 2)
        for a in axes[one]
        for b in axes[two]
        if not any(option[one] == a and option[two] == b for option in whole)
    ]


@given(st.lists(st.integers(1, 4), min_size=2, max_size=6), st.integers(0, 3))
def test_every_two_values_of_two_axes_meet(lengths, seed):
    axes = {f"axis{k}": tuple(range(length)) for k, length in enumerate(lengths)}
    options = pairs(axes, seed=seed)
    assert not unmet(axes, [{}, *options.values()])
    most = sorted(lengths)[-2:]
    assert len(options) <= 3 * most[0] * most[1]


def test_the_options_are_far_fewer_than_all_combinations_and_always_the_same():
    options = pairs(AXES)
    assert len(options) < 9 < 3 * 2 * 2 * 2
    assert options == pairs(AXES)
    assert not unmet(AXES, [{}, *options.values()])


def test_the_check_sees_a_pair_that_is_missing():
    options = pairs(AXES)
    assert all(unmet(AXES, [{}, *(options[each] for each in options if each != gone)]) for gone in options)


def test_an_option_sets_only_what_departs_from_the_defaults():
    assert {} not in pairs(AXES).values()
    assert all(option.get(axis) != AXES[axis][0] for option in pairs(AXES).values() for axis in AXES)


@pytest.mark.parametrize(
    ("option", "text"),
    [
        ({"stride": (2, 1), "padding": "same"}, "stride-2x1-padding-same"),
        ({"bias": False, "causal": True}, "no-bias-causal"),
    ],
)
def test_a_name_says_what_is_set(option, text):
    assert name(option) == text
