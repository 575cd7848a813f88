"""Find a public API of the installed release by its dotted name, without a table of versions."""

import importlib
import inspect
from typing import Any

from bench.backends.interface import Absent, release


def require(api: str, *keywords: str) -> Any:
    """The function or class of that name. Raises Absent if the installed release does not have it.

    Also raises Absent if its signature lacks one of these keywords. Raises ImportError if its package is not
    installed or cannot be imported.
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
    """The object that the last name of a dotted path is an attribute of, and that name."""
    parts = api.split(".")
    for length in range(len(parts) - 1, 0, -1):
        path = ".".join(parts[:length])
        try:
            owner = importlib.import_module(path)
        except ModuleNotFoundError as error:
            if f"{path}.".startswith(f"{error.name}."):
                continue
            raise  # the module exists, but fails to import another
        for part in parts[length:-1]:
            owner = getattr(owner, part)
        return owner, parts[-1]
    raise ImportError(f"{api}: no module has it")


def takes(found: Any, keyword: str) -> bool:
    """Whether a function or constructor accepts a keyword; True if it has no readable signature."""
    try:
        parameters = inspect.signature(found).parameters.values()
    except ValueError:
        return True
    return any(each.name == keyword or each.kind is each.VAR_KEYWORD for each in parameters)
