"""PyTorch: eager and with torch.compile."""

import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache
from typing import Any

import numpy as np

from bench.backends import TF32, Absent, Asked, Backend, Binder, Bound, Loop, bound, lived
from bench.case import Training
from bench.machine import isa
from bench.tree import Tree, flatten, tree_map

# messages of cuDNN and fused attention for a missing kernel; in float32 and float64 they are faults
UNSERVED = (
    "unable to find an engine to execute this computation",
    "CUDNN_STATUS_NOT_SUPPORTED",
    "No available kernel",
)
SDPA = ("flash", "mem_efficient", "math", "cudnn")  # kernels of fused attention
# lines of torch.__config__: the version of a library and, for oneDNN, its commit
LIBRARY = r"^  - (?:Intel\(R\) )?((?:oneAPI )?Math Kernel Library Version \S+|MKL-DNN v\S+|OpenMP \d+)"


class Torch(Backend):
    name = "torch"
    packages = ("torch",)
    modes = ("eager", "compile", "transposed", "gaps", TF32)
    spins = True
    positional = True
    heavy = ("compile", "transposed", "gaps", TF32)
    tuned = ("compile",)
    layouts = ("transposed", "gaps")

    @classmethod
    def environment(cls, *, threads: int | None, dtype: str, device: str) -> dict[str, str]:
        return dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS"), str(threads)) if threads else {}

    def __init__(self, device: str, dtype: str) -> None:
        import torch

        super().__init__(device, dtype)
        if device == "gpu" and not torch.cuda.is_available():
            raise Absent(f"torch sees no CUDA device here: {_no_cuda()}")
        self.place = torch.device("cuda" if device == "gpu" else "cpu")
        if not self.shipped:
            _allow_tf32(False)
            if device == "gpu":
                _reduce_in_16_bits(False)
        self.precision = self._read_precision()

    def start(self) -> None:
        import torch

        super().start()
        one = torch.ones((1, 1, 3, 3), device=self.place)
        self.wait({"y": torch.nn.functional.conv2d(one, one)})  # not the library of products

    @property
    def version(self) -> str:
        import torch

        return str(torch.__version__)

    def threads(self) -> int | None:
        import torch

        return torch.get_num_threads()

    def isa(self) -> str:
        """Return the instruction set of torch's own kernels; MKL and oneDNN do not report theirs."""
        import torch

        return isa.of_aten(torch.backends.cpu.get_cpu_capability()) if self.device == "cpu" else ""

    def flags(self) -> Mapping[str, Callable[[], Any]]:
        import torch

        backends: Any = torch.backends
        found: dict[str, Callable[[], Any]] = {
            "cpu_capability": lambda: backends.cpu.get_cpu_capability(),
            "libraries": lambda: re.findall(LIBRARY, torch.__config__.show(), re.MULTILINE),
            "interop_threads": torch.get_num_interop_threads,
            "mkl": lambda: backends.mkl.is_available(),
            "onednn": lambda: backends.mkldnn.is_available() and backends.mkldnn.enabled,
            "onednn_matmul_precision": lambda: backends.mkldnn.matmul.fp32_precision,
            "deterministic": torch.are_deterministic_algorithms_enabled,
            "cuda": lambda: torch.version.cuda,
            "cudnn": lambda: backends.cudnn.version(),
        }
        if not torch.cuda.is_available():
            return found
        return {
            **found,
            "blas": lambda: backends.cuda.preferred_blas_library(),
            "matmul_tf32": lambda: backends.cuda.matmul.allow_tf32,
            "matmul_fp32_precision": lambda: backends.cuda.matmul.fp32_precision,
            "matmul_fp16_accumulation": lambda: backends.cuda.matmul.allow_fp16_accumulation,
            "matmul_fp16_reduction": lambda: backends.cuda.matmul.allow_fp16_reduced_precision_reduction,
            "matmul_bf16_reduction": lambda: backends.cuda.matmul.allow_bf16_reduced_precision_reduction,
            "cudnn_tf32": lambda: backends.cudnn.allow_tf32,
            "cudnn_conv_fp32_precision": lambda: backends.cudnn.conv.fp32_precision,
            "cudnn_rnn_fp32_precision": lambda: backends.cudnn.rnn.fp32_precision,
            "cudnn_benchmark": lambda: backends.cudnn.benchmark,
            "cudnn_deterministic": lambda: backends.cudnn.deterministic,
            "sdpa": lambda: [each for each in SDPA if getattr(backends.cuda, f"{each}_sdp_enabled")()],
        }

    def _read_precision(self) -> str:
        import torch

        products = f"matmul {torch.get_float32_matmul_precision()}"
        if self.device != "gpu":
            return products
        products += f", cuDNN TF32 {'on' if torch.backends.cudnn.allow_tf32 else 'off'}"
        short = {"float16": "fp16", "bfloat16": "bf16"}.get(self.dtype)
        if short is None:
            return products
        reduced = getattr(torch.backends.cuda.matmul, f"allow_{short}_reduced_precision_reduction")
        return f"{products}, sums in 16 bits {'on' if reduced else 'off'}"

    def _rounding(self, call: Callable[..., Any], mode: str) -> Callable[..., Any]:
        """`call`; in the mode TF32, a wrapper that allows TF32 and reads the precision back."""
        if mode != TF32:
            return call

        def rounding(*arguments: Any, **keywords: Any) -> Any:
            _allow_tf32(True)
            try:
                self.read[mode] = self._read_precision()
                return call(*arguments, **keywords)
            finally:
                _allow_tf32(False)

        return rounding

    def lacks(self, error: BaseException) -> bool:
        name = {"float64": "Double", "float32": "Float", "bfloat16": "BFloat16", "float16": "Half"}[
            self.dtype
        ]
        words = {f"not implemented for '{name}'"}
        if name in ("BFloat16", "Half"):
            words |= {
                "doesn't handle types other than float and double",
                "Low precision dtypes not supported",
                *UNSERVED,
            }
        return isinstance(error, RuntimeError) and any(each in str(error) for each in words)

    def operations(self) -> dict[str, Callable[..., Any]]:
        import torch

        dtype = getattr(torch, self.dtype)
        # new memory pages cost more
        kept = cache(lambda shape: torch.empty(shape, dtype=dtype, device=self.place))
        return {
            **super().operations(),
            "copy": lambda x: kept(x.shape).copy_(x),
            "triad": lambda b, c: torch.add(b, c, alpha=2, out=kept(b.shape)),
            "sum": lambda x: torch.sum(x, -1),
            "softmax": lambda x: torch.softmax(x, -1),
            "tile": lambda x, times: x.repeat(times, 1),
        }

    def building(self) -> AbstractContextManager[Any]:
        return _defaults(self.dtype, self.place)

    def put(self, tree: Tree) -> Tree:
        import torch

        def leaf(array: Any) -> Any:
            if not isinstance(array, np.ndarray):
                return array
            if array.dtype.name == "bfloat16":  # torch cannot read NumPy's extension type
                return torch.from_numpy(array.astype("float32")).to(self.place, torch.bfloat16)
            return torch.tensor(array, device=self.place).contiguous()  # like the parameters of a layer

        return tree_map(leaf, tree)

    def get(self, tree: Tree) -> Tree:
        import torch

        def leaf(tensor: Any) -> Any:
            if not isinstance(tensor, torch.Tensor):
                return tensor
            tensor = tensor.detach().cpu()
            if tensor.dtype == torch.bfloat16:
                import ml_dtypes

                return tensor.float().numpy().astype(ml_dtypes.bfloat16)
            return np.array(tensor.resolve_conj().resolve_neg().numpy())

        return tree_map(leaf, tree)

    def compile(self, function: Callable[..., Any], mode: str) -> Callable[..., Any]:
        import torch

        if mode != "compile":
            return function
        _compile_every()
        return torch.compile(function)

    def forward(self, run: Callable[..., Any], mode: str) -> Callable[..., Any]:
        import torch

        compiled = self.compile(run, mode)

        def call(params: Tree, data: Mapping[str, Any]) -> Any:
            with torch.no_grad():
                return compiled(params, **placed(dict(data), mode))

        return self._rounding(call, mode)

    def vjp(self, run: Callable[..., Any], mode: str, wrt: Sequence[str]) -> Callable[..., Any]:
        import torch

        compiled = self.compile(run, mode)

        def call(params: Tree, data: Mapping[str, Any], cotangents: Mapping[str, Any]) -> Any:
            params = tree_map(lambda tensor: tensor.detach().requires_grad_(), params)
            laid, cotangents = placed(dict(data), mode), placed(dict(cotangents), mode)
            data = {**laid, **{name: laid[name].detach().requires_grad_() for name in wrt}}
            leaves = [*flatten(params).values(), *(data[name] for name in wrt)]
            outputs = compiled(params, **data)
            live = _live(outputs, cotangents)
            found = (
                torch.autograd.grad(
                    [outputs[name] for name in live],
                    leaves,
                    [cotangents[name] for name in live],
                    allow_unused=True,
                )
                if live
                else [None] * len(leaves)
            )
            return outputs, _dense(found, leaves, params, wrt)

        return self._rounding(call, mode)

    def cut(
        self,
        run: Callable[..., Any],
        params: Tree,
        data: Mapping[str, Any],
        outputs: Sequence[str],
        wrt: Sequence[str],
    ) -> list[str]:
        import torch

        params = tree_map(lambda tensor: tensor.detach().requires_grad_(), params)
        data = {**data, **{name: data[name].detach().requires_grad_() for name in wrt}}
        leaves = flatten({"params": params, "data": {name: data[name] for name in wrt}})
        found = run(params, **data)
        live = [found[name] for name in _live(found, outputs)]
        if not live:
            return list(leaves)
        ones = [torch.ones_like(y) for y in live]
        gradients = torch.autograd.grad(live, list(leaves.values()), ones, allow_unused=True)
        return [path for path, gradient in zip(leaves, gradients, strict=True) if gradient is None]

    def bind_vjp(
        self, vjp: Callable[..., Any], run: Callable[..., Any], mode: str, wrt: Sequence[str]
    ) -> Binder:
        import torch

        if mode == TF32:
            return super().bind_vjp(vjp, run, mode, wrt)
        compiled = self.compile(run, mode)
        # the same tensors in every set: for others, torch.nn.LSTM compacts its weights at every call
        own = cache(lambda tensor: tensor.detach().requires_grad_())

        def binder(params: Tree, data: Mapping[str, Any], cotangents: Mapping[str, Any]) -> Bound:
            params = tree_map(own, params)
            data = {**data, **{name: data[name].detach().requires_grad_() for name in wrt}}
            leaves = [*flatten(params).values(), *(data[name] for name in wrt)]
            names, vectors = list(cotangents), list(cotangents.values())
            forward = bound(compiled, run, params, data).once

            def call() -> Any:
                outputs = forward()
                wanted = [outputs[name] for name in names]
                return outputs, torch.autograd.grad(wanted, leaves, vectors, allow_unused=True)

            return Bound(call, (), lambda result: (result[0], _dense(result[1], leaves, params, wrt)))

        return binder

    def running(self, direction: str) -> AbstractContextManager[Any]:
        import torch

        return torch.no_grad() if direction == "forward" else nullcontext()

    def compilations(self) -> tuple[int, float | None]:
        """Return those of torch.compile, forward and backward. Imports nothing."""
        found = sys.modules.get("torch._dynamo.utils")
        if found is None:
            return 0, 0.0
        spent = found.calculate_time_spent()
        return sum(found.counters["frames"].values()), float(spent["total_wall_time"])

    def loop(self, training: Training, mode: str) -> Loop:
        import torch

        model, optimizer = lived(training)
        names = model if isinstance(model, dict) else dict(model.named_parameters())
        if set(names) != set(training.params):
            got, right = (", ".join(each) or "none" for each in (training.params, names))
            raise ValueError(f"params of its Training are {got}, should be named as the model's: {right}")
        if mode == "compile" and isinstance(model, torch.nn.Module):
            _compile_every()
            model.compile()
        kept = [key for key, value in training.state.items() if isinstance(value, dict)]
        for key in kept:
            if set(training.state[key]) != set(names):
                got, right = (", ".join(each) or "none" for each in (training.state[key], names))
                raise ValueError(f"{key} in the state of its Training is of {got}, should be of {right}")

        def load(params: Tree, state: Tree) -> None:
            with torch.no_grad():
                for name, tensor in names.items():
                    tensor.copy_(self.put(params[name]))
            optimizer.state.clear()
            for name, tensor in names.items():
                entry = {
                    key: self.put(value[name]).to(tensor.dtype)
                    if isinstance(value, dict)
                    else torch.tensor(float(value))
                    for key, value in state.items()
                }
                if entry:
                    optimizer.state[tensor] = entry

        def read() -> tuple[Tree, Tree]:
            state = {key: {name: optimizer.state[t][key] for name, t in names.items()} for key in kept}
            counts = {  # the smallest count shows a parameter that was not updated
                key: min(float(optimizer.state[t][key]) for t in names.values() if t.requires_grad)
                for key in training.state
                if key not in kept
            }
            return self.get(dict(names)), {**self.get(state), **counts}

        def predict(x: Any) -> Any:
            assert training.predict is not None
            with torch.no_grad():
                return training.predict(x)

        step = self._rounding(lambda batch: training.step(**batch), mode)
        return Loop(load, step, read, training.predict and self._rounding(predict, mode))

    def counted(self, call: Callable[..., Any], *arguments: Any) -> dict[str, float]:
        """Return the flops of products, convolutions and attention. Fused kernels are turned off."""
        import torch
        from torch.nn.attention import SDPBackend, sdpa_kernel
        from torch.utils.flop_counter import FlopCounterMode

        counter, fast = FlopCounterMode(display=False), torch.backends.mha.get_fastpath_enabled()
        torch.backends.mha.set_fastpath_enabled(False)
        (fused, *_) = torch.backends.mkldnn.set_flags(False)  # flags() would set TF32 too, and warn
        try:
            with sdpa_kernel(SDPBackend.MATH), counter:
                call(*arguments)
        finally:
            torch.backends.mkldnn.set_flags(fused)
            torch.backends.mha.set_fastpath_enabled(fast)
        return {"flops": float(counter.get_total_flops())}

    def script(self, asked: Asked) -> list[str]:
        wide = self.dtype != "float32"
        lines = ["import torch", *(['torch.set_default_device("cuda")'] if self.device == "gpu" else [])]
        if asked.mode == TF32:
            lines.append("torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True")
        lines += [f"torch.set_default_dtype(torch.{self.dtype})"] if wide else []
        built = ["torch.set_default_dtype(torch.float32)"] if wide else []
        if asked.direction == "training":
            return [
                *lines,
                f"model, optimizer = (made := {asked.build}).live",
                *built,
                *(["model.compile()"] if asked.mode == "compile" else []),
                "named = model if isinstance(model, dict) else dict(model.named_parameters())",
                "for n, x in named.items():",
                "    x.data.copy_(torch.tensor(made.params[n]))",
                "    for k, v in made.state.items():",
                "        optimizer.state[x][k] = torch.tensor(v[n] if isinstance(v, dict) else float(v))",
                "loss = made.step(**{k: torch.tensor(v) for k, v in data.items()})",
                "kept = [optimizer.state[named[n]][k] for k, v in made.state.items() if isinstance(v, dict) "
                "for n in v]",
                "got = [y.detach().cpu().numpy() for y in (loss, *map(named.get, made.params), *kept)]",
            ]
        lines += ["from torch.utils._pytree import tree_leaves, tree_map"]
        lines += [f"params, run = {asked.build}", *built]
        lines += ["run = torch.compile(run)"] if asked.mode == "compile" else []
        put = "tree_map(lambda x: torch.tensor(x).contiguous(), (params, data{}))"
        if not asked.graph:
            return [
                *lines,
                f"params, data = {put.format('')}",
                "with torch.no_grad():",
                "    outputs = run(params, **data)",
                f"got = [outputs[name].cpu().numpy() for name in {list(asked.outputs)}]",
            ]
        lines += [
            f"params, data, dy = {put.format(', dy')}",
            f"wrt = [x.requires_grad_() for x in [*tree_leaves(params), *map(data.get, {list(asked.wrt)})]]",
            "outputs = run(params, **data)",
        ]
        if asked.direction == "forward":
            return [*lines, f"got = [outputs[name].detach().cpu().numpy() for name in {list(asked.outputs)}]"]
        return [
            *lines,
            "got = torch.autograd.grad([outputs[k] for k in dy], wrt, list(dy.values()), allow_unused=True)",
            "got = [torch.zeros_like(x) if g is None else g.to_dense() for x, g in zip(wrt, got)]",
            "got = [g.cpu().numpy() for g in got]",
        ]

    def device_peak(self, call: Callable[[], Any]) -> int | None:
        import torch

        if self.device != "gpu":
            return None
        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        self.wait(call())
        return int(torch.cuda.max_memory_allocated() - before)

    def wait(self, tree: Tree) -> None:
        import torch

        if self.device == "gpu":
            torch.cuda.synchronize()


def _live(outputs: Mapping[str, Any], names: Iterable[str]) -> list[str]:
    """The outputs that require a gradient: torch raises for constants and detached tensors."""
    return [name for name in names if outputs[name].requires_grad]


def _dense(found: Sequence[Any], leaves: Sequence[Any], params: Tree, wrt: Sequence[str]) -> dict[str, Any]:
    import torch

    dense = iter(
        torch.zeros_like(leaf) if gradient is None else gradient.to_dense()
        for leaf, gradient in zip(leaves, found, strict=True)
    )
    return {"params": tree_map(lambda _: next(dense), params), "data": {name: next(dense) for name in wrt}}


def _no_cuda() -> str:
    """Why torch finds no CUDA device, in its own words."""
    import torch

    try:
        torch.cuda.init()
    except (AssertionError, RuntimeError) as error:
        return str(error).strip().partition("\n")[0] or type(error).__name__
    return f"torch {torch.__version__} finds {torch.cuda.device_count()} of them"


def _reduce_in_16_bits(allowed: bool) -> None:
    """Set whether partial sums of 16-bit products may be added in 16 bits."""
    import torch

    products: Any = torch.backends.cuda.matmul
    products.allow_fp16_reduced_precision_reduction = allowed
    products.allow_bf16_reduced_precision_reduction = allowed


def _allow_tf32(allowed: bool) -> None:
    import torch

    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = allowed


def _compile_every() -> None:
    """Make torch.compile compile each build as if it were the first of the process.

    The builds of many options share code. By default, torch runs code eagerly after eight recompilations, and
    compiles a program with dynamic shapes for the second shape.
    """
    import torch._dynamo

    torch._dynamo.config.recompile_limit = torch._dynamo.config.accumulated_recompile_limit = 2**16
    torch._dynamo.config.automatic_dynamic_shapes = False


def placed(tree: Tree, mode: str) -> Tree:
    """The same tensors in the memory layout of `mode`: transposed, or with gaps."""
    import torch

    def leaf(tensor: Any) -> Any:
        if mode == "transposed":
            axes = tuple(reversed(range(tensor.ndim)))
            return tensor.permute(axes).contiguous().permute(axes)
        beside = torch.full_like(tensor, torch.nan if tensor.is_floating_point() else -1)
        return torch.stack([tensor, beside], -1)[..., 0]

    return tree_map(leaf, tree) if mode in Torch.layouts else tree


@contextmanager
def _defaults(dtype: str, place: Any) -> Any:
    import torch

    before = torch.get_default_dtype()
    torch.set_default_dtype(getattr(torch, dtype))
    try:
        with torch.device(place):
            yield
    finally:
        torch.set_default_dtype(before)
