"""Prepare a contender: build it, put weights and inputs on the device, and read back what it returns."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from numbers import Integral
from typing import Any

from bench import pages
from bench.backends import Absent, Backend, backend
from bench.case import Case, Contender
from bench.cells.cell import Cell
from bench.contender.check import built
from bench.contender.layout import Layout, layout
from bench.contender.train import train
from bench.inputs import inputs
from bench.machine import isa
from bench.tree import flatten

THREADS = "GAUGEBLOCK_THREADS"
LONG = 200  # characters that a row has for what is read back


@dataclass(frozen=True)
class Ready:
    """A contender on its device, ready to be called again."""

    engine: Backend
    case: Case
    places: Layout
    wrt: Sequence[str]
    run: Any
    vjp: Any
    params: Any
    data: Any
    cotangents: Any

    @property
    def given(self) -> dict[str, Any]:
        """What a call is given, by what it is."""
        return {"parameter": self.params, "input": self.data, "cotangent": self.cotangents}


def find(case: Case, cell: Cell) -> Contender:
    """The contender of a cell. Raises ValueError, with the names that exist."""
    contenders = {str(each): each for each in backend(cell.backend).contenders(case)}
    if cell.contender not in contenders:
        known = ", ".join(contenders) or "none"
        raise ValueError(f"contender of {case.name}: got {cell.contender!r}, should be one of {known}")
    return contenders[cell.contender]


@lru_cache
def instance(cls: type[Backend], device: str, dtype: str) -> Backend:
    """The backend instance for a device and dtype, one per process. Raises Absent or RuntimeError.

    The environment of a worker says how many threads and which instruction set it was started with. The
    framework must report the same.
    """
    cls.installed()
    engine = cls(device, dtype)
    _typed(engine)
    asked, found = os.environ.get(THREADS), engine.threads()
    if asked and found is not None and found != int(asked):
        raise RuntimeError(
            f"{cls.name}: reads back {found} threads, should be the {asked} it was started with; "
            f"name --threads {found}, or unset the variable that says so"
        )
    told, used = os.environ.get(isa.TOLD), engine.isa()
    if told and used and isa.widest((told, used)) != told:
        raise RuntimeError(
            f"{cls.name}: reads back {used}, should be at most the {told} it was started with; "
            "leave out --isa"
        )
    if device != "cpu":
        engine.start()
    return engine


def lost(unit: Cell) -> bool:
    """Whether a backend's GPU is unusable for the rest of this process, as after some faults."""
    if unit.device == "cpu":
        return False
    try:
        instance(backend(unit.backend), unit.device, unit.dtype).start()
    except Absent:
        return False
    except Exception:
        return True
    return False


def _typed(engine: Backend) -> None:
    """Raise TypeError if a value that goes into every row has a wrong type."""
    texts = {"version": engine.version, "precision": engine.precision, "isa": engine.isa()}
    for name, found in texts.items():
        if not isinstance(found, str) or len(found) > LONG:
            raise TypeError(
                f"{name}: reads back {found!r:.60}, should be a text of {LONG} characters at most"
            )
    if not isinstance(threads := engine.threads(), Integral | None):
        raise TypeError(f"threads: reads back {threads!r:.60}, should be a whole number or None")


def prepared(unit: Cell) -> Any:
    """A contender that is ready to be timed, without a verdict. Raises what preparing it raises."""
    case, engine = pages.case(unit.case), instance(backend(unit.backend), unit.device, unit.dtype)
    contender = find(case, unit)
    if case.training:
        return train(case, contender, engine, unit, inputs(unit), curve=False).ready
    given = contender.directions or case.directions
    return placed(case, contender, engine, unit, [each for each in given if each not in engine.without])


def placed(case: Case, contender: Contender, engine: Backend, unit: Cell, directions: Sequence[str]) -> Ready:
    """Build a contender and put its weights, data and cotangents on the device."""
    given, option = inputs(unit), case.options[unit.option]
    with engine.building():
        params, run = built(contender, contender.build(given.weights, **option))
        places = layout(lambda tree: contender.build(tree, **option)[0], given.weights)
    if places.problem:
        raise ValueError(f"{contender.api}: {places.problem}; a build should only rearrange them")
    wrt = differentiated(case, given.data)
    vjp = engine.vjp(run, unit.mode, wrt) if "gradient" in directions else None
    on_device = engine.put(params), taken(engine, case, given.data), engine.put(dict(given.cotangents))
    return Ready(engine, case, places, wrt, run, vjp, *on_device)


def taken(engine: Backend, case: Case, data: Mapping[str, Any]) -> Any:
    """The data for a run: on the device, unless moving them there is the formula."""
    return dict(data) if case.on_host else engine.put(dict(data))


def differentiated(case: Case, data: Mapping[str, Any]) -> list[str]:
    """The names of the data that have a gradient: floating data except targets."""
    floating = [name for name, value in data.items() if value.dtype.kind not in "iub"]
    return [name for name in floating if name not in case.fixed]


def tensors(ready: Ready, outputs: Any, gradients: Any) -> dict[str, Any]:
    """By ``forward.<output>`` and ``gradient.<input>``, as NumPy has them and in the reference's layout."""
    engine = ready.engine
    got = {f"forward.{path}": array for path, array in flatten(engine.get(outputs)).items()}
    if gradients is not None:
        found = engine.get(gradients)
        back = {**flatten(ready.places.back(found["params"])), **flatten(found["data"])}
        fixed = ready.case.fixed
        got |= {f"gradient.{path}": y for path, y in back.items() if path.split(".")[0] not in fixed}
    return got
