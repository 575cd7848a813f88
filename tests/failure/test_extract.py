"""A function's source with everything that it needs from this project, in one file that runs alone."""

import math
from functools import cache, partial
from itertools import pairwise as pairs

import numpy as np
import pytest

from bench.failure import extract as extract_page
from bench.failure.extract import extract
from bench.tree import flatten
from tests import raising as page

TABLE = {"double": lambda x: 2 * x, "square": lambda x: x * x}
WIDTHS = (3, [4.5, "five"], None)
ARRAY = np.ones(3)
SEEN = []


def area(r, *, pi=math.pi, widths=WIDTHS):
    return pi * TABLE["square"](r), widths, list(pairs("abc")), flatten({"a": 1})


def made(name, factor):
    def area(x):
        return factor(x), name

    return area


def honest(n):
    area = n  # its own, not the one above
    return area if n < 2 else n * honest(n - 1)


def holds(x):
    return x + ARRAY


@cache
def slow(x):
    return SEEN.append(x) or x * x


def remembers(x):
    return slow(x) + slow(x), len(SEEN)


def through_a_page(api):
    return page.owner_of(api)


def run(function):
    text, name = extract(function)
    scope = {}
    exec(text, scope)  # as a file of its own
    return scope[name], text


@pytest.fixture(autouse=True)
def ours(monkeypatch):
    monkeypatch.setattr(extract_page, "HOUSE", ("bench", "tests"))


def test_a_cached_helper_stays_cached():
    assert run(remembers)[0](3) == (18, 1)


def test_a_function_takes_its_constants_and_helpers_with_it():
    found, text = run(area)
    assert found(2) == area(2)
    assert (
        "import bench" not in text and "from tests" not in text and "from itertools import pairwise" in text
    )


@pytest.mark.parametrize("factor", [TABLE["double"], partial(pow, 3), math.sqrt])
def test_a_closure_takes_what_it_closes_over_with_it(factor):
    function = made("a name", factor)
    assert run(function)[0](4) == function(4)


def test_lambdas_of_one_line_are_told_apart():
    assert run(TABLE["square"])[0](5) == 25 and run(TABLE["double"])[0](5) == 10


def test_a_partial_a_recursion_and_a_local_of_another_s_name_are_as_they_were():
    assert run(partial(honest, 4))[0]() == 24
    assert "def area" not in extract(honest)[0]


def test_another_page_comes_by_the_names_that_are_read():
    found, text = run(through_a_page)
    assert found("math.sqrt") == (math, "sqrt") and "def owner_of" in text and "def planted" not in text


def test_two_things_of_one_name_are_refused():
    with pytest.raises(ValueError, match="area: got two values with that name, should be one"):
        extract(made("one", made("two", len)))


def test_what_is_no_constant_is_refused():
    with pytest.raises(ValueError, match="got a ndarray, should be a constant or a function"):
        extract(holds)
