"""Records the arguments that pages pass to the APIs that they name, while each build runs its options."""

import functools
import inspect
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import asdict, dataclass, field
from inspect import Parameter, Signature
from typing import Any

import numpy as np

from bench import pages
from bench.backends import Backend, backend
from bench.backends.api import owner_of
from bench.case import Case, Contender, known
from bench.cells.cell import Cell
from bench.contender.train import begin
from bench.inputs import batch, draw, rounded
from bench.studies.signature import LOOSE, call_of, constructor, function, method
from bench.verdict.known import refusal

NEEDED = "needed"  # stands for a missing default
DEFAULT, OTHER = "default", "another"


@dataclass
class Call:
    """One callable of an API (a constructor or a call): its parameters, and the values that were passed."""

    name: str
    defaults: dict[str, str]
    cases: list[str] = field(default_factory=list)
    passed: dict[str, dict[str, list[str]]] = field(default_factory=dict)  # parameter: value: case/option
    together: list[dict[str, str]] = field(default_factory=list)  # the kinds of values of one call, each once


def recorded(name: str) -> list[dict[str, Any]]:
    """The result of `record` in built-in types, for a worker to return."""
    return [asdict(call) for call in record(name)]


def record(name: str) -> list[Call]:
    """The calls of each API that this backend's contenders name. The backend's environment must be set."""
    found, calls = backend(name), dict[str, Call]()
    engine = found("cpu", "float32")
    for case in pages.cases().values():
        for contender in found.contenders(case):
            modes = [mode for mode in found.modes if mode in (contender.modes or found.modes)]
            for option in (each for each in case.options if each not in contender.without):
                unit = Cell(
                    case.name, option, next(iter(case.regimes)), next(iter(case.sizes)), str(contender), name,
                    modes[0], "cpu", "float32", "",
                )  # fmt: skip
                with recording(contender.api, f"{case.name}/{option}", calls):
                    _exercise(case, contender, engine, unit)
    return list(calls.values())


@contextmanager
def recording(api: str, place: str, calls: dict[str, Call]) -> Iterator[None]:
    """Inside the block, record the arguments passed to the API in `calls`, under `place`."""
    owner, last = owner_of(api)
    honest = getattr(owner, last)
    wrapped = []

    def wrap(owner: Any, last: str, name: str, signature: Signature, bound: bool) -> None:
        call = calls.setdefault(name, Call(name, _defaults(signature)))
        original = getattr(owner, last)

        @functools.wraps(original, updated=())
        def passing(*arguments: Any, **keywords: Any) -> Any:
            _keep(call, place, signature.bind(*arguments[bound:], **keywords))
            return original(*arguments, **keywords)

        wrapped.append((owner, last, original))
        setattr(owner, last, passing)

    if inspect.isclass(honest):
        if called := call_of(honest):
            wrap(honest, called, f"{api}.{called}", method(getattr(honest, called)), True)
        wrap(owner, last, api, constructor(honest), False)
    elif inspect.isclass(owner):
        wrap(owner, last, api, method(honest), True)
    else:
        wrap(owner, last, api, function(honest), False)
    try:
        yield
    finally:
        for place_of, name, original in reversed(wrapped):
            setattr(place_of, name, original)


def shown(value: Any) -> str:
    """A value for a table: a small one as its repr, an array as its kind, another object as its name."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int | float | str):
        return repr(value)
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key}: {shown(each)}' for key, each in value.items())}}}"
    if isinstance(value, list | tuple):
        inside = ", ".join(dict.fromkeys(map(shown, value)) if len(value) > 4 else map(shown, value))
        return f"[{inside}]" if isinstance(value, list) else f"({inside})"
    if hasattr(value, "dtype") and hasattr(value, "shape"):
        dtype = str(getattr(value.dtype, "name", value.dtype)).removeprefix("torch.")
        return f"{dtype.rstrip('0123456789')} array"
    return str(getattr(value, "__name__", type(value).__name__))


def kind(value: Any, default: str) -> str:
    """What kind of value it is, besides the default: each flag, word and dtype of array, and any number."""
    text = shown(value)
    if text == default:
        return DEFAULT
    number = isinstance(value, int | float | list | tuple | np.generic) and not isinstance(value, bool)
    return OTHER if number else text


def _defaults(signature: Signature) -> dict[str, str]:
    return {
        name: NEEDED if each.default is Parameter.empty else shown(each.default)
        for name, each in signature.parameters.items()
        if each.kind not in LOOSE
    }


def _keep(call: Call, place: str, bound: inspect.BoundArguments) -> None:
    case = place.partition("/")[0]
    if case not in call.cases:
        call.cases.append(case)
    arguments = dict(bound.arguments)
    for each in bound.signature.parameters.values():
        if each.kind is Parameter.VAR_KEYWORD:
            arguments |= arguments.pop(each.name, {})
    given = {name: kind(value, call.defaults.get(name, NEEDED)) for name, value in arguments.items()}
    if given not in call.together:
        call.together.append(given)
    for name, value in arguments.items():
        places = call.passed.setdefault(name, {}).setdefault(shown(value), [])
        if place not in places:
            places.append(place)


def _exercise(case: Case, contender: Contender, engine: Backend, unit: Cell) -> None:
    """Run one forward call or one training step at the smallest size."""
    option = case.options[unit.option]
    weights, data = rounded(draw(case, unit), unit.dtype)
    if case.training:
        assert case.start is not None
        state = case.start(weights, **known(case.start, option))
        loop, _ = begin(case, contender, engine, unit, weights, state)
        engine.wait(loop.step(engine.put(batch(data, 0))))
        return
    # a call that the framework is known to refuse has still passed its arguments
    with suppress(Exception) if refusal(contender, unit, "forward", engine) else nullcontext():
        with engine.building():
            params, run = contender.build(weights, **option)
        engine.wait(engine.forward(run, unit.mode)(engine.put(params), engine.put(data)))
