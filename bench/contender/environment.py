"""The environment record of a worker: versions, variables, thread pools and the framework's settings.

It is read once, before the first cell is judged: libraries that are loaded later would change its key.
"""

from collections.abc import Callable, Mapping
from typing import Any

from bench.backends import Absent, Backend, backend
from bench.cells.cell import Cell
from bench.contender.prepare import instance
from bench.machine.records import Record
from bench.machine.records import environment as surroundings
from bench.store.row import anonymous, sentence

LENGTH = 1000  # characters of an answer

_READ: dict[tuple[str, str], Record] = {}  # the records of this process, by backend and device


def environment(cell: Cell) -> Record:
    """The record of the worker that judges this cell; empty if its framework or device is absent.

    If the framework cannot start, the record has the error it raised, and the next cell tries again.
    """
    place = (cell.backend, cell.device)
    if place in _READ:
        return _READ[place]
    cls = backend(cell.backend)
    try:
        engine = instance(cls, cell.device, cell.dtype)
    except Absent:
        return {}
    except Exception as error:
        return {"backend": cls.name, **surroundings({"error": _message(error)})}
    return _READ.setdefault(place, {"backend": cls.name, **surroundings(read_back(engine))})


def read_back(engine: Backend) -> dict[str, Any]:
    """The settings that the framework reports, as built-in types; None if this release has no such API."""
    try:
        flags = {str(name): question for name, question in engine.flags().items()}
    except Exception as error:
        return {"error": _message(error)}
    asked: dict[str, Callable[[], Any]] = {"threads": engine.threads, "precision": lambda: engine.precision}
    return {name: _answer(question) for name, question in (asked | flags).items()}


def _answer(question: Callable[[], Any]) -> Any:
    try:
        return _plain(question())
    except (AttributeError, ImportError):
        return None
    except Exception as error:
        return _message(error)


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, Mapping):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return anonymous(str(value)[:LENGTH])


def _message(error: Exception) -> str:
    return anonymous(sentence(error))
