"""The judge of every hand-derived gradient: central differences in extended precision.

`check_vjp` asserts that ``f_vjp(dy, **inputs)`` is the gradient of Σ dy · f(**inputs);
`check_dtype` that neither function leaves the dtype of its inputs.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from bench.tree import flatten, tree_map

Function = Callable[..., Any]


def check_vjp(
    f: Function,
    f_vjp: Function,
    inputs: Mapping[str, Any],
    *,
    fixed: Sequence[str] = (),
    options: Mapping[str, Any] | None = None,
    rng: np.random.Generator,
    rtol: float = 1e-9,
    samples: int = 40,
    dtype: Any = np.longdouble,
) -> None:
    """Compare each gradient of `f_vjp` with central differences of `f` along a random cotangent.

    `inputs` (trees of arrays by name) go in by keyword, floating leaves as `dtype`; `fixed` names
    inputs without a gradient, and integer and boolean leaves have none. Up to `samples` elements
    of each leaf are compared: |got - should be| <= rtol · (largest of the leaf) + rounding of the
    difference. Where NumPy or SciPy has no longdouble, pass dtype=np.float64 and a looser rtol.
    """
    options = dict(options or {})
    x = cast(dict(inputs), dtype)
    y = f(**x, **options)
    dy = tree_map(lambda leaf: np.array(rng.normal(size=np.shape(leaf)), dtype), y)
    moving = {name: leaf for name, leaf in x.items() if name not in fixed}
    leaves = {path: leaf for path, leaf in flatten(moving).items() if leaf.dtype == dtype}
    before = {path: leaf.copy() for path, leaf in flatten(x).items()}
    got = flatten(f_vjp(dy, **x, **options))
    for path, leaf in flatten(x).items():
        assert np.array_equal(leaf, before[path], equal_nan=True), f"{path}: f_vjp wrote to its input"
    assert set(got) == set(leaves), f"gradients: got {sorted(got)}, should be {sorted(leaves)}"
    eps = float(np.finfo(dtype).eps)
    h = max(1e-6, eps ** (1 / 3))
    size = sum(abs(a * b).sum() for a, b in zip(flatten(dy).values(), flatten(y).values(), strict=True))
    for path, leaf in leaves.items():
        assert got[path].shape == leaf.shape, f"{path}: shape {got[path].shape}, should be {leaf.shape}"
        assert got[path].dtype == leaf.dtype, f"{path}: dtype {got[path].dtype}, should be {leaf.dtype}"
        places = rng.permutation(leaf.size)[:samples]
        want = np.array([_slope(f, x, options, dy, leaf, place, h) for place in places])
        error = abs(got[path].reshape(-1)[places] - want)
        allowed = rtol * abs(want).max(initial=0) + 100 * eps / h * size
        worst = int(error.argmax()) if error.size else 0
        assert np.all(error <= allowed), (
            f"{path}[{np.unravel_index(places[worst], leaf.shape)}]: gradient is "
            f"{got[path].reshape(-1)[places[worst]]}, should be {want[worst]}"
        )


def check_dtype(
    f: Function,
    f_vjp: Function | None,
    inputs: Mapping[str, Any],
    *,
    options: Mapping[str, Any] | None = None,
    dtype: Any = np.float32,
) -> None:
    """Assert that floating inputs of `dtype` give outputs and gradients of `dtype`, never a wider one."""
    options = dict(options or {})
    x = cast(dict(inputs), dtype)
    y = f(**x, **options)
    results = {f"output {path}".strip(): leaf for path, leaf in flatten(y).items()}
    if f_vjp is not None:
        dy = tree_map(np.ones_like, y)
        results |= {f"gradient {path}": leaf for path, leaf in flatten(f_vjp(dy, **x, **options)).items()}
    for path, leaf in results.items():
        if np.issubdtype(leaf.dtype, np.floating):
            assert leaf.dtype == dtype, f"{path}: dtype is {leaf.dtype}, should be {np.dtype(dtype)}"


def cast(tree: Any, dtype: Any) -> Any:
    """The same tree, fresh arrays, floating leaves as `dtype`."""
    return tree_map(lambda leaf: np.array(leaf, dtype if np.asarray(leaf).dtype.kind == "f" else None), tree)


def _slope(f: Function, x: Any, options: Any, dy: Any, leaf: Any, place: int, h: float) -> Any:
    """d/d leaf[place] of Σ dy · f(x), by moving that element of `x` in place."""
    index = np.unravel_index(place, leaf.shape)
    start = leaf[index].copy()
    above, below = start + h * (1 + abs(start)), start - h * (1 + abs(start))
    leaf[index] = above
    up = f(**x, **options)
    leaf[index] = below
    down = f(**x, **options)
    leaf[index] = start
    triples = zip(flatten(dy).values(), flatten(up).values(), flatten(down).values(), strict=True)
    return sum((c * (u - d)).sum() for c, u, d in triples) / (above - below)
