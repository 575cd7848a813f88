"""Extracts a function with everything that it needs from this project into one file that runs anywhere.

The file imports frameworks, NumPy and the standard library as usual. Values from the function's closure and
from its module's globals are written out before the function.
"""

import ast
import dis
import inspect
import sys
import textwrap
from collections.abc import Iterator
from functools import cache, partial
from types import BuiltinFunctionType, CodeType, FunctionType, ModuleType
from typing import Any

HOUSE = ("bench", "reference", "suites")
CALLABLE = (type, FunctionType, BuiltinFunctionType)
FUTURE = "from __future__ import annotations"  # types in annotations need not be defined


def extract(function: Any) -> tuple[str, str]:
    """Statements that define the function, and its name in them.

    Raises ValueError for a value that cannot be written as source.
    """
    inner = getattr(function, "func", function)
    page = Page((*HOUSE, inner.__module__.partition(".")[0]))
    name = function.__name__ if page.defined(function) else "build"
    page.bind(name, function)
    return "\n".join([FUTURE, *page.imports, "", *page.parts]).strip() + "\n", name


class Page:
    """The statements so far, and the value of each name in them."""

    def __init__(self, house: tuple[str, ...]) -> None:
        self.house = house
        self.imports: dict[str, None] = {}
        self.parts: list[str] = []
        self.bound: dict[str, Any] = {}

    def bind(self, name: str, value: Any) -> None:
        """Define the name as the value; raises ValueError if it already has another value."""
        if name in self.bound:
            if self.bound[name] is not value and self.bound[name] != value:
                raise ValueError(f"{name}: got two values with that name, should be one; rename one of them")
            return
        self.bound[name] = value
        if isinstance(value, ModuleType) and not self.ours(value.__name__):
            plain = value.__name__ == name
            self.imports[f"import {value.__name__}" + ("" if plain else f" as {name}")] = None
        elif self.defined(value) and value.__name__ == name:
            self.parts.append(self.definition(value))
        elif isinstance(value, CALLABLE) and not self.ours(value.__module__):
            if value.__module__ != "builtins" or value.__name__ != name:
                self.imports[f"from {value.__module__} import {value.__name__}" + alias(value, name)] = None
        else:
            self.parts.append(f"{name} = {self.written(value)}\n")

    def ours(self, module: str) -> bool:
        return module.partition(".")[0] in self.house

    def defined(self, value: Any) -> bool:
        """Whether the value is a class or a named function of this project, cached or not."""
        named = isinstance(inspect.unwrap(value), type | FunctionType) and value.__name__ != "<lambda>"
        return named and self.ours(value.__module__)

    def definition(self, value: Any) -> str:
        """The source of a class or function; defines first everything that it needs."""
        text = textwrap.dedent(inspect.getsource(value))
        self.need(ast.parse(text), value)
        return text

    def need(self, tree: ast.AST, value: Any) -> None:
        """Define the outer names that the source of a function or class uses."""
        read = names(tree)
        for name, other in found(value, tree).items():
            if other is value:
                continue
            if isinstance(other, ModuleType) and self.ours(other.__name__):  # a page: only what is used of it
                members = {each: self.written(getattr(other, each)) for each in read[name]}
                self.imports["from types import SimpleNamespace"] = None
                given = ", ".join(f"{each}={text}" for each, text in members.items())
                self.parts.append(f"{name} = SimpleNamespace({given})\n")
                self.bound[name] = other
            else:
                self.bind(name, other)

    def written(self, value: Any) -> str:
        """The value as a Python expression; raises ValueError if it has none."""
        if isinstance(value, dict):
            return "{" + ", ".join(f"{key!r}: {self.written(each)}" for key, each in value.items()) + "}"
        if type(value) in (list, tuple):
            inner = ", ".join(map(self.written, value)) + ("," if len(value) == 1 else "")
            return f"[{inner}]" if isinstance(value, list) else f"({inner})"
        if isinstance(value, partial):
            self.bind("partial", partial)
            words = [*map(self.written, value.args)]
            words += [f"{name}={self.written(each)}" for name, each in value.keywords.items()]
            return f"partial({', '.join([self.written(value.func), *words])})"
        if isinstance(value, FunctionType) and value.__name__ == "<lambda>":
            tree = lambda_of(value)
            self.need(tree, value)
            return f"({ast.unparse(tree)})"
        if isinstance(value, (*CALLABLE, ModuleType)):
            self.bind(value.__name__, value)
            return value.__name__
        if isinstance(value, bool | int | float | str | None):
            return repr(value)
        raise ValueError(f"{value!r}: got a {type(value).__name__}, should be a constant or a function")


def alias(value: Any, name: str) -> str:
    return "" if value.__name__ == name else f" as {name}"


def found(value: Any, tree: ast.AST) -> dict[str, Any]:
    """The values of the outer names that a function or class uses, by name."""
    if isinstance(value, type):
        scope, read = vars(sys.modules[value.__module__]), set(names(tree))
    else:
        function = inspect.unwrap(value)
        cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
        inner = {name: cell.cell_contents for name, cell in cells}
        given = [node for node in ast.walk(tree) if isinstance(node, ast.arguments)]
        outside = [each for node in given for each in (*node.defaults, *node.kw_defaults) if each]
        outside += [each for node in ast.walk(tree) for each in getattr(node, "decorator_list", ())]
        scope = {**function.__globals__, **inner}
        read = {*inner, *loaded(function.__code__), *(name for each in outside for name in names(each))}
    return {name: scope[name] for name in sorted(read) if name in scope}


def loaded(code: CodeType) -> Iterator[str]:
    """The global names that a code object and its nested functions read."""
    for step in dis.get_instructions(code):
        if step.opname == "LOAD_GLOBAL":
            yield step.argval
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from loaded(constant)


def names(tree: ast.AST) -> dict[str, list[str]]:
    """Every name that is read, with the attributes that are read from it."""
    read: dict[str, list[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            read.setdefault(node.id, [])
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            taken = read.setdefault(node.value.id, [])
            taken += [node.attr] if node.attr not in taken else []
    return read


def lambda_of(function: FunctionType) -> ast.Lambda:
    """The syntax tree of a lambda: the smallest one in its file that contains all of its code."""
    code = function.__code__
    places = [place for place in code.co_positions() if None not in place and place[3]]
    first = min((line, column) for line, _, column, _ in places)
    last = max((line, column) for _, line, _, column in places)
    return min(
        (
            node
            for node in lambdas(code.co_filename)
            if (node.lineno, node.col_offset) <= first and last <= (node.end_lineno, node.end_col_offset)
        ),
        key=lambda node: (node.end_lineno - node.lineno, node.end_col_offset - node.col_offset),
    )


@cache
def lambdas(file: str) -> tuple[Any, ...]:
    """Every lambda of a file."""
    with open(file, encoding="utf-8") as opened:
        return tuple(node for node in ast.walk(ast.parse(opened.read())) if isinstance(node, ast.Lambda))
