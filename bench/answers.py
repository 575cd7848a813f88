"""Calls the functions of a page, and checks what they give: a mistake of the author is told as one.

Each check raises TypeError or ValueError with a sentence that names the case, the function, what it gives and
what it should.
"""

import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from bench.backends import Absent
from bench.backends.numpy import named
from bench.case import Case, Option, known, misfit
from bench.tree import Tree, flatten, floating

FEW = 12  # names in a sentence
NOT_THEIRS = ("bench", "numpy", "scipy")  # the packages of a traceback that are not the author's
NUMBERS = "arrays of floats, integers or booleans"


def values(
    case: Case,
    option: Option,
    weights: Tree,
    data: Mapping[str, Any],
    cotangents: Mapping[str, Any],
    direction: str = "",
) -> dict[str, Tree]:
    """``{"forward": outputs, "gradient": by input}`` from the reference and its gradient, if it has one.

    With a `direction`, only that one.
    """
    assert case.reference is not None
    found: dict[str, Tree] = {}
    if direction != "gradient":
        found["forward"] = named(case.reference(**data, **weights, **known(case.reference, option)))
    if case.gradient is None or direction == "forward":
        return found
    cotangent = cotangents["y"] if set(cotangents) == {"y"} else cotangents
    return found | {"gradient": case.gradient(cotangent, **data, **weights, **known(case.gradient, option))}


@contextmanager
def calling(case: Case, what: str) -> Iterator[None]:
    """Raise ValueError for an error that an author's function raises, with its place in the author's code.

    Operations without a rounding rule, and what is absent here, are told by their own errors.
    """
    try:
        yield
    except (NotImplementedError, Absent):
        raise
    except Exception as error:
        if not (where := _place(error)):
            raise
        text = f"{type(error).__name__}: {' '.join(str(error).split())}".rstrip(": ")
        raise ValueError(f"case {case.name}: a call of its {what} raises {text} ({where})") from error


def _place(error: Exception) -> str:
    """The innermost function of the author in the traceback, with file and line; empty if there is none."""
    found = ""
    for frame, line in traceback.walk_tb(error.__traceback__):
        if str(frame.f_globals.get("__name__")).partition(".")[0] not in NOT_THEIRS:
            file = Path(frame.f_code.co_filename)
            found = f"in {frame.f_code.co_name}, {file.parent.name}/{file.name}, line {line}"
    return found


def pair(case: Case, given: Any) -> tuple[Tree, dict[str, Any]]:
    """The weights and data that a page's inputs gave."""
    should = "should give (weights, data), each a dict of arrays by name"
    if not (isinstance(given, tuple | list) and len(given) == 2):
        raise TypeError(f"case {case.name}: its inputs give {_kind(given)}, {should}")
    for what, part in zip(("weights", "data"), given, strict=True):
        if not isinstance(part, Mapping):
            raise TypeError(f"case {case.name}: its inputs give {_kind(part)} for {what}, {should}")
    weights, data = given
    if twice := weights.keys() & data.keys():
        raise ValueError(f"case {case.name}: its inputs give {min(twice)} as a weight and as data, {should}")
    for path, leaf in {**flatten(weights), **data}.items():
        if not _is_array(leaf):
            right = f"NumPy's {NUMBERS}"
            raise TypeError(f"case {case.name}: its inputs give {_of(leaf)} for {path}, should give {right}")
        if np.isnan(leaf).any():
            raise ValueError(f"case {case.name}: its inputs give NaN in {path}, should give numbers")
    return weights, dict(data)


def outputs(case: Case, exact: Mapping[str, Any], option: Option) -> dict[str, Any]:
    """The reference's outputs by name."""
    assert case.reference is not None
    option = known(case.reference, option)
    if why := misfit(case.reference, **exact, **option):
        raise TypeError(f"case {case.name}: reference: {why}, should take what inputs give: {_list(exact)}")
    with calling(case, "reference"):
        found = named(case.reference(**exact, **option))
    where, should = (
        f"case {case.name}: its reference gives",
        "should give an array of numbers, or a dict of arrays",
    )
    for path, y in _leaves(found, branches=Mapping):
        if not _is_array(y):
            raise TypeError(f"{where} {_of(y)} for {path}, {should}")
    if not flatten(found):
        raise ValueError(f"{where} no array, {should}")
    if odd := [name for name in found if not isinstance(name, str)]:
        raise TypeError(f"{where} an output with the name {odd[0]!r}, should give names that are texts")
    return found


def differentiate(case: Case, exact: Mapping[str, Any], cotangents: Any, option: Option) -> None:
    """Check that the gradient gives an array like each input that has one."""
    if case.gradient is None:
        return
    where = f"case {case.name}: its gradient"
    if not cotangents:
        raise ValueError(f"{where} is of no floating output, should be left out, or inputs draw floats")
    cotangent = cotangents["y"] if set(cotangents) == {"y"} else cotangents
    option = known(case.gradient, option)
    if why := misfit(case.gradient, cotangent, **exact, **option):
        raise TypeError(f"{where}: {why}, should take a cotangent and what inputs give: {_list(exact)}")
    with calling(case, "gradient"):
        found = case.gradient(cotangent, **exact, **option)
    right = {
        path: leaf
        for path, leaf in flatten(exact).items()
        if floating(leaf) and path.partition(".")[0] not in case.fixed
    }
    should = f"should give a dict of arrays by name: {_list(right)}"
    if not isinstance(found, Mapping):
        raise TypeError(f"{where} gives {_kind(found)}, {should}")
    _like(f"{where} gives", dict(found), right, should)


def started(case: Case, weights: Tree, option: Option) -> Tree:
    """The state in which a training starts."""
    assert case.start is not None
    option = known(case.start, option)
    if why := misfit(case.start, weights, **option):
        raise TypeError(f"case {case.name}: start: {why}, should take the weights and keywords of an option")
    with calling(case, "start"):
        return case.start(weights, **option)


def stepped(
    case: Case, weights: Tree, state: Tree, batch: Mapping[str, Any], option: Option
) -> tuple[Tree, Tree]:
    """The weights and state after a step of a training."""
    assert case.step is not None
    option, where = known(case.step, option), f"case {case.name}: its step gives"
    if why := misfit(case.step, weights, state, **batch, **option):
        should = f"should take weights, state and what inputs give: {_list(batch)}"
        raise TypeError(f"case {case.name}: step: {why}, {should}")
    with calling(case, "step"):
        found = case.step(weights, state, **batch, **option)
    should = "should give (weights, state, loss)"
    if not (isinstance(found, tuple | list) and len(found) == 3):
        many = f" of {len(found)}" if isinstance(found, tuple | list) else ""
        raise TypeError(f"{where} {_kind(found)}{many}, {should}")
    for what, after, before in (("weights", found[0], weights), ("state", found[1], state)):
        _like(where, after, before, f"should give {what} like those before the step", f"{what}.")
    if not (isinstance(found[2], float) or (_is_array(found[2]) and np.shape(found[2]) == ())):
        shape = f" of shape {np.shape(found[2])}" if np.shape(found[2]) else ""
        raise TypeError(f"{where} {_of(found[2])}{shape} for the loss, should give a number")
    return found[0], found[1]


def _like(where: str, found: Tree, right: Tree, should: str, prefix: str = "") -> None:
    """Raise an error unless both have arrays of the same names and shapes, or alike counters."""
    got, wanted = dict(_leaves(found)), dict(_leaves(right))
    for path, leaf in got.items():
        if not _is_array(leaf) and type(leaf) is not type(wanted.get(path)):
            raise TypeError(f"{where} {_of(leaf)} for {prefix}{path}, {should}")
    if set(got) != set(wanted):
        listed = _list({f"{prefix}{path}": leaf for path, leaf in got.items()})
        raise ValueError(f"{where} {listed}, {should}")
    for path, leaf in got.items():
        if np.shape(leaf) != np.shape(wanted[path]):
            shapes = f"of shape {np.shape(leaf)}, should be {np.shape(wanted[path])}"
            raise ValueError(f"{where} {prefix}{path} {shapes}")


def _leaves(tree: Tree, path: str = "", branches: Any = Mapping | list | tuple) -> Iterator[tuple[str, Any]]:
    """The leaves by dotted path, as of `flatten`, which leaves None out, and this does not."""
    if not isinstance(tree, branches):
        yield path, tree
        return
    names = tree if isinstance(tree, Mapping) else getattr(tree, "_fields", range(len(tree)))
    values = tree.values() if isinstance(tree, Mapping) else tree
    for name, branch in zip(names, values, strict=True):
        yield from _leaves(branch, f"{path}.{name}" if path else str(name), branches)


def _is_array(leaf: Any) -> bool:
    return isinstance(leaf, np.ndarray | np.generic) and leaf.dtype.kind in "fiub"


def _of(leaf: Any) -> str:
    return f"an array of {leaf.dtype}" if isinstance(leaf, np.ndarray) else _kind(leaf)


def _list(names: Mapping[str, Any]) -> str:
    listed, more = list(map(str, names))[:FEW], len(names) - FEW
    return ", ".join([*listed, *([f"{more} more"] if more > 0 else [])]) or "nothing"


def _kind(value: Any) -> str:
    return "nothing" if value is None else f"a {type(value).__name__}"
