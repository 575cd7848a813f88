"""Explain an author's mistake in one sentence: the place, what is there, what should be, the nearest name."""

import ast
import builtins
import pkgutil
import re
import sys
import traceback
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from inspect import signature
from pathlib import Path
from types import TracebackType
from typing import Any

FEW = 30  # names in a sentence
HOMES = ("suites", "reference")  # the packages with the code of authors
UNKNOWN = re.compile(r"(?:\w+\.)*(\w+)\.__init__\(\) got an unexpected keyword argument '(\w+)'")
LACKING = re.compile(r"(?:\w+\.)*(\w+)\.__init__\(\) missing \d+ required .* arguments?: (.*)")
Place = tuple[str, int, Mapping[str, Any]]  # a file, a line, and the names in scope
NO_NAME = re.compile(r"cannot import name '(\w+)' from '([\w.]+)'")


def choice(got: str, right: Iterable[str], few: int = FEW) -> str:
    """The end of a sentence: the right names (the nearest ones if there are many), and the likely one."""
    names = list(dict.fromkeys(right))
    listed = names if len(names) <= few else get_close_matches(got, names, few, 0.0)
    more = f" and {len(names) - few} more" if len(names) > few else ""
    return f"should be one of {', '.join(listed)}{more}{meant(got, names)}"


def meant(got: str, right: Iterable[str]) -> str:
    """The end of a sentence with the nearest name; empty if none is near."""
    near = get_close_matches(got, list(right), 1)
    return f"; did you mean {near[0]!r}?" if near else ""


def line_of(source: str, name: str, after: int = 0, *, keyword: bool = False) -> str:
    """``, line 31``: the first line with that string, or with that keyword of a call; empty if none."""
    try:
        nodes = list(ast.walk(ast.parse(source)))
    except (SyntaxError, ValueError):
        return ""
    named: list[tuple[int, Any]]
    if keyword:
        named = [(each.lineno, each.arg) for each in nodes if isinstance(each, ast.keyword)]
    else:
        named = [(each.lineno, each.value) for each in nodes if isinstance(each, ast.Constant)]
    found = sorted(line for line, got in named if got == name and line >= after)
    return f", line {found[0]}" if found else ""


def describe(error: BaseException, file: str, words: Mapping[str, Any]) -> str:
    """The sentence for an error in an author's file, with file and line.

    `file` is the file that was imported, such as ``suites/silu.py``. If another file raised the error, the
    sentence names both. `words` are the classes of pages by name.
    """
    own = _own(error)
    if own and (not error.__traceback__ or str(error).startswith(f"{HOMES[0]}/")):
        return str(error)
    if isinstance(error, SyntaxError) and error.filename:
        place: Place = error.filename, error.lineno or 0, {}
    else:
        place = _place(error.__traceback__)
    where, line, scope = place
    what = str(error) if own else _what(error, {**scope, **words})
    if (found := UNKNOWN.match(str(error))) and where:
        line = _exact(where, found[2], line)
    at = f", line {line}" if line else ""
    shown = _shown(where) if where else file
    beside = shown.startswith(f"{HOMES[0]}/") and Path(shown).name == Path(file).name  # limits/, mutants/
    return f"{shown}{at}: {what}" if beside else f"{file}: {shown}{at}: {what}"


def _own(error: BaseException) -> bool:
    """Whether bench/ raised it, so that its text is already such a sentence."""
    stack = traceback.extract_tb(error.__traceback__)
    return isinstance(error, ValueError) and (
        not stack or Path(stack[-1].filename).is_relative_to(Path(__file__).parent)
    )


def _place(at: TracebackType | None) -> Place:
    """The file, line and names of the innermost frame in an author's code."""
    found: Place = "", 0, {}
    while at is not None:
        names = at.tb_frame.f_globals
        if str(names.get("__name__")).partition(".")[0] in HOMES:
            found = at.tb_frame.f_code.co_filename, at.tb_lineno, names
        at = at.tb_next
    return found


def _exact(where: str, name: str, line: int) -> int:
    """The line of a keyword in the call that begins on `line`."""
    text = line_of(Path(where).read_text(encoding="utf-8"), name, line, keyword=True)
    return int(text.rpartition(" ")[2]) if text else line


def _shown(file: str) -> str:
    """The path of a file from the package on, as an author knows it."""
    parts = Path(file).parts
    starts = [number for number, part in enumerate(parts) if part in HOMES]
    return "/".join(parts[starts[-1] :] if starts else parts[-1:])


def _what(error: BaseException, names: Mapping[str, Any]) -> str:
    """The error in one line, with the right names if they are known."""
    text = " ".join(str(error.msg if isinstance(error, SyntaxError) else error).split())
    if found := UNKNOWN.match(text):
        return f"{found[1]} has no keyword {found[2]!r}{_signed(names.get(found[1]), found[2])}"
    if found := LACKING.match(text):
        return f"{found[1]} got no {found[2]}, should have {'them' if ' and ' in found[2] else 'it'}"
    right: Iterable[str] = ()
    got = str(getattr(error, "name", None) or "")
    if isinstance(error, ModuleNotFoundError):
        parent = got.rpartition(".")[0]
        path = getattr(sys.modules.get(parent), "__path__", ())
        right = [f"{parent}.{each.name}" for each in pkgutil.iter_modules(path)] if path else ()
    elif found := NO_NAME.match(text) if isinstance(error, ImportError) else None:
        text = found[0]  # without the path of the file
        got, right = found[1], _public(sys.modules.get(found[2]))
    elif isinstance(error, AttributeError):
        right = _public(error.obj)
    elif isinstance(error, NameError):
        right = [*names, *vars(builtins)]
    return f"{type(error).__name__}: {text}".rstrip(": ") + meant(got, right)


def _signed(called: Any, got: str) -> str:
    return f", {choice(got, signature(called).parameters)}" if callable(called) else ""


def _public(found: Any) -> list[str]:
    return [each for each in dir(found) if not each.startswith("_")]
