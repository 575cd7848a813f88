"""Check what a build and its run return, and explain an author's mistake in one sentence."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from bench.backends import Backend
from bench.case import Contender, Training, misfit
from bench.contender.layout import Layout
from bench.tree import Tree, flatten, floating, tree_map

PLAIN = ("builtins", "numpy")  # types that are not a run; any other may be one of a backend's own
SHOULD = "should return (params, run), or ({}, run) without weights"


class Unlike(ValueError):
    """What is not comparable with the reference: another shape or dtype, or a state that it does not have."""


def built(contender: Contender, given: Any) -> tuple[Tree, Any]:
    """The params and run that a build returned. Raises TypeError if it returned anything else."""
    if callable(given):
        raise TypeError(f"{contender}: its build returns only a function, {SHOULD}")
    if not isinstance(given, tuple | list):
        raise TypeError(f"{contender}: its build returns a {_kind(given)}, {SHOULD}")
    if len(given) != 2:
        raise TypeError(f"{contender}: its build returns a {_kind(given)} of {len(given)}, {SHOULD}")
    params, run = given
    if not callable(run) and type(run).__module__ in PLAIN:
        raise TypeError(f"{contender}: its build returns a {_kind(run)} for run, should be a function")
    if callable(params):
        raise TypeError(f"{contender}: its build returns a function for params, {SHOULD}")
    for path, leaf in flatten(params).items():
        if not isinstance(leaf, np.ndarray | np.generic | int):
            at = f" at {path}" if path else ""
            got = f"params with a {_kind(leaf)}{at}"
            raise TypeError(f"{contender}: its build returns {got}, should be NumPy arrays only")
    return params, run


def trained(contender: Contender, given: Any) -> Training:
    """The Training that a build returned. Raises TypeError if it returned anything else."""
    if not isinstance(given, Training):
        raise TypeError(
            f"{contender}: its build returns a {_kind(given)}, should return a Training(params, state, step)"
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
    """Raise TypeError or ValueError if a run did not return a dict of these outputs."""
    right = ", ".join(cotangents) or "y"
    if not isinstance(outputs, Mapping):
        raise TypeError(
            f"{contender}: its run returns a {_kind(outputs)}, should be a dict of arrays by name: {right}"
        )
    for name in cotangents:
        if name not in outputs:
            got = ", ".join(map(str, outputs)) or "nothing"
            raise ValueError(f"{contender}: its run returns {got}, should return {right}")
    for name, y in outputs.items():
        if _is_plain(y):
            raise TypeError(f"{contender}: its run returns {name} as a {_kind(y)}, should be an array")


def scalar(contender: Contender, loss: Any, engine: Backend) -> np.ndarray:
    """The loss that a step returned. Raises TypeError or ValueError if it is not one number as an array."""
    if _is_plain(loss):
        raise TypeError(f"{contender}: its step returns a {_kind(loss)} for the loss, should be an array")
    if (found := np.asarray(engine.get(loss))).shape:
        raise ValueError(f"{contender}: its step returns a loss of shape {found.shape}, should be ()")
    return found


def kept(contender: Contender, read: Tree, built: Tree) -> None:
    """Raise ValueError unless the params and state after a step have the arrays that the build returned."""
    found = flatten(read)
    for path, right in flatten(built).items():
        if not floating(right):
            continue
        head, _, rest = path.partition(".")
        name = f"{('params', 'state')[int(head)]}.{rest}".rstrip(".")
        if path not in found:
            raise ValueError(f"{contender}: {name} is gone after a step, should be an array as before it")
        if (shape := np.shape(found[path])) != right.shape:
            raise ValueError(f"{contender}: {name} has shape {shape} after a step, should be {right.shape}")


def explain(
    contender: Contender,
    engine: Backend,
    run: Any,
    params: Tree,
    data: Any,
    cotangents: Any,
    wrt: Sequence[str] | None,
) -> None:
    """Raise TypeError or ValueError with the mistake in a run whose compiled or differentiated call raised.

    Calls it again without compilation and autodiff, and returns if it finds no mistake. `wrt` is None if no
    gradient was needed.
    """
    if callable(run) and (why := misfit(run, params, **data)):
        raise TypeError(f"{contender}: its run: {why}, should take {', '.join(('params', *data))}")
    try:
        outputs = run(params, **data)
    except Exception:
        return  # its own error is the explanation
    named(contender, outputs, cotangents)
    if wrt is not None and (fault := next(_unlike(engine, outputs, cotangents), "")):
        raise Unlike(f"{contender}: its run returns {fault}")
    if wrt is not None and (cut := _cut(engine, run, params, data, list(cotangents), wrt)):
        names = ", ".join(each.partition(".")[2] for each in cut)
        raise ValueError(f"{contender}: {detached(names)}")


def detached(names: str) -> str:
    """The sentence for inputs that get no gradient."""
    return (
        f"no gradient reaches {names}, should reach it; its run detaches a value "
        "(with detach or stop_gradient, or through NumPy)"
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
    """The inputs, by their names in the reference, that no gradient of the framework can reach."""
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
    except Exception:  # a framework that cannot tell is not a mistake of the author
        return []


def _unlike(engine: Backend, outputs: Mapping[str, Any], cotangents: Mapping[str, Any]) -> Iterator[str]:
    """Each output whose type, shape or dtype differs from its cotangent's, with what it should be."""
    for name, right in cotangents.items():
        got = outputs[name]
        if isinstance(got, np.ndarray | np.generic | int | float) and not isinstance(right, np.ndarray):
            yield f"{name} as a {_kind(got)}, should be an array of {engine.name}"
        elif (shape := getattr(got, "shape", None)) is not None and tuple(shape) != tuple(right.shape):
            yield f"{name} of shape {tuple(shape)}, should be {tuple(right.shape)}"
        elif shape is not None and (found := engine.get({name: got})[name].dtype.name) != engine.dtype:
            yield f"{name} in {found}, should be in {engine.dtype}"


def _is_plain(value: Any) -> bool:
    """Whether a value is a container or Python's own: any other may be an array of a framework."""
    return isinstance(value, Mapping | tuple) or type(value).__module__ == "builtins"


def _kind(value: Any) -> str:
    """The name of a value's type, with its framework."""
    kind = type(value)
    home = kind.__module__.partition(".")[0]
    return kind.__name__ if home == "builtins" else f"{home} {kind.__name__}"
