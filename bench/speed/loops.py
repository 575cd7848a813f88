"""Hand-written loops, one per number of arguments: `call(*args)` would add about 30 ns per call."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

Block = Callable[[], Any]  # runs a block, and returns the result of its last call


def turns(bound: Sequence[Any], calls: int) -> list[Any]:
    """The bound calls in rotation, `calls` in all, so that the last one is the first bound call."""
    return [bound[(calls - 1 - n) % len(bound)] for n in range(calls)]


def block(bound: Sequence[Any], calls: int, end: Any = None) -> Block:
    """A loop of `calls` calls in rotation, of which `end` is the last, by default the first bound call."""
    each_turn = [*turns(bound, calls)[:-1], end or bound[0]]
    first = bound[0].call
    if all(each.call is first for each in each_turn):
        rows = [each.args for each in each_turn]
        loop = LOOPS.get(len(rows[0]), many)
        return lambda: loop(first, rows)
    once = [each.once for each in each_turn]
    return lambda: several(once)


def none(call: Callable[..., Any], rows: Iterable[Any]) -> Any:
    for _ in rows:
        result = call()
    return result


def two(call: Callable[..., Any], rows: Iterable[Any]) -> Any:
    for a, b in rows:
        result = call(a, b)
    return result


def three(call: Callable[..., Any], rows: Iterable[Any]) -> Any:
    for a, b, c in rows:
        result = call(a, b, c)
    return result


def four(call: Callable[..., Any], rows: Iterable[Any]) -> Any:
    for a, b, c, d in rows:
        result = call(a, b, c, d)
    return result


def many(call: Callable[..., Any], rows: Iterable[Any]) -> Any:
    for args in rows:
        result = call(*args)
    return result


def several(calls: Iterable[Callable[[], Any]]) -> Any:
    for each in calls:
        result = each()
    return result


LOOPS = {0: none, 2: two, 3: three, 4: four}
