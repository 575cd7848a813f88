"""The script in the folder of a failed cell: it needs the framework and NumPy, but not this project."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from bench import pages
from bench.backends import Asked, Backend
from bench.cells.cell import Cell
from bench.contender.layout import Layout
from bench.inputs import inputs
from bench.store.row import Row
from bench.tolerance.expected import expectation
from bench.tolerance.limit import Array, margins
from bench.tree import Tree, flatten

Pair = tuple[Array, Array]  # expected values and limits

SCRIPT = '''"""{cell} {status}: {why}. `python repro.py`; contender.py is the page's own build."""
import numpy as np
{imports}

from contender import {build}

a, expected = (np.load(__file__.replace("repro.py", name)) for name in ("inputs.npz", "expected.npz"))
{given}
{body}
y, should, limit = np.concatenate([np.ravel(y) for y in got]), expected["should"], expected["limit"]
off = np.where((y == should) | (y != y) & (should != should), 0, abs(y - should) / limit)
i = int(np.nan_to_num(off, nan=np.inf, posinf=np.inf).argmax())
k = np.searchsorted(expected["starts"], i, side="right") - 1
print(f"{{expected['names'][k]}}, element {{i - expected['starts'][k]}}: got {{y[i]}}, should be \
{{should[i]}}, {{off[i]:.3g}} times its limit")
'''


def script(cell: Cell, row: Row, why: str, engine: Backend, build: str, graph: bool) -> str:
    """The text of the script. `graph`: it computes gradients too, since other kernels may run without."""
    case = pages.case(cell.case)
    option = "".join(f", {name}={value!r}" for name, value in case.options[cell.option].items())
    trees = given(cell, row)
    names = tuple(flatten(trees.get("dy", {})))
    asked = Asked(
        f"{build}(weights{', state' if case.training else ''}{option})",
        cell.direction,
        cell.mode,
        graph,
        differentiated(cell),
        names,
    )
    lines = engine.script(asked)
    imports = [line for line in lines if line.startswith(("import ", "from "))]
    used = trees if graph else {name: tree for name, tree in trees.items() if name != "dy"}
    return SCRIPT.format(
        cell=_shown(str(cell)),
        status=row.status,
        why=_shown(why),
        imports="\n".join(imports),
        build=build,
        given="\n".join(f"{name} = {_literal(tree, name)}" for name, tree in used.items()),
        body="\n".join(line for line in lines if line not in imports),
    )


def _shown(text: str) -> str:
    """The text made safe for a docstring: on one line, without quotes and backslashes."""
    text = text.replace("\\", "/").replace('"', "'")
    return "".join(char if char.isprintable() else " " for char in text)


def given(cell: Cell, row: Row) -> dict[str, Tree]:
    """The inputs of the script by variable name; for training, those of the worst step."""
    found = inputs(cell, row.input_set or 0)
    if found.starts:
        weights, state, batch = found.starts[worst_step(row)]
        return {"weights": weights, "state": state, "data": dict(batch)}
    return {"weights": found.weights, "data": dict(found.data), "dy": dict(found.cotangents)}


def differentiated(cell: Cell) -> tuple[str, ...]:
    """The names of the data that have a gradient."""
    data, fixed = inputs(cell).data, pages.case(cell.case).fixed
    return tuple(sorted(name for name, x in data.items() if x.dtype.kind not in "iub" and name not in fixed))


def tensors(cell: Cell, row: Row, engine: Backend, places: Layout) -> dict[str, Pair]:
    """Expected values and limits for the script's `got`: in its order, with the framework's layouts."""
    found = expectation(cell, number=row.input_set or 0)
    every = {path: one for path, one in found.items() if path.startswith(f"{cell.direction}.")}
    prefix = f"training.{worst_step(row)}." if cell.direction == "training" else f"{cell.direction}."
    known = margins(every, cell.dtype)
    mine = {path.removeprefix(prefix): pair for path, pair in known.items() if path.startswith(prefix)}
    if cell.direction == "forward":
        return mine
    if cell.direction == "gradient":
        data = {f"data.{name}": mine[name] for name in differentiated(cell)}
        return {f"params.{path}": pair for path, pair in _away(places, mine, engine).items()} | data
    home = {"weights": "0", "state": "1"}
    moved = {
        f"{home[path.partition('.')[0]]}.{path.partition('.')[2]}": p
        for path, p in mine.items()
        if "." in path
    }
    return {"loss": mine["loss"], **_away(places, moved, engine)}


def _away(places: Layout, known: Mapping[str, Pair], engine: Backend) -> dict[str, Pair]:
    """Values and limits in the framework's layout; the limit is infinite for what has no expected value."""
    home = flatten(places.home)
    sides = []
    for side, unknown in enumerate((0.0, np.inf)):
        values = {
            path: known[path][side]
            if path in known
            else np.full(leaf.shape, unknown)
            if _floating(leaf)
            else leaf
            for path, leaf in home.items()
        }
        sides.append(_leaves(places.forth(values), engine.sorts))
    should, limit = sides
    numbers = _leaves(places.away, engine.sorts)  # 0 marks a constant of the framework
    return {
        path: (should[path], np.where(number == 0, np.inf, limit[path]))
        for path, number in numbers.items()
        if _floating(number)
    }


def _leaves(tree: Tree, sort: bool) -> dict[str, Any]:
    """The leaves by path, in the framework's order."""
    return flatten(_sorted(tree) if sort else tree)


def _sorted(tree: Tree) -> Tree:
    if isinstance(tree, dict):
        return {name: _sorted(tree[name]) for name in sorted(tree)}
    if isinstance(tree, list | tuple):
        return [_sorted(branch) for branch in tree]
    return tree


def _literal(tree: Tree, path: str) -> str:
    """A tree as a Python expression that reads its arrays from the file `a`."""
    if isinstance(tree, dict):
        return "{" + ", ".join(f"{k!r}: {_literal(v, f'{path}.{k}')}" for k, v in tree.items()) + "}"
    if isinstance(tree, list):
        return "[" + ", ".join(_literal(v, f"{path}.{n}") for n, v in enumerate(tree)) + "]"
    return f"a[{path!r}]" if isinstance(tree, np.ndarray) else repr(tree)


def worst_step(row: Row) -> int:
    """The step of a training row's worst element."""
    first = row.worst.partition(".")[0]
    return int(first) if first.isdigit() else 0


def _floating(leaf: Any) -> bool:
    return isinstance(leaf, np.ndarray) and leaf.dtype.kind == "f"
