"""Backends with one planted fault each, which the checks of a timing must find.

Run them with ``--backend hasty``, or by this file's path. Each computes linear regression correctly in
untimed calls, and is wrong about its speed.
"""

import os
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy as np

from bench.backends import Backend, Bound
from bench.backends.jax import Jax
from bench.backends.numpy import NumPy
from bench.backends.torch import Torch
from bench.coarse import cut
from bench.tree import Tree, flatten, tree_map

DRAG = "GAUGEBLOCK_DRAG"  # how much longer a call of `Dragging` takes, relative
SIDE = 300  # rows of a product that takes long enough to measure a wait


def long(weights: Tree, **option: Any) -> tuple[Tree, Callable[..., Any]]:
    """Linear regression with an extra product, which is too small to change the result."""

    def run(params: Tree, x: Any) -> dict[str, Any]:
        import jax.numpy as jnp

        much = jnp.full((SIDE, SIDE), x[0, 0])
        return {"y": x @ params["W"] + params["b"] + 1e-30 * (much @ much)[0, 0]}

    return weights, run


class Hasty(Jax):
    """Does not wait for results: JAX is asynchronous, also on a CPU."""

    name = "hasty"
    builds: ClassVar[Mapping[str, Any]] = {"linear-regression": long}

    def wait(self, tree: Tree) -> None:
        return None


class Recompiling(Jax):
    """Compiles its program in each call."""

    name = "recompiling"

    def compile(self, function: Callable[..., Any], mode: str) -> Callable[..., Any]:
        import jax

        return lambda *given, **data: jax.jit(lambda *args, **more: function(*args, **more))(*given, **data)


class Slow(NumPy):
    """Has no fault, but takes 10 ms per call, so that its subclasses gain something by cheating."""

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
    """Caches results by the contents of the inputs."""

    name = "caching"

    @staticmethod
    def key(data: Mapping[str, Any]) -> Any:
        return b"".join(x.tobytes() for x in flatten(dict(data)).values())

    def _slowly(self, bind: Any) -> Any:
        kept: dict[Any, Any] = {}

        def binder(params: Tree, data: Mapping[str, Any], cotangents: Mapping[str, Any]) -> Bound:
            bound = bind(params, data, cotangents)

            def call() -> Any:
                name = self.key(data)
                if name not in kept:
                    self.work()
                    kept[name] = bound.once()
                return kept[name]

            return Bound(call, (), bound.finish)

        return binder


class Brief(Caching):
    """Caches the results of calls that take a tenth of a millisecond."""

    name = "brief"

    @staticmethod
    def work() -> None:
        end = time.perf_counter() + 1e-4
        while time.perf_counter() < end:
            pass


class Stale(Caching):
    """Computes untimed calls. A timed call returns the first result for inputs of these shapes."""

    name = "stale"

    @staticmethod
    def key(data: Mapping[str, Any]) -> Any:
        return tuple((path, np.shape(x)) for path, x in flatten(dict(data)).items())


class Patched(Slow):
    """Replaces the clock of Python's library by a slower one: nothing takes long by it."""

    name = "patched"

    def __init__(self, device: str, dtype: str) -> None:
        super().__init__(device, dtype)
        time.perf_counter = slowed(time.perf_counter)


class Rewound(Slow):
    """Replaces the clock in every module that has it, and so in the one that times blocks."""

    name = "rewound"

    def __init__(self, device: str, dtype: str) -> None:
        super().__init__(device, dtype)
        real = time.perf_counter
        for module in list(sys.modules.values()):
            if getattr(module, "perf_counter", None) is real:
                vars(module)["perf_counter"] = slowed(real)


def slowed(clock: Callable[[], float]) -> Callable[[], float]:
    """A clock that shows a sixtieth of the time that has passed."""
    return lambda: clock() / 60


class Posing(Slow):
    """Computes only in untimed calls. A timed call returns a wrong result at once."""

    name = "posing"

    def _slowly(self, bind: Any) -> Any:
        def binder(*given: Any) -> Bound:
            bound = bind(*given)
            stale = bound.once()
            return Bound(lambda: _spoiled(stale), (), bound.finish)

        return binder


class Coarse(NumPy):
    """Declares float32, but rounds inputs to 8 bits, as bfloat16 does, in timed calls."""

    name = "coarse"

    def bind(self, run: Callable[..., Any], mode: str) -> Any:
        bind = super().bind(run, mode)
        return lambda params, data, cotangents: bind(_cut(params), _cut(dict(data)), cotangents)


class Deaf(NumPy):
    """Ignores the number of threads that is set."""

    name = "deaf"

    def threads(self) -> int:
        return 63


class Dragged(Backend):
    """Takes longer by the share in the variable `DRAG`: a slowdown that a gate must find."""

    def bind(self, run: Callable[..., Any], mode: str) -> Any:
        return _dragged(super().bind(run, mode))

    def bind_vjp(self, *given: Any) -> Any:
        return _dragged(super().bind_vjp(*given))


class Dragging(Dragged, NumPy):
    """Such a NumPy."""

    name = "dragging"


class DraggingTorch(Dragged, Torch):
    """Such a torch."""

    name = "dragging-torch"


class Mortal(Slow):
    """Ends its worker process during a timed call."""

    name = "mortal"

    @staticmethod
    def work() -> None:
        print("killed while it was timed", flush=True)
        os._exit(9)


def _dragged(bind: Any) -> Any:
    share = 1 + float(os.environ.get(DRAG) or 0)

    def binder(*given: Any) -> Bound:
        bound = bind(*given)

        def call() -> Any:
            start = time.perf_counter()
            result = bound.once()
            end = start + share * (time.perf_counter() - start)
            while time.perf_counter() < end:
                pass
            return result

        return Bound(call, (), bound.finish)

    return binder


def _spoiled(tree: Any) -> Any:
    return tree_map(lambda y: 1.001 * y if isinstance(y, np.ndarray) and y.dtype.kind == "f" else y, tree)


def _cut(tree: Tree) -> Tree:
    return tree_map(lambda x: cut(x, 8), tree)
