"""What a build and its run give, against what they should: a slip of their author in one sentence."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from bench.backends import Backend
from bench.case import Contender, Training, misfit
from bench.contender.layout import Layout
from bench.tree import Tree, flatten, tree_map

PLAIN = ("builtins", "numpy")  # of which no run is; a backend may take what it likes from its own builds
SHOULD = "should give (params, run), and ({}, run) where it has no weights"


def built(contender: Contender, given: Any) -> tuple[Tree, Any]:
    """The params and the run that a build gave. Raises TypeError for anything else."""
    if callable(given):
        raise TypeError(f"{contender}: its build gives a function alone, {SHOULD}")
    if not isinstance(given, tuple | list):
        raise TypeError(f"{contender}: its build gives a {_kind(given)}, {SHOULD}")
    if len(given) != 2:
        raise TypeError(f"{contender}: its build gives a {_kind(given)} of {len(given)}, {SHOULD}")
    params, run = given
    if not callable(run) and type(run).__module__ in PLAIN:
        raise TypeError(f"{contender}: its build gives a {_kind(run)} for run, should be a function")
    if callable(params):
        raise TypeError(f"{contender}: its build gives a function for params, {SHOULD}")
    for path, leaf in flatten(params).items():
        if not isinstance(leaf, np.ndarray | np.generic | int):
            at = f" at {path}" if path else ""
            got = f"params with a {_kind(leaf)}{at}"
            raise TypeError(f"{contender}: its build gives {got}, should have NumPy's arrays alone")
    return params, run


def trained(contender: Contender, given: Any) -> Training:
    """The training that a build gave. Raises TypeError for anything else."""
    if not isinstance(given, Training):
        raise TypeError(
            f"{contender}: its build gives a {_kind(given)}, should give a Training(params, state, step)"
        )
    step: Any = given.step
    live: Any = given.live
    if not callable(step):
        raise TypeError(f"{contender}: its Training has a {_kind(step)} for step, should be a function")
    if not (live is None or (isinstance(live, tuple | list) and len(live) == 2)):
        got = f"a {_kind(live)} for live"
        raise TypeError(f"{contender}: its Training has {got}, should be (model, optimizer)")
    return given


def named(contender: Contender, outputs: Any, cotangents: Mapping[str, Any]) -> None:
    """Raise TypeError or ValueError where what a run gave is no dict of these outputs."""
    right = ", ".join(cotangents) or "y"
    if not isinstance(outputs, Mapping):
        raise TypeError(
            f"{contender}: its run gives a {_kind(outputs)}, should give a dict of arrays by name: {right}"
        )
    for name in cotangents:
        if name not in outputs:
            got = ", ".join(map(str, outputs)) or "nothing"
            raise ValueError(f"{contender}: its run gives {got}, should give {right}")
        if isinstance(y := outputs[name], Mapping | tuple | list | None):
            raise TypeError(f"{contender}: its run gives {name} as a {_kind(y)}, should be an array")


def explain(
    contender: Contender,
    engine: Backend,
    run: Any,
    params: Tree,
    data: Any,
    cotangents: Any,
    wrt: Sequence[str] | None,
) -> None:
    """Raise what is wrong with what a run gives, where that can be told; for a call that has raised.

    It is called once more, as it is: neither compiled nor differentiated. `wrt` is None where no gradient
    was asked for.
    """
    if why := misfit(run, params, **data):
        raise TypeError(f"{contender}: its run: {why}, should take {', '.join(('params', *data))}")
    try:
        outputs = run(params, **data)
    except Exception:
        return  # and it has said so
    named(contender, outputs, cotangents)
    if fault := next(_unlike(engine, outputs, cotangents), ""):
        raise ValueError(f"{contender}: its run gives {fault}")
    if wrt is not None and (cut := _cut(engine, run, params, data, list(cotangents), wrt)):
        names = ", ".join(each.partition(".")[2] for each in cut)
        raise ValueError(f"{contender}: {detached(names)}")


def detached(names: str) -> str:
    """What is said of a gradient that does not arrive."""
    return (
        f"no gradient reaches {names}, should reach it: its run detaches what it computes "
        "(by detach, stop_gradient, or a way through NumPy)"
    )


def lost(
    engine: Backend,
    run: Any,
    params: Tree,
    data: Any,
    outputs: Sequence[str],
    wrt: Sequence[str],
    places: Layout,
) -> set[str]:
    """The gradients, by their names in the reference, that the framework itself has no path to."""
    cut = _cut(engine, run, params, data, outputs, wrt)
    if not cut:
        return set()
    paths = iter(flatten(params))
    marks = tree_map(
        lambda leaf: np.full(leaf.shape, float(f"params.{next(paths)}" in cut)), engine.get(params)
    )
    back = {path: bool(np.any(mark)) for path, mark in flatten(places.back(marks)).items()}
    return {path for path, gone in back.items() if gone} | {name for name in wrt if f"data.{name}" in cut}


def _cut(
    engine: Backend, run: Any, params: Tree, data: Any, outputs: Sequence[str], wrt: Sequence[str]
) -> list[str]:
    try:
        return engine.cut(run, params, data, outputs, wrt)
    except Exception:  # it is no finding that the framework could not be asked
        return []


def _unlike(engine: Backend, outputs: Mapping[str, Any], cotangents: Mapping[str, Any]) -> Iterator[str]:
    """What of the outputs is not as its cotangent."""
    for name, right in cotangents.items():
        got = outputs[name]
        if isinstance(got, np.ndarray | np.generic | int | float) and not isinstance(right, np.ndarray):
            yield f"{name} as a {_kind(got)}, should be an array of {engine.name}"
        elif (shape := getattr(got, "shape", None)) is not None and tuple(shape) != tuple(right.shape):
            yield f"{name} of shape {tuple(shape)}, should be {tuple(right.shape)}"
        elif shape is not None and (found := engine.get({name: got})[name].dtype.name) != engine.dtype:
            yield f"{name} in {found}, should be in {engine.dtype}"


def _kind(value: Any) -> str:
    """What it is, in the words of its framework."""
    kind = type(value)
    home = kind.__module__.partition(".")[0]
    return kind.__name__ if home == "builtins" else f"{home} {kind.__name__}"
