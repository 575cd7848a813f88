"""What is told about an operation of a formula without a rounding rule: where it is, and what to write."""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from bench.noise.array import refusal

_OURS = {"bench", "numpy", "scipy"}  # whose functions a formula calls
# NumPy names the dtype of the records where one has become a plain array
_RECORDS = (
    "('rows', ",
    "'names': ['a', 'b', 'c']",
    "[('a', '<f8'), ",
    "numpy.dtypes.VoidDType",
    "numpy.void",
)


@contextmanager
def explained() -> Iterator[None]:
    """Refusals raised inside name the function and line of the formula; so do NumPy's errors about records.

    Raises NotImplementedError.
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
            "make it by np.zeros_like(x, shape=…), and give no dtype",
        )
    if text.endswith("not inexact"):
        return "np.finfo of a rounded array", "give the number itself"
    return "an array that np.asarray, np.array or a library made plain", "leave that call out"


def _place(trace: TracebackType | None) -> tuple[str, str]:
    """Where in the formula it was, and the function of SciPy that was called; empty where there is none."""
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
