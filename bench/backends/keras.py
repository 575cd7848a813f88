"""Keras 3 on torch and JAX: the pages' Keras builds, run by the backend of that engine.

Keras reads KERAS_BACKEND when it is imported, so each engine has its own worker process.
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import Any, ClassVar

from bench.backends import Absent, Backend
from bench.backends.jax import Jax
from bench.backends.torch import Torch
from bench.case import Case, Contender


class Keras(Backend):
    """The part that all engines share. A subclass names its `engine` and also inherits its backend."""

    engine: ClassVar[str]
    packages = ("keras",)
    dtypes = ("float32",)

    @classmethod
    def environment(cls, *, threads: int | None, dtype: str, device: str) -> dict[str, str]:
        return {
            **super().environment(threads=threads, dtype=dtype, device=device),
            "KERAS_BACKEND": cls.engine,
            "KERAS_TORCH_DEVICE": "cuda" if device == "gpu" else "cpu",
        }

    @classmethod
    def inherited(cls, case: Case) -> list[Contender]:
        """Return the page's Keras contenders, without their modes and refusals, which are TensorFlow's."""
        return [
            replace(contender, backend=cls.name, modes=None, refuses=())
            for contender in case.contenders
            if contender.api.startswith("keras.")
        ]

    def __init__(self, device: str, dtype: str) -> None:
        import keras

        super().__init__(device, dtype)
        if keras.backend.backend() != self.engine:
            raise RuntimeError(
                f"{self.name}: got Keras on {keras.backend.backend()}, should be {self.engine}; "
                "set KERAS_BACKEND before keras is imported"
            )
        if (kept := keras.backend.result_type(dtype, dtype)) != dtype:
            raise Absent(
                f"{self.name} has no {dtype}: on this engine, Keras promotes {dtype} to {kept} "
                "(keras/src/backend/common/dtypes.py:240, keras-team/keras#23704)"
            )

    @property
    def version(self) -> str:
        """The engine's version, so that its Limits apply, with Keras's version as the local part."""
        return f"{super().version.partition('+')[0]}+keras.{self.installed()}"

    def flags(self) -> Mapping[str, Callable[[], Any]]:
        import keras

        return {**super().flags(), "keras": keras.version, "keras_backend": keras.backend.backend}

    def building(self) -> AbstractContextManager[Any]:
        return self._building(super().building())

    @contextmanager
    def _building(self, defaults: AbstractContextManager[Any]) -> Iterator[None]:
        with policy(self.dtype), defaults, _without_tensorflow():
            try:
                yield
            except ModuleNotFoundError as error:
                if error.name != "tensorflow":
                    raise
                raise Absent(f"{self.name}: the page's build imports TensorFlow") from error


class KerasTorch(Keras, Torch):
    name = "keras-torch"
    engine = "torch"
    needs = ("torch",)


class KerasJax(Keras, Jax):
    name = "keras-jax"
    engine = "jax"
    needs = ("jax",)


@contextmanager
def _without_tensorflow() -> Iterator[None]:
    """A context in which TensorFlow cannot be imported, because its tensors do not work on this engine."""
    hidden = sys.modules.get("tensorflow")
    sys.modules["tensorflow"] = None  # type: ignore[assignment]  # the documented way to block an import
    try:
        yield
    finally:
        del sys.modules["tensorflow"]
        if hidden is not None:
            sys.modules["tensorflow"] = hidden


@contextmanager
def policy(dtype: str) -> Iterator[None]:
    """A context that sets Keras's default dtype, for variables and for computation."""
    import keras

    before, floatx = keras.config.dtype_policy(), keras.config.floatx()
    keras.config.set_floatx(dtype)
    keras.config.set_dtype_policy(dtype)
    try:
        yield
    finally:
        keras.config.set_floatx(floatx)
        keras.config.set_dtype_policy(before)
