"""Explain an operation of a formula that has no rounding rule: its place, and what to write instead."""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from bench.noise.array import refusal

_OURS = {"bench", "numpy", "scipy"}  # packages that are not the formula
# parts of NumPy's errors about the dtype of records, if an array has become a plain one
_RECORDS = (
    "('rows', ",
    "'names': ['a', 'b', 'c']",
    "[('a', '<f8'), ",
    "numpy.dtypes.VoidDType",
    "numpy.void",
)


@contextmanager
def explained() -> Iterator[None]:
    """Add the function and line of the formula to NotImplementedError and to NumPy's errors about records.

    Raises NotImplementedError for both.
    """
    try:
        yield
    except NotImplementedError as error:
        where, called = _place(error.__traceback__)
        told = refusal(called) if called else error
        raise NotImplementedError(f"{told}{where}") from error
    except (TypeError, ValueError) as error:
        if not any(name in str(error) for name in _RECORDS):
            raise
        where, called = _place(error.__traceback__)
        told = refusal(called) if called else refusal(*_made_plain(str(error)))
        raise NotImplementedError(f"{told}{where}") from error


def _made_plain(text: str) -> tuple[str, str]:
    if text.startswith("Cannot cast"):
        return (
            "putting rounded values into a plain array",
            "make it by np.zeros_like(x, shape=…) without a dtype",
        )
    if text.endswith("not inexact"):
        return "np.finfo of a rounded array", "give the number itself"
    return "an array converted by np.asarray, np.array or a library", "leave that call out"


def _place(trace: TracebackType | None) -> tuple[str, str]:
    """The place in the formula, and the SciPy function that was called; each is empty if unknown."""
    steps = list(traceback.walk_tb(trace))
    rooms = [frame.f_globals.get("__name__", "").partition(".")[0] for frame, _ in steps]
    own = [i for i, room in enumerate(rooms) if room not in _OURS]
    where, after = "", next((i for i, room in enumerate(rooms) if room != "bench"), len(steps))
    if own:
        (frame, line), after = steps[own[-1]], own[-1] + 1
        code, file = frame.f_code, Path(frame.f_code.co_filename)
        where = f" (in {code.co_name}, {file.parent.name}/{file.name}, line {line})"
    if rooms[after : after + 1] != ["scipy"]:
        return where, ""
    inside = steps[after][0]
    parts = inside.f_globals["__name__"].split(".")
    public = ".".join(part for part in parts if not part.startswith("_"))
    return where, f"{public}.{inside.f_code.co_name}"
