"""TensorFlow with Keras 3: eager, tf.function and XLA (jit_compile)."""

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import wraps
from typing import Any
from weakref import WeakSet

import numpy as np

from bench.backends import TF32, Absent, Asked, Backend, Binder, Loop, lived
from bench.backends.keras import policy
from bench.case import Training
from bench.tree import Tree, flatten, tree_map


class TensorFlow(Backend):
    name = "tensorflow"
    packages = ("tensorflow", "tensorflow-cpu", "tensorflow-intel")
    modes = ("function", "eager", "xla", TF32)
    heavy = (TF32,)
    typical = ("eager",)
    tuned = ("xla",)
    sorts = True
    positional = True

    @classmethod
    def environment(cls, *, threads: int | None, dtype: str, device: str) -> dict[str, str]:
        pools = dict.fromkeys(("TF_NUM_INTRAOP_THREADS", "OMP_NUM_THREADS"), str(threads))
        return {
            "KERAS_BACKEND": "tensorflow",
            "TF_CPP_MIN_LOG_LEVEL": "3",
            **({**pools, "TF_NUM_INTEROP_THREADS": "1"} if threads else {}),
            # otherwise its pool takes all memory of the GPU, and other workers get none
            **({"CUDA_VISIBLE_DEVICES": "-1"} if device == "cpu" else {"TF_FORCE_GPU_ALLOW_GROWTH": "true"}),
        }

    def __init__(self, device: str, dtype: str) -> None:
        import tensorflow as tf

        super().__init__(device, dtype)
        if device == "gpu" and not tf.config.list_physical_devices("GPU"):
            built = "" if tf.test.is_built_with_cuda() else ": it is built without CUDA"
            raise Absent(f"tensorflow sees no GPU here{built}")
        if "TF_NUM_INTRAOP_THREADS" in os.environ:
            _set_threads(int(os.environ["TF_NUM_INTRAOP_THREADS"]))
        if not self.shipped:
            tf.config.experimental.enable_tensor_float_32_execution(False)
        self.place = f"/{device.upper()}:0"
        self.precision = _read_precision()
        self.functions: WeakSet[Any] = WeakSet()

    @property
    def version(self) -> str:
        import tensorflow as tf

        return str(tf.__version__)

    def threads(self) -> int | None:
        import tensorflow as tf

        return tf.config.threading.get_intra_op_parallelism_threads() or None

    def flags(self) -> Mapping[str, Callable[[], Any]]:
        import keras
        import tensorflow as tf

        def one_dnn() -> bool:
            from tensorflow.python.util import _pywrap_util_port  # there is no public API for this

            return bool(_pywrap_util_port.IsMklEnabled())

        def build(name: str) -> Any:
            return tf.sysconfig.get_build_info().get(name)

        return {
            "onednn": one_dnn,
            "inter_op_threads": tf.config.threading.get_inter_op_parallelism_threads,
            "xla_jit": tf.config.optimizer.get_jit,
            "cuda": lambda: build("cuda_version"),
            "cudnn": lambda: build("cudnn_version"),
            "keras": keras.version,
            "keras_backend": keras.backend.backend,
        }

    def lacks(self, error: BaseException) -> bool:
        import tensorflow as tf

        names = {"float64": "double", "float32": "float", "bfloat16": "bfloat16", "float16": "half"}
        name, text = names[self.dtype], str(error)
        words = (
            f"of {name} is not in the list of allowed values",
            f"has DataType {self.dtype} not in list of allowed values",
        )
        unregistered = ("No OpKernel was registered to support Op", "Could not find device for node")
        if isinstance(error, tf.errors.NotFoundError | tf.errors.InvalidArgumentError | TypeError):
            return any(each in text for each in words) or (
                f"=DT_{name.upper()}" in text and any(each in text for each in unregistered)
            )
        return False

    def operations(self) -> dict[str, Callable[..., Any]]:
        import tensorflow as tf

        return {
            **super().operations(),
            "triad": tf.function(super().operations()["triad"], jit_compile=True),  # one pass over memory
            "sum": lambda x: tf.reduce_sum(x, -1),
            "softmax": tf.nn.softmax,
            "tile": lambda x, times: tf.tile(x, [times, 1]),
        }

    def building(self) -> AbstractContextManager[Any]:
        return _defaults(self.dtype, self.place)

    def put(self, tree: Tree) -> Tree:
        import tensorflow as tf

        def leaf(array: Any) -> Any:
            return tf.constant(array) if isinstance(array, np.ndarray) else array

        with tf.device(self.place):
            placed = tree_map(leaf, tree)
        self.wait(placed)  # otherwise the first call would wait for the copy
        return placed

    def get(self, tree: Tree) -> Tree:
        return tree_map(lambda y: y.numpy() if hasattr(y, "numpy") else y, tree)

    def compile(self, function: Callable[..., Any], mode: str) -> Callable[..., Any]:
        import tensorflow as tf

        if mode == "eager":
            return function
        compiled = tf.function(function, jit_compile=True if mode == "xla" else None)
        self.functions.add(compiled)
        return compiled

    def forward(self, run: Callable[..., Any], mode: str) -> Callable[..., Any]:
        compiled = self.compile(run, mode)
        return self._rounding(self._placed(lambda params, data: compiled(params, **data)), mode)

    def _placed(self, call: Callable[..., Any]) -> Callable[..., Any]:
        import tensorflow as tf

        def placed(*arguments: Any) -> Any:
            with tf.device(self.place):
                return call(*arguments)

        return placed

    def _rounding(self, call: Callable[..., Any], mode: str) -> Callable[..., Any]:
        """`call`; in the mode TF32, a wrapper that allows TF32 and reads the precision back."""
        import tensorflow as tf

        if mode != TF32:
            return call

        def rounding(*arguments: Any) -> Any:
            tf.config.experimental.enable_tensor_float_32_execution(True)
            try:
                self.read[mode] = _read_precision()
                return call(*arguments)
            finally:
                tf.config.experimental.enable_tensor_float_32_execution(False)

        return rounding

    def vjp(self, run: Callable[..., Any], mode: str, wrt: Sequence[str]) -> Callable[..., Any]:
        import tensorflow as tf

        def call(params: Tree, data: Mapping[str, Any], cotangents: Mapping[str, Any]) -> Any:
            leaves = [*flatten(params).values(), *(data[name] for name in wrt)]
            with tf.GradientTape() as tape:
                tape.watch(leaves)
                outputs = run(params, **data)
            found = tape.gradient(
                [outputs[name] for name in cotangents], leaves, output_gradients=list(cotangents.values())
            )
            dense = iter(
                tf.zeros_like(leaf) if gradient is None else tf.convert_to_tensor(gradient)
                for leaf, gradient in zip(leaves, found, strict=True)
            )
            return outputs, {
                "params": tree_map(lambda _: next(dense), params),
                "data": {name: next(dense) for name in wrt},
            }

        compiled = self.compile(call, mode)
        return wraps(compiled, assigned=(), updated=())(self._rounding(self._placed(compiled), mode))

    def cut(
        self,
        run: Callable[..., Any],
        params: Tree,
        data: Mapping[str, Any],
        outputs: Sequence[str],
        wrt: Sequence[str],
    ) -> list[str]:
        import tensorflow as tf

        leaves = flatten({"params": params, "data": {name: data[name] for name in wrt}})
        with tf.GradientTape() as tape:
            tape.watch(list(leaves.values()))
            found = run(params, **data)
        gradients = tape.gradient([found[name] for name in outputs], list(leaves.values()))
        return [path for path, gradient in zip(leaves, gradients, strict=True) if gradient is None]

    def bind_vjp(
        self, vjp: Callable[..., Any], run: Callable[..., Any], mode: str, wrt: Sequence[str]
    ) -> Binder:
        bare = vjp if mode == TF32 else getattr(vjp, "__wrapped__", vjp)
        return super().bind_vjp(bare, run, mode, wrt)

    def running(self, direction: str) -> AbstractContextManager[Any]:
        import tensorflow as tf

        return tf.device(self.place)

    def compilations(self) -> tuple[int, float | None]:
        """Return the number of traces of tf.functions; their time is unknown."""
        return sum(each.experimental_get_tracing_count() for each in self.functions), None

    def loop(self, training: Training, mode: str) -> Loop:
        model, optimizer = lived(training)
        variables = getattr(model, "trainable_variables", model)
        optimizer.build(variables)
        count, _, *slots = optimizer.variables  # iterations, learning rate, slots
        for what, given, right in (
            ("params", training.params, variables),
            ("variables in the state", training.state.get("variables", []), slots),
        ):
            if (got := len(flatten(given))) != len(right):
                raise ValueError(f"{what} of its Training are {got} arrays, should be {len(right)}")
        step = self.compile(training.step, mode)

        def load(params: Tree, state: Tree) -> None:
            for variable, array in zip(variables, flatten(params).values(), strict=True):
                variable.assign(array)
            count.assign(state.get("iterations", 0))
            for variable, array in zip(slots, flatten(state.get("variables", [])).values(), strict=True):
                variable.assign(array)

        def read() -> tuple[Tree, Tree]:
            params = dict(zip(flatten(training.params), variables, strict=True))
            counts = {"iterations": int(count)} if "iterations" in training.state else {}
            return self.get(params), {**counts, "variables": [np.asarray(slot) for slot in slots]}

        predict = training.predict and self._rounding(training.predict, mode)
        return Loop(load, self._rounding(lambda batch: step(**batch), mode), read, predict)

    def script(self, asked: Asked) -> list[str]:
        full = (
            [f"tf.config.experimental.enable_tensor_float_32_execution({asked.mode == TF32})"]
            if self.device == "gpu"
            else []
        )
        lines = ["import tensorflow as tf", *full, f"tf.keras.config.set_floatx('{self.dtype}')"]
        compiled = {"eager": "", "xla": "tf.function(jit_compile=True)"}.get(asked.mode, "tf.function")
        if asked.direction == "training":
            return [
                *lines,
                f"model, optimizer = (training := {asked.build}).live",
                "variables = getattr(model, 'trainable_variables', model)",
                "optimizer.build(variables)",
                "count, _, *slots = optimizer.variables",
                "count.assign(training.state.get('iterations', 0))",
                "values = tf.nest.flatten([training.params, training.state.get('variables', [])])",
                "for variable, value in zip([*variables, *slots], values):",
                "    variable.assign(value)",
                f"step = {compiled}(training.step)",
                "got = [step(**tf.nest.map_structure(tf.constant, data)), *variables, *slots]",
            ]
        lines.append(f"params, run = {asked.build}")
        names = list(asked.outputs)
        if not asked.graph:
            lines.append("params, data = tf.nest.map_structure(tf.constant, (params, data))")
            return [*lines, f"got = map({compiled}(run)(params, **data).get, {names})"]
        lines += [
            "params, data, dy = tf.nest.map_structure(tf.constant, (params, data, dy))",
            *([f"@{compiled}"] if compiled else []),
            "def call(params, data, dy):",
            f"    wrt = [*tf.nest.flatten(params), *map(data.get, {list(asked.wrt)})]",
            "    with tf.GradientTape() as tape:",
            "        tape.watch(wrt)",
            "        y = run(params, **data)",
            "    return y, tape.gradient([y[k] for k in dy], wrt, list(dy.values()), 'zero')",
        ]
        if asked.direction == "gradient":
            return [*lines, "got = map(tf.convert_to_tensor, call(params, data, dy)[1])"]
        return [*lines, f"got = map(call(params, data, dy)[0].get, {names})"]

    def device_peak(self, call: Callable[[], Any]) -> int | None:
        """Return the peak memory, also on a CPU if TensorFlow is built with a memory pool (oneDNN)."""
        import tensorflow as tf

        device = self.place.strip("/")
        try:
            tf.config.experimental.reset_memory_stats(device)
            before = tf.config.experimental.get_memory_info(device)["current"]
        except (ValueError, tf.errors.OpError):  # the allocator has no statistics
            return None
        result = call()
        self.wait(result)
        return int(tf.config.experimental.get_memory_info(device)["peak"] - before)

    def wait(self, tree: Tree) -> None:
        import tensorflow as tf

        if self.device == "gpu":
            tf.test.experimental.sync_devices()


def _read_precision() -> str:
    import tensorflow as tf

    return f"TF32 {'on' if tf.config.experimental.tensor_float_32_execution_enabled() else 'off'}"


def _set_threads(threads: int) -> None:
    """Set the threads again: TensorFlow obeys the environment variable, but then reads back 0."""
    import tensorflow as tf

    with suppress(RuntimeError):  # TensorFlow has already started; the number that is read back will differ
        tf.config.threading.set_intra_op_parallelism_threads(threads)


@contextmanager
def _defaults(dtype: str, place: str) -> Any:
    import tensorflow as tf

    with policy(dtype), tf.device(place):
        yield
