"""A public API by its dotted name, as the installed release has it: looked for, in no table of versions."""

import importlib
import inspect
from typing import Any

from bench.backends.interface import Absent, release


def require(api: str, *keywords: str) -> Any:
    """The function or class of that name; raises Absent where the installed release has not got it.

    Likewise where it lacks one of these keywords, as far as its signature says. Raises ImportError where
    nothing can be looked into: its package is not installed, or broken.
    """
    package = api.partition(".")[0]
    here = f"{package} {release(package)}".strip()
    try:
        owner, last = owner_of(api)
        found = getattr(owner, last)
    except AttributeError as error:
        raise Absent(f"{here} has no {api}") from error
    for keyword in keywords:
        if not takes(found, keyword):
            raise Absent(f"{here} has no {api}({keyword}=…)")
    return found


def owner_of(api: str) -> tuple[Any, str]:
    """The object that holds the last name of a dotted path, and that name."""
    parts = api.split(".")
    for length in range(len(parts) - 1, 0, -1):
        path = ".".join(parts[:length])
        try:
            owner = importlib.import_module(path)
        except ModuleNotFoundError as error:
            if f"{path}.".startswith(f"{error.name}."):
                continue
            raise  # a module that is there lacks one that it needs
        for part in parts[length:-1]:
            owner = getattr(owner, part)
        return owner, parts[-1]
    raise ImportError(f"{api}: no module has it")


def takes(found: Any, keyword: str) -> bool:
    """Whether a function, or the making of a class, takes a keyword; it does where Python cannot tell."""
    try:
        parameters = inspect.signature(found).parameters.values()
    except ValueError:
        return True
    return any(each.name == keyword or each.kind is each.VAR_KEYWORD for each in parameters)
