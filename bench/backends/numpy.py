"""NumPy: the reference itself as a contender."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import numpy as np

from bench.backends import Absent, Backend, Binder, Bound, Loop, stepped
from bench.case import Case, Contender, Training, known
from bench.machine import isa
from bench.machine.pools import pools
from bench.tree import Tree, flatten, floating, tree_map


@dataclass(frozen=True)
class Formula:
    """A run together with its hand-derived gradient, because NumPy has no autodiff."""

    case: Case
    reference: Callable[..., Any]
    option: Mapping[str, Any]

    def __call__(self, params: Tree, **data: Any) -> dict[str, Any]:
        return named(self.reference(**data, **params, **known(self.reference, self.option)))

    def vjp(self, params: Tree, data: Mapping[str, Any], cotangents: Mapping[str, Any]) -> dict[str, Any]:
        """The gradients by input name."""
        return dict(self.bound(params, data, cotangents)())

    def bound(
        self, params: Tree, data: Mapping[str, Any], cotangents: Mapping[str, Any]
    ) -> Callable[[], dict[str, Any]]:
        """The gradient function with its arguments bound."""
        assert self.case.gradient is not None
        cotangent = cotangents["y"] if set(cotangents) == {"y"} else cotangents
        option = known(self.case.gradient, self.option)
        return partial(self.case.gradient, cotangent, **data, **params, **option)


def named(outputs: Any) -> dict[str, Any]:
    """Outputs by name: a single array is ``y``."""
    return outputs if isinstance(outputs, dict) else {"y": outputs}


def placed(tree: Tree, mode: str) -> Tree:
    """The same arrays in the memory layout of `mode`: in Fortran order, or with gaps."""

    def leaf(array: Any) -> Any:
        if mode == "transposed":
            return np.asarray(array, order="F")  # np.asfortranarray makes a vector of a number
        wide = np.full((*array.shape, 2), np.nan if array.dtype.kind == "f" else -1).astype(array.dtype)
        wide[..., 0] = array
        return wide[..., 0]

    return tree_map(leaf, tree) if mode in NumPy.layouts else tree


class NumPy(Backend):
    name = "numpy"
    packages = ("numpy",)
    modes = ("eager", "transposed", "gaps")
    spins = True
    positional = True
    layouts = heavy = ("transposed", "gaps")
    devices = ("cpu",)

    @classmethod
    def environment(cls, *, threads: int | None, dtype: str, device: str) -> dict[str, str]:
        return dict.fromkeys(("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), str(threads)) if threads else {}

    @classmethod
    def contenders(cls, case: Case) -> list[Contender]:
        own = super().contenders(case)
        return own or [reference(case)]

    def isa(self) -> str:
        """Return the wider one of those of NumPy's own loops and of its BLAS."""
        return _isa()

    def __init__(self, device: str, dtype: str) -> None:
        super().__init__(device, dtype)
        if dtype == "bfloat16":
            raise Absent("numpy has no bfloat16: ml_dtypes only stores it, and computes in float32")

    def threads(self) -> int | None:
        found = [pool["num_threads"] for pool in pools() if pool["user_api"] == "blas"]
        return max(found, default=None)

    def flags(self) -> Mapping[str, Callable[[], Any]]:
        def built(part: str, name: str) -> Any:
            config: Any = np.show_config(mode="dicts")
            return config[part][name]

        def library(name: str) -> str:
            found = built("Build Dependencies", name)
            return f"{found['name']} {found['version']}"

        return {
            "blas": lambda: library("blas"),
            "lapack": lambda: library("lapack"),
            "simd_baseline": lambda: built("SIMD Extensions", "baseline"),
            "simd_found": isa.features,
        }

    def lacks(self, error: BaseException) -> bool:
        words = (f"array type {self.dtype} is unsupported", f"scipy.special have no {self.dtype}")
        return isinstance(error, TypeError) and any(each in str(error) for each in words)

    def operations(self) -> dict[str, Callable[..., Any]]:
        kept = cache(lambda shape: np.empty(shape, self.dtype))  # new memory pages cost more

        def tile(x: Any, times: int) -> Any:
            return np.tile(x, (times, 1))

        def copy(x: Any) -> Any:
            np.copyto(y := kept(x.shape), x)
            return y

        def triad(b: Any, c: Any) -> Any:
            y = np.multiply(c, 2, out=kept(c.shape))
            return np.add(y, b, out=y)

        return {
            **super().operations(),
            "sum": lambda x: x.sum(-1),
            "tile": tile,
            "copy": copy,
            "triad": triad,
        }

    def put(self, tree: Tree) -> Tree:
        """Copies, as on a device: a contender that writes into its input harms no other."""
        return tree_map(lambda leaf: leaf.copy() if isinstance(leaf, np.ndarray) else leaf, tree)

    def get(self, tree: Tree) -> Tree:
        if self.dtype == "float16" and any(
            y.dtype == "float64" for y in flatten(tree).values() if floating(y)
        ):
            raise TypeError("functions of scipy.special have no float16, and return float64")
        return tree

    def compile(self, function: Callable[..., Any], mode: str) -> Callable[..., Any]:
        return function

    def vjp(self, run: Callable[..., Any], mode: str, wrt: Sequence[str]) -> Callable[..., Any]:
        if not callable(getattr(run, "vjp", None)):
            raise TypeError(
                "run has no vjp, should have one, because NumPy has no autodiff: "
                "run.vjp(params, data, cotangents) returns the gradients by name"
            )

        def call(params: Tree, data: Mapping[str, Any], cotangents: Mapping[str, Any]) -> Any:
            data, cotangents = placed(dict(data), mode), placed(dict(cotangents), mode)
            gradients = run.vjp(params, data, cotangents)  # type: ignore[attr-defined]  # a Formula
            _given(gradients, [*params, *wrt])
            return run(params, **data), {
                "params": {name: gradients[name] for name in params},
                "data": {name: gradients[name] for name in wrt},
            }

        return call

    def forward(self, run: Callable[..., Any], mode: str) -> Callable[..., Any]:
        return lambda params, data: run(params, **placed(dict(data), mode))

    def bind(self, run: Callable[..., Any], mode: str) -> Binder:
        if not isinstance(run, Formula):
            return super().bind(run, mode)
        call = partial(run.reference, **known(run.reference, run.option))
        return lambda params, data, _: Bound(partial(call, **data, **params), (), lambda y: (named(y), None))

    def bind_vjp(
        self, vjp: Callable[..., Any], run: Callable[..., Any], mode: str, wrt: Sequence[str]
    ) -> Binder:
        if not isinstance(run, Formula):
            return super().bind_vjp(vjp, run, mode, wrt)
        forward = self.bind(run, mode)

        def binder(params: Tree, data: Mapping[str, Any], cotangents: Mapping[str, Any]) -> Bound:
            outputs, gradients = forward(params, data, {}), run.bound(params, data, cotangents)

            def finish(result: Any) -> Any:
                y, found = result
                parts = {"params": params, "data": wrt}
                return named(y), {
                    part: {name: found[name] for name in names} for part, names in parts.items()
                }

            return Bound(lambda: (outputs.call(), gradients()), (), finish)

        return binder

    def loop(self, training: Training, mode: str) -> Loop:
        held: dict[str, Any] = {}

        def load(params: Tree, state: Tree) -> None:
            held.update(params=params, state=state)

        def step(batch: Mapping[str, Any]) -> Any:
            found = training.step(held["params"], held["state"], **batch)
            held["params"], held["state"], loss = stepped(found)
            return loss

        def predict(x: Any) -> Any:
            assert training.predict is not None
            return training.predict(held["params"], x)

        def read() -> tuple[Tree, Tree]:
            params, state = self.get((held["params"], held["state"]))
            return params, state

        return Loop(load, step, read, training.predict and predict)

    def wait(self, tree: Tree) -> None:
        return None


def reference(case: Case, found: Callable[..., Any] | None = None) -> Contender:
    """The case's reference as a contender. `found` maps the reference to the function that is called."""
    found = found or _look_up
    function = case.step or case.reference
    assert function is not None
    api = f"{function.__module__}.{function.__name__}" if _has_a_name(function) else f"{case.name}.reference"

    def build(weights: Tree, **option: Any) -> tuple[Tree, Formula]:
        return weights, Formula(case, found(function), option)

    def build_training(weights: Tree, state: Tree, **option: Any) -> Training:
        predict = case.predict and partial(case.predict, **known(case.predict, option))
        step = partial(found(function), **known(function, option))
        return Training(weights, state, step, predict=predict)

    return Contender("numpy", api, build_training if case.training else build)


def _look_up(function: Callable[..., Any]) -> Callable[..., Any]:
    """The current function of that name in its module, so that planted faults run."""
    import sys

    if not _has_a_name(function):
        return function
    return getattr(sys.modules[function.__module__], function.__name__, function)


def _has_a_name(function: Callable[..., Any]) -> bool:
    """Whether it is called by a name in a module, which a partial is not."""
    return hasattr(function, "__name__") and hasattr(function, "__module__")


def _given(gradients: Any, names: Sequence[str]) -> None:
    """Raise TypeError or ValueError unless a vjp of a plug-in returned the gradients of these names."""
    right = f"should return a dict of arrays by name: {', '.join(names)}"
    if not isinstance(gradients, Mapping):
        raise TypeError(f"its run.vjp returns a {type(gradients).__name__}, {right}")
    if not set(names) <= set(gradients):
        raise ValueError(f"its run.vjp returns {', '.join(map(str, gradients)) or 'nothing'}, {right}")
    for name in names:
        if gradients[name] is None:
            raise TypeError(f"its run.vjp returns {name} as a NoneType, {right}")


@cache
def _isa() -> str:
    return isa.widest(filter(None, (isa.of_numpy(), isa.of_openblas())))
