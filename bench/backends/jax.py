"""JAX with flax and optax: with jit and op by op. x64 is enabled only in float64 cells."""

import os
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from typing import Any

import numpy as np

from bench.backends import TF32, Absent, Asked, Backend, Loop, extended, release, stepped
from bench.cache import folder
from bench.case import Training
from bench.machine import isa
from bench.tree import Tree, flatten, tree_map

SEVERAL = "--xla_cpu_multi_thread_eigen"
CUDA = ("jax-cuda13-plugin", "jax-cuda12-plugin")
# messages of XLA if cuDNN has no kernel for a convolution (jax-ml/jax#37922)
UNSERVED = (
    "Autotuner could not find any supported configs",
    "CUDNN_STATUS_NOT_SUPPORTED",
    "Unsupported dtype",  # LAPACK functions
)


class Jax(Backend):
    name = "jax"
    packages = ("jax",)
    modes = ("jit", "eager", TF32)
    heavy = (TF32,)
    typical = ("eager",)
    sorts = True
    positional = True

    @property
    def asynchronous(self) -> bool:
        return True

    @classmethod
    def environment(cls, *, threads: int | None, dtype: str, device: str) -> dict[str, str]:
        cpu = "-".join(isa.features()) or "plain"  # a cache may be copied to another CPU
        several = "true" if threads and threads > 1 else "false"
        pool = {"XLA_FLAGS": extended("XLA_FLAGS", f"{SEVERAL}={several}"), "NPROC": str(threads)}
        return {
            "JAX_ENABLE_X64": "1" if dtype == "float64" else "0",
            "JAX_PLATFORMS": "cpu" if device == "cpu" else _platforms(),
            **(pool if threads else {}),
            "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
            "JAX_COMPILATION_CACHE_DIR": str(folder(f"jax/{cpu}")),
            "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        }

    @classmethod
    def compile_anew(cls, anew: bool) -> None:
        import jax

        if jax.config.jax_enable_compilation_cache == anew:
            jax.config.update("jax_enable_compilation_cache", not anew)
            with suppress(ImportError, AttributeError):  # JAX reads it once, unless reset
                from jax.experimental.compilation_cache import compilation_cache

                compilation_cache.reset_cache()

    def __init__(self, device: str, dtype: str) -> None:
        import jax

        super().__init__(device, dtype)
        if bool(jax.config.jax_enable_x64) != (dtype == "float64"):
            raise RuntimeError(
                f"jax: got x64 {jax.config.jax_enable_x64} for {dtype}, should be {dtype == 'float64'}; "
                "set JAX_ENABLE_X64 before jax is imported"
            )
        try:
            self.place = jax.devices(device)[0]
        except RuntimeError as error:
            raise Absent(f"jax has no {device} device here: {str(error).partition(chr(10))[0]}") from error
        # the default on a GPU is TF32, but cells declare the precision of the dtype
        if not self.shipped:
            jax.config.update("jax_default_matmul_precision", "highest")
        self.precision = f"matmul {jax.config.jax_default_matmul_precision or 'default'}"
        _compiled()

    def start(self) -> None:
        import jax

        super().start()
        one = self.put({"x": np.ones((1, 1, 3, 3), "float32")})["x"]
        self.wait(
            jax.lax.conv(one, one, (1, 1), "VALID")
        )  # convolutions and products use different libraries

    @property
    def version(self) -> str:
        import jax

        return str(jax.__version__)

    def threads(self) -> int | None:
        """Return the number requested for XLA, which cannot be read back; 1 if a flag says so."""
        asked = os.environ.get("NPROC")
        alone = re.findall(rf"{SEVERAL}=(\w+)", os.environ.get("XLA_FLAGS", ""))[-1:] in (["false"], ["0"])
        return (1 if alone else int(asked)) if asked else None

    def flags(self) -> Mapping[str, Callable[[], Any]]:
        import jax

        config: Any = jax.config
        return {
            "platform": lambda: self.place.client.platform,
            "platform_version": lambda: self.place.client.platform_version,
            "device": lambda: self.place.device_kind,
            "x64": lambda: config.jax_enable_x64,
            "matmul_precision": lambda: config.jax_default_matmul_precision,
            "disable_jit": lambda: config.jax_disable_jit,
            "dtype_promotion": lambda: config.jax_numpy_dtype_promotion,
            "prng": lambda: config.jax_default_prng_impl,
            "threefry_partitionable": lambda: config.jax_threefry_partitionable,
        }

    def isa(self) -> str:
        """Return the instruction set that XLA compiles programs for."""
        return _isa() if self.device == "cpu" else ""

    def lacks(self, error: BaseException) -> bool:
        import jax

        if isinstance(error, NotImplementedError):
            return f"Unsupported dtype {self.dtype}" in str(error)
        short = {"bfloat16": "BF16", "float16": "F16"}.get(self.dtype)  # XLA's name of the dtype
        if isinstance(error, jax.errors.JaxRuntimeError):  # in float32 and float64 it is a fault
            return short is not None and any(each in str(error) for each in UNSERVED)
        return isinstance(error, ValueError) and bool(
            re.search(rf"The precision '{short}_\w+' is not supported by dot_general on", str(error))
        )

    def operations(self) -> dict[str, Callable[..., Any]]:
        import jax

        usual = super().operations()
        return {
            **usual,
            "copy": _streaming(jax.numpy.copy),
            "triad": _streaming(usual["triad"]),
            "sum": lambda x: jax.numpy.sum(x, -1),
            "softmax": jax.nn.softmax,
            "tile": lambda x, times: jax.numpy.tile(x, (times, 1)),
        }

    def building(self) -> Any:
        import jax

        return jax.default_device(self.place)

    def put(self, tree: Tree) -> Tree:
        import jax

        # device_put returns before the copy is done, and the first call would wait for it
        return jax.block_until_ready(jax.device_put(tree, self.place))

    def get(self, tree: Tree) -> Tree:
        return tree_map(np.asarray, tree)

    def compile(self, function: Callable[..., Any], mode: str) -> Callable[..., Any]:
        import jax

        if mode == "eager":
            return function
        compiled = jax.jit(function)
        if mode != TF32:
            return compiled

        def rounding(*arguments: Any, **keywords: Any) -> Any:
            with jax.default_matmul_precision("tensorfloat32"):
                self.read[mode] = f"matmul {jax.config.jax_default_matmul_precision}"
                return compiled(*arguments, **keywords)

        return rounding

    def vjp(self, run: Callable[..., Any], mode: str, wrt: Sequence[str]) -> Callable[..., Any]:
        import jax
        import jax.numpy as jnp

        def call(params: Tree, data: Mapping[str, Any], cotangents: Mapping[str, Any]) -> Any:
            def outputs_of(params: Tree, floating: Mapping[str, Any]) -> Any:
                outputs = run(params, **{**data, **floating})
                floats = {name: outputs[name] for name in cotangents}
                return floats, {name: y for name, y in outputs.items() if name not in cotangents}

            floats, pull, others = jax.vjp(
                outputs_of, params, {name: data[name] for name in wrt}, has_aux=True
            )
            of_params, of_data = pull(dict(cotangents))
            dense = jax.tree.map(jnp.asarray, {"params": of_params, "data": of_data})
            return {**floats, **others}, dense

        return self.compile(call, mode)

    def cut(
        self,
        run: Callable[..., Any],
        params: Tree,
        data: Mapping[str, Any],
        outputs: Sequence[str],
        wrt: Sequence[str],
    ) -> list[str]:
        """Return the leaves whose gradient depends on no cotangent in the jaxpr of the gradient."""
        import jax
        import jax.numpy as jnp

        leaves = flatten({"params": params, "data": {name: data[name] for name in wrt}})

        def outputs_of(params: Tree, floating: Mapping[str, Any]) -> Any:
            found = run(params, **{**data, **floating})
            return [found[name] for name in outputs]

        def gradients(cotangents: Any) -> Any:
            of_params, of_data = jax.vjp(outputs_of, params, {name: data[name] for name in wrt})[1](
                cotangents
            )
            found = flatten({"params": of_params, "data": of_data})
            return [found[path] for path in leaves]

        try:
            shapes = jax.eval_shape(outputs_of, params, {name: data[name] for name in wrt})
            program = jax.make_jaxpr(gradients)([jnp.ones(each.shape, each.dtype) for each in shapes]).jaxpr
        except (jax.errors.TracerArrayConversionError, jax.errors.ConcretizationTypeError):
            return list(leaves)  # the run converts a value to NumPy or Python
        reached = set(map(id, program.invars))
        for step in program.eqns:
            if any(id(each) in reached for each in step.invars):
                reached |= set(map(id, step.outvars))
        return [path for path, out in zip(leaves, program.outvars, strict=True) if id(out) not in reached]

    def compilations(self) -> tuple[int, float | None]:
        """Return the number of traces, and the seconds of tracing, lowering and compilation."""
        return _compiled()["traced"], _compiled()["seconds"]

    def loop(self, training: Training, mode: str) -> Loop:
        update = self.compile(training.step, mode)
        held: dict[str, Any] = {}

        def load(params: Tree, state: Tree) -> None:
            held.update(params=self.put(params), state=self.put(state))

        def step(batch: Mapping[str, Any]) -> Any:
            found = update(held["params"], held["state"], **batch)
            held["params"], held["state"], loss = stepped(found)
            return loss

        def predict(x: Any) -> Any:
            assert training.predict is not None
            return self.compile(training.predict, mode)(held["params"], x)

        return Loop(
            load,
            step,
            lambda: (self.get(held["params"]), self.get(held["state"])),
            training.predict and predict,
        )

    def counted(self, call: Callable[..., Any], *arguments: Any) -> dict[str, float] | None:
        """Return XLA's count for the compiled program. A transcendental is one flop, as on the pages."""
        import jax

        found: Any = jax.jit(call).lower(*arguments).compile().cost_analysis()
        costs = (
            found[0] if isinstance(found, list) else found
        ) or {}  # older versions return a list, one per program
        # a key is missing if a program has no such operation
        flops = sum(float(costs.get(kind, 0)) for kind in ("flops", "transcendentals"))
        return {"flops": flops, "bytes": float(costs.get("bytes accessed", 0))}

    def script(self, asked: Asked) -> list[str]:
        lines = ["import jax", "import jax.numpy as jnp"]
        lines += [f"jax.config.update('jax_enable_x64', {self.dtype == 'float64'})"]
        precision = "tensorfloat32" if asked.mode == TF32 else "highest"
        if self.device == "gpu":
            lines += [f"jax.config.update('jax_default_matmul_precision', '{precision}')"]
        jit = "" if asked.mode == "eager" else "jax.jit"
        if asked.direction == "training":
            return [
                *lines,
                f"training = {asked.build}",
                f"params, state, loss = {jit}(training.step)(training.params, training.state, **data)",
                "leaves = [loss, *jax.tree.leaves((params, state))]",
                "got = [y for y in leaves if jnp.issubdtype(y.dtype, jnp.floating)]",
            ]
        lines.append(f"params, run = {asked.build}")
        if not asked.graph:
            lines += ["params, data = jax.tree.map(jnp.asarray, (params, data))"]
            lines += [f"outputs = {jit}(run)(params, **data)"]
        else:
            wrt = ", ".join(f"'{name}': data['{name}']" for name in asked.wrt)
            lines += [
                "params, data, dy = jax.tree.map(jnp.asarray, (params, data, dy))",
                "def call(params, data, dy):",
                "    def floats(params, x):",
                "        return {k: y for k, y in run(params, **data | x).items() if k in dy}",
                f"    outputs, pull = jax.vjp(floats, params, {{{wrt}}})",
                "    return outputs, pull(dy)",
                f"outputs, gradients = {jit}(call)(params, data, dy)",
            ]
        if asked.direction == "gradient":
            return [*lines, "got = jax.tree.leaves(gradients)"]
        return [*lines, f"got = [outputs[name] for name in {list(asked.outputs)}]"]

    def device_peak(self, call: Callable[[], Any]) -> int | None:
        """Return the peak memory. The counter has no reset, so memory is first filled up to the old peak.

        None if there is too little memory for that.
        """
        import jax

        stats = self.place.memory_stats() if self.device == "gpu" else None
        if not stats or "peak_bytes_in_use" not in stats:
            return None
        gap = stats["peak_bytes_in_use"] - stats["bytes_in_use"]
        if gap > stats.get("bytes_limit", np.inf) / 2:
            return None
        try:
            with jax.default_device(self.place):
                ballast = jax.block_until_ready(jax.numpy.zeros(gap, "uint8"))
            before = self.place.memory_stats()["bytes_in_use"]
            self.wait(call())
        except jax.errors.JaxRuntimeError as error:
            if "RESOURCE_EXHAUSTED" not in str(error):
                raise
            return None
        needed = int(self.place.memory_stats()["peak_bytes_in_use"] - before)
        ballast.delete()
        return needed

    def wait(self, tree: Tree) -> None:
        import jax

        jax.block_until_ready(tree)


def _platforms() -> str:
    """The platforms of a GPU cell: a named one raises if it cannot start, where the default uses the CPU."""
    return "cuda,cpu" if any(map(release, CUDA)) else ""


@cache
def _compiled() -> dict[str, Any]:
    """The traces and seconds of compilation since the first call, updated by a listener."""
    import jax.monitoring

    heard: dict[str, Any] = {"traced": 0, "seconds": 0.0}

    def hear(event: str, seconds: float, **_: Any) -> None:
        if event.startswith("/jax/core/compile/"):
            heard["traced"] += event.endswith("jaxpr_trace_duration")
            heard["seconds"] += seconds

    jax.monitoring.register_event_duration_secs_listener(hear)
    return heard


def _streaming(verb: Callable[..., Any]) -> Callable[..., Any]:
    """The function, writing into its last result, because new memory pages cost more."""
    import jax

    compiled = jax.jit(lambda last, *arrays: verb(*arrays), donate_argnums=0, keep_unused=True)
    kept: dict[Any, Any] = {}

    def call(*arrays: Any) -> Any:
        shape = arrays[0].shape
        last = kept.pop(shape) if shape in kept else jax.numpy.zeros_like(arrays[0])
        kept[shape] = compiled(last, *arrays)
        return kept[shape]

    return call


@cache
def _isa() -> str:
    """The instruction set that XLA uses: a serialized program names the CPU features that it needs."""
    import jax

    with suppress(Exception):  # serialization is not a public API
        compiled = jax.jit(lambda x: x + 1).lower(np.float32(1)).compile()
        written = compiled.runtime_executable().serialize()
        return isa.of_llvm(name.decode() for name in re.findall(rb"\+([a-z0-9.]+)", written))
    return ""
