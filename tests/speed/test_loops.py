"""A loop calls with each set of arguments in turn, and returns the result of the last call."""

import pytest

from bench.backends import Bound
from bench.speed.loops import block


@pytest.mark.parametrize("arity", range(7))
def test_every_number_of_arguments_is_called_in_turn(arity):
    seen = []

    def call(*args):
        seen.append(args)
        return len(seen)

    bound = [Bound(call, tuple(range(n, n + arity))) for n in range(3)]
    assert block(bound, 5)() == 5
    assert seen == [bound[n].args for n in (1, 0, 2, 1, 0)]
