"""ONNX Runtime: inference sessions on small ONNX graphs, forward only.

In the mode "session" the weights are initializers of the session, as in an exported model, and it may fold
and pack them. In the mode "inputs" they are inputs of each call.
"""

import operator
import os
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from bench.backends import Absent, Backend, Loop
from bench.backends.onnxruntime.graphs import CONTENDERS, Graph
from bench.case import Training
from bench.tree import Tree

PROVIDERS = {"cpu": "CPUExecutionProvider", "gpu": "CUDAExecutionProvider"}


class OnnxRuntime(Backend):
    name = "onnxruntime"
    packages = ("onnxruntime", "onnxruntime-gpu")
    needs = ("onnx",)
    modes = ("session", "inputs")
    without = dict.fromkeys(("gradient", "training"), "ONNX Runtime has inference only, no gradients")
    builds = CONTENDERS

    @classmethod
    def environment(cls, *, threads: int | None, dtype: str, device: str) -> dict[str, str]:
        # ONNX Runtime reads no variable: __init__ passes this one to the session
        return {"OMP_NUM_THREADS": str(threads)} if threads else {}

    def __init__(self, device: str, dtype: str) -> None:
        import onnxruntime

        super().__init__(device, dtype)
        if PROVIDERS[device] not in onnxruntime.get_available_providers():
            raise Absent(f"onnxruntime lists no {PROVIDERS[device]} here")
        self.options = onnxruntime.SessionOptions()
        self.options.intra_op_num_threads = int(os.environ.get("OMP_NUM_THREADS", 0))
        self.options.log_severity_level = 4  # errors are raised as well
        self.provider: Any = PROVIDERS[device]
        self.made: Any = None  # the last session, from which settings are read back
        if device == "gpu":
            self.options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
            if not self.shipped:
                self.provider = (PROVIDERS[device], {"use_tf32": "0"})
            self.precision = "as shipped" if self.shipped else "TF32 off"

    @property
    def version(self) -> str:
        import onnxruntime

        return str(onnxruntime.__version__)

    def threads(self) -> int | None:
        read = self.options if self.made is None else self.made.get_session_options()
        return read.intra_op_num_threads or None

    def flags(self) -> Mapping[str, Callable[[], Any]]:
        import onnxruntime

        return {
            "build": onnxruntime.get_build_info,
            "providers": onnxruntime.get_available_providers,
            "optimization": lambda: self.options.graph_optimization_level,
        }

    def operations(self) -> dict[str, Callable[..., Any]]:
        """Return no copy and triad: a session returns new arrays, whose memory pages cost more."""
        graph: Any = Graph("y = MatMul (a, b)")
        weights: Tree = {}
        session = cache(lambda *shapes: self.compile(graph, "inputs"))
        return {
            "multiply": operator.mul,
            "matmul": lambda a, b: session(a.shape, b.shape)(weights, a=a, b=b)["y"],
        }

    def put(self, tree: Tree) -> Tree:
        return tree  # sessions use NumPy arrays

    def get(self, tree: Tree) -> Tree:
        return tree

    def compile(self, function: Callable[..., Any], mode: str) -> Callable[..., Any]:
        graph: Any = function
        held: dict[str, Any] = {}

        def call(params: Tree, **data: Any) -> Any:
            fed = data if mode == "session" else {**params, **data}
            if held.get("params") is not params:  # weights are part of a session
                held.update(params=params, session=self._session(graph, params, fed))
            return dict(zip(graph.outputs, held["session"].run(graph.outputs, fed), strict=True))

        return call

    def _session(self, graph: Graph, params: Tree, fed: Tree) -> Any:
        import onnxruntime
        from onnxruntime.capi.onnxruntime_pybind11_state import NotImplemented as NoKernel

        model = graph.model(fed, {name: params[name] for name in params if name not in fed})
        try:
            self.made = onnxruntime.InferenceSession(
                model.SerializeToString(), self.options, providers=[self.provider]
            )
        except NoKernel as error:
            raise Absent(f"onnxruntime: {error}") from error
        return self.made

    def vjp(self, run: Callable[..., Any], mode: str, wrt: Sequence[str]) -> Callable[..., Any]:
        raise Absent(self.without["gradient"])

    def loop(self, training: Training, mode: str) -> Loop:
        raise Absent(self.without["training"])
