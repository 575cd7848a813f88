"""Reads the parameters of a public API from the API itself: its constructor or function, and its call.

A constructor that passes keywords on also has its parents' parameters. For a compiled function without a
Python signature, the native schema is read.
"""

import inspect
import typing
from collections.abc import Callable, Iterable
from inspect import Parameter, Signature
from typing import Any

LOOSE = (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)
CALLS = ("forward", "__call__", "call")  # torch; Flax and the losses of Keras; the layers of Keras


def call_of(cls: type) -> str | None:
    """The name of the method that runs when an instance is called, if it has named parameters."""
    for name in CALLS:
        if any(name in vars(parent) for parent in cls.__mro__[:-1]):
            taken = method(getattr(cls, name)).parameters.values()
            if any(each.kind not in LOOSE for each in taken):
                return name
    return None


def method(found: Callable[..., Any]) -> Signature:
    """A method's signature, without the instance."""
    try:
        signature = inspect.signature(found)
    except ValueError:  # a tensor method has several forms, with different required parameters
        _, *given = _native(found).parameters.values()
        free = {each: each.replace(default=None) for each in given if each.default is Parameter.empty}
        return Signature([free.get(each, each) for each in given])
    return signature.replace(parameters=list(signature.parameters.values())[1:])


def constructor(cls: type) -> Signature:
    """The parameters of a class's constructor: its overloads, or its own and those that it passes on."""
    merged: dict[str, Parameter] = {}
    for parent in (parent for parent in cls.__mro__[:-1] if "__init__" in vars(parent)):
        own = vars(parent)["__init__"]
        overloads = typing.get_overloads(own)
        found = [each for one in overloads or [own] for each in method(one).parameters.values()]
        if merged:  # passed on by keyword; the class itself gives what its parent requires
            found = [
                each if each.kind is Parameter.VAR_KEYWORD else each.replace(kind=Parameter.KEYWORD_ONLY)
                for each in found
                if each.kind is Parameter.VAR_KEYWORD or each.default is not Parameter.empty
            ]
        for each in found:
            merged.setdefault(each.name, each)
        if overloads or not any(each.kind is Parameter.VAR_KEYWORD for each in found):
            break
    return _signature(merged.values())


def function(found: Callable[..., Any]) -> Signature:
    """The Python signature, for two torch functions in one the longer signature, else the native schema."""
    try:
        signature = inspect.signature(found)
    except ValueError:
        return _native(found)
    if all(each.kind in LOOSE for each in signature.parameters.values()):
        from torch._jit_internal import boolean_dispatched

        if found in boolean_dispatched:
            return inspect.signature(boolean_dispatched[found]["if_true"])
    return signature


def _native(found: Callable[..., Any]) -> Signature:
    import torch

    merged: dict[str, Parameter] = {}
    name = torch.jit._builtins._find_builtin(found) or f"aten::{found.__name__}"  # a method of Tensor
    every = torch._C._jit_get_schemas_for_operator(name)
    # the others are forms for Python numbers, unless none takes a tensor
    schemas = [schema for schema in every if str(schema.arguments[0].type) == "Tensor"] or every
    everywhere = set.intersection(*({each.name for each in schema.arguments} for schema in schemas))
    for schema in schemas:
        for each in schema.arguments:
            title = "input" if each.name == "self" else each.name
            kind = Parameter.KEYWORD_ONLY if each.kwarg_only else Parameter.POSITIONAL_OR_KEYWORD
            # `out`, a tensor to write to, and what only one of several forms requires
            needed = None if each.kwarg_only or each.name not in everywhere else Parameter.empty
            default = each.default_value if each.has_default_value() else needed
            merged.setdefault(title, Parameter(title, kind, default=default))
    return _signature(merged.values())


def _signature(parameters: Iterable[Parameter]) -> Signature:
    """A signature in Python's order of kinds; a required parameter after an optional one becomes optional."""
    ordered, default = [], False
    for each in sorted(parameters, key=lambda each: each.kind):
        if each.kind is Parameter.POSITIONAL_OR_KEYWORD:
            default |= each.default is not Parameter.empty
            if default and each.default is Parameter.empty:
                each = each.replace(default=None)
        ordered.append(each)
    return Signature(ordered)
