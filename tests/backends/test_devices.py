"""The GPU's branches of every backend, as far as a machine without one can run them.

JAX and TensorFlow can be given a second CPU device, which stands for the GPU here, in a process of its own;
torch has a device that computes shapes only ("meta"), and refuses to mix with any other.
"""

import json
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from bench.backends import AS_SHIPPED, SHIPPED, TF32, Absent, backend
from bench.cells.selection import Selection, cells
from bench.pages import cases

X, W = np.arange(6, dtype=np.float32).reshape(2, 3), np.ones((3, 2), np.float32)


def product(params, x):
    return {"y": x @ params["W"]}


# ---- torch ----


@pytest.fixture
def torch(monkeypatch):
    """torch with a GPU that is seen, waits and counts; its flags are given back."""
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    products = torch.backends.cuda.matmul
    names = [
        (products, "allow_tf32"),
        (torch.backends.cudnn, "allow_tf32"),
        (products, "allow_fp16_reduced_precision_reduction"),
        (products, "allow_bf16_reduced_precision_reduction"),
    ]
    before = [getattr(where, name) for where, name in names]
    yield torch
    for (where, name), value in zip(names, before, strict=True):
        setattr(where, name, value)


def test_torch_places_on_cuda_with_tf32_off(torch):
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    engine = backend("torch")("gpu", "float32")
    assert engine.place == torch.device("cuda")
    assert engine.precision == "matmul highest, cuDNN TF32 off"
    assert not torch.backends.cuda.matmul.allow_tf32 and not torch.backends.cudnn.allow_tf32
    assert backend("torch")("cpu", "float32").precision == "matmul highest"


def test_torch_puts_and_builds_on_its_device(torch):
    engine = backend("torch")("gpu", "float32")
    engine.place = torch.device("meta")
    with engine.building():
        layer = torch.nn.Linear(3, 2)
    params, data = engine.put({"W": W}), engine.put({"x": X})
    outputs, gradients = engine.vjp(product, "eager", ["x"])(params, data, engine.put({"y": X @ W}))
    for tensor in (layer.weight, params["W"], data["x"], outputs["y"], gradients["data"]["x"]):
        assert tensor.device.type == "meta"


def test_torch_waits_for_the_gpu_and_for_nothing_on_a_cpu(torch, monkeypatch):
    waits = []
    monkeypatch.setattr(torch.cuda, "synchronize", lambda: waits.append(1))
    backend("torch")("cpu", "float32").wait({})
    assert not waits
    backend("torch")("gpu", "float32").wait({})
    assert waits


def test_torch_allows_tf32_in_its_mode_alone_and_while_it_runs(torch):
    engine = backend("torch")("gpu", "float32")
    engine.place = torch.device("cpu")
    flags = lambda: (torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32)  # noqa: E731
    seen = []

    def run(params, x):
        seen.append(flags())
        return product(params, x)

    cotangent = {"y": engine.put(X @ W)}
    for mode, allowed in (("eager", (False, False)), (TF32, (True, True)), ("eager", (False, False))):
        engine.forward(run, mode)(engine.put({"W": W}), engine.put({"x": X}))
        engine.vjp(run, mode, ["x"])(engine.put({"W": W}), engine.put({"x": X}), cotangent)
        assert seen == [allowed, allowed] and flags() == (False, False)
        seen.clear()
    assert engine.precision_in(TF32) == "matmul high, cuDNN TF32 on"
    assert engine.precision_in("eager") == engine.precision == "matmul highest, cuDNN TF32 off"
    with pytest.raises(ZeroDivisionError):
        engine.forward(lambda params: 1 / 0, TF32)({}, {})
    assert flags() == (False, False)


@pytest.mark.parametrize(("dtype", "short"), [("float16", "fp16"), ("bfloat16", "bf16")])
def test_torch_adds_parts_of_sums_in_float32_unless_it_is_left_as_shipped(torch, monkeypatch, dtype, short):
    reduced = f"allow_{short}_reduced_precision_reduction"
    engine = backend("torch")("gpu", dtype)
    assert engine.precision == "matmul highest, cuDNN TF32 off, sums in 16 bits off"
    assert not getattr(torch.backends.cuda.matmul, reduced)
    setattr(torch.backends.cuda.matmul, reduced, True)
    monkeypatch.setenv(AS_SHIPPED, "1")
    assert backend("torch")("gpu", dtype).precision.endswith("sums in 16 bits on")


def test_an_absent_gpu_says_why():
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available():
        pytest.skip("there is a GPU here")
    with pytest.raises(Absent, match=r"sees no CUDA device here: .*(CUDA enabled|NVIDIA driver)"):
        backend("torch")("gpu", "float32")


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize(
    ("name", "kind", "words"),
    [
        ("torch", "RuntimeError", "GET was unable to find an engine to execute this computation"),
        ("torch", "RuntimeError", "No available kernel. Aborting execution."),
        (
            "jax",
            "JaxRuntimeError",
            "INTERNAL: Autotuner could not find any supported configs for HLO",
        ),
        ("jax", "JaxRuntimeError", "UNIMPLEMENTED: CUDNN_STATUS_NOT_SUPPORTED"),
    ],
)
def test_what_no_kernel_of_a_gpu_takes_is_absent_in_16_bits_and_an_error_in_others(dtype, name, kind, words):
    pytest.importorskip(name)
    engine = object.__new__(backend(name))
    engine.device, engine.dtype = "gpu", dtype
    if kind == "JaxRuntimeError":
        import jax

        error = jax.errors.JaxRuntimeError(words)
    else:
        error = RuntimeError(words)
    assert engine.lacks(error) == (dtype == "bfloat16")
    assert not engine.lacks(type(error)("CUDA error: an illegal memory access was encountered"))


def test_torch_counts_the_peak_over_what_was_held(torch, monkeypatch):
    pool = SimpleNamespace(now=100, most=10_000)

    def call():
        pool.now, pool.most = 130, max(pool.most, 164)

    monkeypatch.setattr(torch.cuda, "synchronize", lambda: None)
    monkeypatch.setattr(torch.cuda, "reset_peak_memory_stats", lambda: setattr(pool, "most", pool.now))
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda: pool.now)
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda: pool.most)
    assert backend("torch")("gpu", "float32").device_peak(call) == 64
    assert backend("torch")("cpu", "float32").device_peak(call) is None


PAGES = """
import json
import numpy as np
import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from bench import pages
from bench.backends import backend
from bench.case import known
from bench.cells.cell import Cell
from bench.inputs import batch, draw, rounded
from bench.cells.selection import typical
from bench.contender.train import begin


def lifted(make):  # a real device is asked for its driver; a fake tensor moves without one
    def tensor(x, *, device=None, **keywords):
        return make(x, device="cpu", **keywords).to(device or torch.get_default_device())

    return tensor


torch.tensor, torch.as_tensor = lifted(torch.tensor), lifted(torch.as_tensor)
Mixed = torch._subclasses.fake_tensor.FakeTensorDeviceMismatchError
found = backend("torch")
engine = found("cpu", "float32")
engine.place = torch.device("meta")
# they recurse, or read the address of a fake tensor, which has none
CRASH = ("adagrad", "encoder-decoder", "masked-encoder", "transformer")
mixed, ran, fake = [], 0, FakeTensorMode()


def attempt(name, call):
    global ran
    try:
        call()
        ran += 1
    except Mixed:
        mixed.append(name)
    except (RuntimeError, RecursionError, AssertionError):
        pass  # what a fake tensor cannot do is not asked here


def go(case, contender):
    option, regime = typical(case, contender)
    size = next(iter(case.sizes))
    unit = Cell(case.name, option, regime, size, str(contender), "torch", "eager", "gpu", "float32", "")
    weights, data = rounded(draw(case, unit), "float32")
    with fake:
        if case.training:
            state = case.start(weights, **known(case.start, case.options[option]))
            loop, _ = begin(case, contender, engine, unit, weights, state)
            loop.step(engine.put(batch(data, 0)))
        else:
            with engine.building():
                params, run = contender.build(weights, **case.options[option])
            engine.forward(run, "eager")(engine.put(params), engine.put(data))


for case in (each for each in pages.cases().values() if not each.name.startswith(CRASH)):
    for contender in found.contenders(case):
        attempt(f"{case.name} {contender}", lambda: go(case, contender))
with fake:
    x = engine.put({"x": np.ones(3)})["x"]
    attempt("planted", lambda: x + torch.arange(3))
print(json.dumps({"mixed": mixed, "ran": ran}))
"""


def test_no_torch_build_makes_a_tensor_beside_its_data():
    """A tensor made in a run without a device lies on the CPU, and on a GPU the call fails."""
    pytest.importorskip("torch")
    found = answers(PAGES)
    assert found["mixed"] == ["planted"]
    assert found["ran"] > 60


# ---- JAX and TensorFlow, each with a second CPU device in a process of its own ----


def answers(code, *words, **environment):
    """What a script prints last, as JSON."""
    import os

    done = subprocess.run(
        [sys.executable, "-c", code, *words],
        capture_output=True,
        text=True,
        env={**os.environ, "JAX_ENABLE_X64": "0", "TF_CPP_MIN_LOG_LEVEL": "3", **environment},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


JAX = """
import json
import jax, numpy as np
from bench.backends import TF32, backend

real = jax.devices
jax.devices = lambda name=None: [real()[1]] if name == "gpu" else real(name)
engine = backend("jax")("gpu", "float32")
X, W = np.arange(6, dtype=np.float32).reshape(2, 3), np.ones((3, 2), np.float32)
say = {"place": str(engine.place), "default": engine.precision}
product = lambda params, x: {"y": x @ params["W"]}
params, data, dy = engine.put({"W": W}), engine.put({"x": X}), engine.put({"y": X @ W})
outputs, gradients = engine.vjp(product, "jit", ["x"])(params, data, dy)
with engine.building():
    fresh = jax.numpy.zeros(3)
leaves = jax.tree.leaves([params, data, outputs, gradients, fresh])
say["devices"] = sorted({str(device) for leaf in leaves for device in leaf.devices()})

barrier, waited = jax.block_until_ready, []
def ready(tree):
    waited.append(tree)
    return barrier(tree)
jax.block_until_ready = ready
found = engine.put({"x": X})
say["copied"] = waited[0] is found
jax.block_until_ready, waited = barrier, []
jax.block_until_ready = lambda tree: (waited.append(tree), barrier(tree))[1]
engine.wait(outputs)
say["waited"] = len(waited) == 1 and waited[0] is outputs

precisions = {}
for mode in ("jit", "eager", TF32, "jit"):
    def run(params, x):
        precisions.setdefault(mode, jax.config.jax_default_matmul_precision)
        return product(params, x)
    engine.forward(run, mode)(params, data)
say["precisions"], say["tf32"] = precisions, engine.precision_in(TF32)
say["jit"] = engine.precision_in("jit")
say["after"] = jax.config.jax_default_matmul_precision


class Pool:  # its count of the peak is never reset
    now, most, limit, trouble = 100, 700, 10_000, None

    def memory_stats(self):
        return {"bytes_in_use": self.now, "peak_bytes_in_use": self.most, "bytes_limit": self.limit}

    def take(self, size, then=0):
        self.most = max(self.most, self.now + size)
        self.now += then


class Ballast:
    def __init__(self, size, dtype):
        if pool.trouble:
            raise jax.errors.JaxRuntimeError(pool.trouble)
        self.size = size
        pool.take(size, size)

    def delete(self):
        pool.now -= self.size


import contextlib
pool = engine.place = Pool()
jax.numpy.zeros, jax.block_until_ready = Ballast, lambda tree: tree
jax.default_device = lambda place: contextlib.nullcontext()
say["peak"] = engine.device_peak(lambda: pool.take(64, 32))
say["held"] = pool.now
say["again"] = engine.device_peak(lambda: pool.take(16))
pool.limit = 1_000
say["no room"] = engine.device_peak(lambda: pool.take(64))
pool.limit, pool.trouble = 10_000, "RESOURCE_EXHAUSTED: out of memory"
say["exhausted"] = engine.device_peak(lambda: pool.take(64))
pool.trouble = "INTERNAL: a fault"
try:
    engine.device_peak(lambda: pool.take(64))
except jax.errors.JaxRuntimeError as error:
    say["fault"] = str(error)
pool.memory_stats = lambda: None
say["uncounted"] = engine.device_peak(lambda: pool.take(64))
print(json.dumps(say))
"""


def test_jax_places_waits_rounds_and_counts_on_its_gpu():
    pytest.importorskip("jax")
    found = answers(JAX, XLA_FLAGS="--xla_force_host_platform_device_count=2", JAX_PLATFORMS="cpu")
    assert found["devices"] == [found["place"]] and "1" in found["place"]
    assert found["waited"]
    assert found["default"] == "matmul highest" and found["after"] == "highest"
    assert found["precisions"] == {"jit": "highest", "eager": "highest", TF32: "tensorfloat32"}
    assert found["tf32"] == "matmul tensorfloat32" and found["jit"] == "matmul highest"
    assert found["copied"]  # before a call could wait for it
    assert (found["peak"], found["held"], found["again"]) == (64, 132, 16)
    assert found["no room"] is found["exhausted"] is found["uncounted"] is None
    assert found["fault"] == "INTERNAL: a fault"


FLAGS = """
import json
from bench.backends import backend

print(json.dumps([backend("jax")("cpu", "float32").threads(), backend("jax").environment(
    threads=2, dtype="float32", device="cpu")["XLA_FLAGS"]]))
"""
OURS = "--xla_cpu_multi_thread_eigen"


@pytest.mark.parametrize(
    ("told", "threads", "given"),
    [
        ("", 2, f"{OURS}=true"),
        ("--xla_cpu_enable_fast_math=false", 2, f"--xla_cpu_enable_fast_math=false {OURS}=true"),
        (f"{OURS}=true", 2, f"{OURS}=true"),
        (f"{OURS}=true {OURS}=false", 1, f"{OURS}=true {OURS}=false"),
    ],
)
def test_the_users_xla_flags_stay_ours_joins_them_and_threads_are_read_from_what_they_say(
    told, threads, given
):
    pytest.importorskip("jax")
    assert answers(FLAGS, XLA_FLAGS=told, NPROC="2", JAX_PLATFORMS="cpu") == [threads, given]


READ_BACK = """
import json, sys
from bench.backends import backend
from bench.contender.environment import read_back

print(json.dumps(read_back(backend(sys.argv[1])("cpu", "float32"))))
"""


@pytest.mark.parametrize(
    ("name", "more", "known"),
    [
        ("jax", {}, {"platform": "cpu", "x64": False, "matmul_precision": "highest"}),
        ("tensorflow", {"TF_ENABLE_ONEDNN_OPTS": "0"}, {"onednn": False, "precision": "TF32 off"}),
    ],
)
def test_jax_and_tensorflow_read_themselves_back(name, more, known):
    pytest.importorskip(name)
    found = answers(READ_BACK, name, JAX_PLATFORMS="cpu", **more)
    assert known.items() <= found.items()
    assert not [value for value in found.values() if "Error" in str(value)]


TENSORFLOW = """
import json
import numpy as np, tensorflow as tf
from bench.backends import TF32, Absent, backend

(cpu,) = tf.config.list_physical_devices("CPU")
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
real = tf.config.list_physical_devices
tf.config.list_physical_devices = lambda kind=None: [cpu] if kind == "GPU" else real(kind)
tf.config.experimental.enable_tensor_float_32_execution(True)
engine = backend("tensorflow")("gpu", "float32")
enabled = tf.config.experimental.tensor_float_32_execution_enabled
say = {"place": engine.place, "default": engine.precision, "off": not enabled()}
engine.place = "/CPU:1"
X, W = np.arange(6, dtype=np.float32).reshape(2, 3), np.ones((3, 2), np.float32)
product = lambda params, x: {"y": x @ params["W"]}
params, data, dy = engine.put({"W": W}), engine.put({"x": X}), engine.put({"y": X @ W})
with engine.building():
    fresh = tf.Variable([1.0])
leaves = [params, data, fresh]
for mode in engine.modes:
    leaves.append(engine.forward(product, mode)(params, data))
    leaves.append(engine.vjp(product, mode, ["x"])(params, data, dy))
say["devices"] = sorted({leaf.device[-5:] for leaf in tf.nest.flatten(leaves)})

waits = []
tf.test.experimental.sync_devices = lambda: waits.append(1)
engine.wait(leaves)
say["waits"] = len(waits)
backend("tensorflow")("cpu", "float32").wait(leaves)
say["waits on a cpu"] = len(waits) - 1

seen = {}
for mode in ("eager", TF32, "eager"):
    def run(params, x):
        seen.setdefault(mode, set()).add(enabled())
        return product(params, x)
    engine.forward(run, mode)(params, data)
    engine.vjp(run, mode, ["x"])(params, data, dy)
say["seen"] = {mode: sorted(each) for mode, each in seen.items()}
say["tf32"], say["after"] = engine.precision_in(TF32), enabled()
say["eager"] = engine.precision_in("eager")

asked, pool = [], {"current": 100, "peak": 9000}
memory = tf.config.experimental
memory.reset_memory_stats = lambda device: (asked.append(device), pool.update(peak=pool["current"]))
memory.get_memory_info = lambda device: dict(pool)
engine.place = "/GPU:0"
say["peak"], say["asked"] = engine.device_peak(lambda: pool.update(current=132, peak=164)), asked[0]
def refuse(device):
    raise ValueError("no allocator")
memory.reset_memory_stats = refuse
say["uncounted"] = engine.device_peak(lambda: None)
print(json.dumps(say))
"""


def test_tensorflow_places_waits_rounds_and_counts_on_its_gpu():
    pytest.importorskip("tensorflow")
    found = answers(TENSORFLOW, KERAS_BACKEND="tensorflow")
    assert found["place"] == "/GPU:0"
    assert found["default"] == "TF32 off" and found["off"] and not found["after"]
    assert found["devices"] == ["CPU:1"]
    assert (found["waits"], found["waits on a cpu"]) == (1, 0)
    assert found["seen"] == {"eager": [False], TF32: [True]}
    assert (found["tf32"], found["eager"]) == ("TF32 on", "TF32 off")
    assert (found["peak"], found["asked"], found["uncounted"]) == (64, "GPU:0", None)


def test_no_pool_takes_the_whole_card():
    of = lambda name: backend(name).environment(threads=1, dtype="float32", device="gpu")  # noqa: E731
    assert of("tensorflow")["TF_FORCE_GPU_ALLOW_GROWTH"] == "true"
    assert of("jax")["XLA_PYTHON_CLIENT_PREALLOCATE"] == "false"
    assert "CUDA_VISIBLE_DEVICES" not in of("tensorflow")


# ---- where TF32 is a mode ----


def test_tf32_is_a_mode_of_float32_on_a_gpu_for_who_names_it():
    pages = [cases()["layer-norm"]]
    everything = {"devices": ("cpu", "gpu"), "full": True}
    named = list(cells(pages, Selection(**everything, modes=(TF32,))))
    assert {(cell.mode, cell.device, cell.dtype) for cell in named} == {(TF32, "gpu", "float32")}
    assert {cell.backend for cell in named} == {"torch", "tensorflow", "jax"}
    assert not any(cell.mode == TF32 for cell in cells(pages, Selection(**everything)))
    assert not list(cells(pages, Selection(**everything | {"devices": ("cpu",)}, modes=(TF32,))))


@pytest.mark.parametrize("name", [name for name in SHIPPED if name != "numpy"])
def test_a_script_says_tf32_as_its_cell_does(name):
    from bench.backends import Asked

    try:
        engine = object.__new__(backend(name))
    except Absent as reason:
        pytest.skip(str(reason))
    engine.device, engine.dtype = "gpu", "float32"
    said = {
        mode: "\n".join(engine.script(Asked("build()", "forward", mode, False, [], ["y"])))
        for mode in (engine.modes[0], TF32)
    }
    line = {"torch": "allow_tf32 = True", "jax": "'tensorfloat32'", "tensorflow": "execution(True)"}[name]
    assert line in said[TF32] and line not in said[engine.modes[0]]


PLATFORMS = """
import importlib.metadata, json
from bench.backends import backend
from bench.backends import interface

real = interface.version
def version(name):
    if name.startswith("jax-cuda"):
        if name in INSTALLED:
            return "0.11.2"
        raise interface.PackageNotFoundError(name)
    return real(name)
interface.version = version
Jax = backend("jax")
found = []
for INSTALLED in ((), ("jax-cuda13-plugin",), ("jax-cuda12-plugin",)):
    interface._version.cache_clear()
    told = [Jax.environment(threads=1, dtype="float32", device=device) for device in ("cpu", "gpu")]
    found.append([each["JAX_PLATFORMS"] for each in told])
print(json.dumps(found))
"""


def test_jax_is_told_to_start_cuda_where_its_plug_in_is_installed():
    """A platform that is named says why it does not start; else JAX falls back to its CPU in silence."""
    assert answers(PLATFORMS) == [["cpu", ""], ["cpu", "cuda,cpu"], ["cpu", "cuda,cpu"]]


CACHED = """
import json, os, sys
import jax
from bench.backends import backend

Jax, files = backend("jax"), lambda: len(os.listdir(sys.argv[1]))
found = []
for anew, number in ((False, 1), (True, 2), (False, 3)):
    Jax.compile_anew(anew)
    before = files()
    jax.jit(lambda x: x * number + 1).lower(float(number)).compile()
    found.append(files() > before)
print(json.dumps(found))
"""


def test_programs_are_compiled_anew_or_from_the_disk_as_it_is_told_last(tmp_path):
    pytest.importorskip("jax")
    variables = {
        "JAX_COMPILATION_CACHE_DIR": str(tmp_path),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    }
    assert answers(CACHED, str(tmp_path), JAX_PLATFORMS="cpu", **variables) == [True, False, True]
