"""Backends with a fault each, which the guards of the clock must find: ``--backend hasty``, or by this file.

Each is right about linear regression wherever nobody looks at the time, and wrong about its speed.
"""

import os
import time
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy as np

from bench.backends import Bound
from bench.backends.jax import Jax
from bench.backends.numpy import NumPy
from bench.coarse import cut
from bench.tree import Tree, flatten, tree_map

SIDE = 300  # of a product that takes long enough to be waited for


def long(weights: Tree, **option: Any) -> tuple[Tree, Callable[..., Any]]:
    """Linear regression, and a product beside it whose result no digit shows."""

    def run(params: Tree, x: Any) -> dict[str, Any]:
        import jax.numpy as jnp

        much = jnp.full((SIDE, SIDE), x[0, 0])
        return {"y": x @ params["W"] + params["b"] + 1e-30 * (much @ much)[0, 0]}

    return weights, run


class Hasty(Jax):
    """Does not wait: JAX returns before it has computed, on a CPU too."""

    name = "hasty"
    builds: ClassVar[Mapping[str, Any]] = {"linear-regression": long}

    def wait(self, tree: Tree) -> None:
        return None


class Recompiling(Jax):
    """Traces and compiles its program again in each call."""

    name = "recompiling"

    def compile(self, function: Callable[..., Any], mode: str) -> Callable[..., Any]:
        import jax

        return lambda *given, **data: jax.jit(lambda *args, **more: function(*args, **more))(*given, **data)


class Slow(NumPy):
    """Linear regression in 10 ms, so that a trick has something to gain; and honest."""

    name = "slow"

    @staticmethod
    def work() -> None:
        time.sleep(0.01)

    def bind(self, run: Callable[..., Any], mode: str) -> Any:
        return self._slowly(super().bind(run, mode))

    def bind_vjp(self, *given: Any) -> Any:
        return self._slowly(super().bind_vjp(*given))

    def _slowly(self, bind: Any) -> Any:
        def binder(*given: Any) -> Bound:
            bound = bind(*given)

            def call() -> Any:
                self.work()
                return bound.once()

            return Bound(call, (), bound.finish)

        return binder


class Caching(Slow):
    """Keeps results by the content of its inputs."""

    name = "caching"

    def _slowly(self, bind: Any) -> Any:
        kept: dict[bytes, Any] = {}

        def binder(params: Tree, data: Mapping[str, Any], cotangents: Mapping[str, Any]) -> Bound:
            bound = bind(params, data, cotangents)

            def call() -> Any:
                name = b"".join(x.tobytes() for x in flatten(dict(data)).values())
                if name not in kept:
                    self.work()
                    kept[name] = bound.once()
                return kept[name]

            return Bound(call, (), bound.finish)

        return binder


class Posing(Slow):
    """Computes only when it thinks that nobody takes the time: the timed calls give what was there before."""

    name = "posing"

    def _slowly(self, bind: Any) -> Any:
        def binder(*given: Any) -> Bound:
            bound = bind(*given)
            stale = bound.once()
            return Bound(lambda: _spoiled(stale), (), bound.finish)

        return binder


class Coarse(NumPy):
    """Declares float32, and computes products of bfloat16 in its timed calls."""

    name = "coarse"

    def bind(self, run: Callable[..., Any], mode: str) -> Any:
        bind = super().bind(run, mode)
        return lambda params, data, cotangents: bind(_cut(params), _cut(dict(data)), cotangents)


class Deaf(NumPy):
    """Does not take the number of threads that it is given."""

    name = "deaf"

    def threads(self) -> int:
        return 63


class Mortal(Slow):
    """Its worker ends in the middle of a timed call."""

    name = "mortal"

    @staticmethod
    def work() -> None:
        print("killed while it was timed", flush=True)
        os._exit(9)


def _spoiled(tree: Any) -> Any:
    return tree_map(lambda y: 1.001 * y if isinstance(y, np.ndarray) and y.dtype.kind == "f" else y, tree)


def _cut(tree: Tree) -> Tree:
    return tree_map(lambda x: cut(x, 8), tree)
