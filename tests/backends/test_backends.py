"""A framework seen as a few verbs: what each verb promises, held against every shipped backend."""

import importlib
from functools import partial

import numpy as np
import pytest

from bench.backends import FURTHER, SHIPPED, TF32, Absent, Backend, backend
from bench.backends.torch import Torch
from bench.case import Contender, Training
from bench.cells.selection import Selection

FRAMEWORKS = [name for name in SHIPPED if name != "numpy"]
X, W = np.arange(6, dtype=np.float32).reshape(2, 3), np.ones((3, 2), np.float32)


@pytest.fixture(params=FRAMEWORKS)
def engine(request):
    found = backend(request.param)
    try:
        found.installed()
    except Absent as reason:
        pytest.skip(str(reason))
    return found("cpu", "float32")


def product(params, x):
    return {"y": x @ params["W"]}


def gather(engine):
    """A lookup in the framework's own words: its gradient is sparse in some."""
    return {
        "torch": lambda params, i: {
            "y": importlib.import_module("torch").nn.functional.embedding(i, params["W"])
        },
        "tensorflow": lambda params, i: {"y": importlib.import_module("tensorflow").gather(params["W"], i)},
        "jax": lambda params, i: {"y": params["W"][i]},
    }[engine.name]


def test_put_and_get_are_inverse(engine):
    tree = {"x": X, "i": np.array([1, 2], np.int32), "b": np.array([True]), "deep": [X[:, ::2].T]}
    back = engine.get(engine.put(tree))
    for there, here in ((tree["x"], back["x"]), (tree["i"], back["i"]), (tree["b"], back["b"])):
        assert here.dtype == there.dtype and np.array_equal(here, there)
    assert np.array_equal(back["deep"][0], tree["deep"][0])


def test_every_mode_gives_outputs_and_gradients(engine):
    cotangent = {"y": engine.put(np.ones((2, 2), np.float32))}
    for mode in set(engine.modes) - set(engine.heavy):
        vjp = engine.vjp(product, mode, ["x"])
        outputs, gradients = engine.get(vjp(engine.put({"W": W}), engine.put({"x": X}), cotangent))
        assert np.array_equal(outputs["y"], X @ W)
        assert np.array_equal(gradients["params"]["W"], X.T @ np.ones((2, 2)))
        assert np.array_equal(gradients["data"]["x"], np.ones((2, 2)) @ W.T)
        forward = engine.forward(product, mode)(engine.put({"W": W}), engine.put({"x": X}))
        engine.wait(forward)
        assert np.array_equal(engine.get(forward)["y"], X @ W)


def test_torch_compiles_every_option_of_a_build_and_not_the_first_eight_only(monkeypatch):
    torch = pytest.importorskip("torch")
    # what decides is the tracer; the code generator behind it takes seconds a build
    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend="eager"))

    def build(eps):
        def run(params, x):
            y = torch.nn.functional.layer_norm(x, x.shape[1:], eps=eps)
            return {"y": y, "compiled": torch.ones(()) * (1.0 if torch.compiler.is_compiling() else 0.0)}

        return run

    engine = Torch("cpu", "float32")
    for number in range(10):
        found = engine.forward(build(10.0**-number), "compile")({}, {"x": torch.ones(2, 3)})
        assert found["compiled"] == 1, f"build {number} ran eagerly"


def test_torch_compiles_a_second_shape_as_in_a_process_of_its_own(monkeypatch):
    torch = pytest.importorskip("torch")
    sizes = []

    def recorded(graph, inputs):
        sizes.append([torch.fx.experimental.symbolic_shapes.has_free_symbols(each) for each in inputs])
        return graph.forward

    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend=recorded))
    call = Torch("cpu", "float32").compile(lambda params, x: {"y": x * 2}, "compile")
    for rows in (3, 5, 7):
        call({}, x=torch.ones(rows, 2))
    assert len(sizes) == 3 and not any(free for each in sizes for free in each)


@pytest.mark.parametrize("direction", ["forward", "gradient"])
def test_a_timed_call_in_the_mode_of_tf32_has_tf32(direction):
    torch = pytest.importorskip("torch")
    seen = []

    def run(params, x):
        seen.append(torch.backends.cuda.matmul.allow_tf32)
        return {"y": x * 2}

    engine = Torch("cpu", "float32")
    data, cotangents = {"x": torch.ones(2)}, {"y": torch.ones(2)}
    if direction == "forward":
        bind = engine.bind(run, TF32)
    else:
        bind = engine.bind_vjp(engine.vjp(run, TF32, ["x"]), run, TF32, ["x"])
    bind({}, data, cotangents).once()
    assert seen == [True] and not torch.backends.cuda.matmul.allow_tf32


def test_an_unused_parameter_has_a_gradient_of_zeros(engine):
    params = engine.put({"W": W, "unused": X})
    vjp = engine.vjp(product, engine.modes[0], [])
    _, gradients = engine.get(
        vjp(params, engine.put({"x": X}), {"y": engine.put(np.ones((2, 2), np.float32))})
    )
    assert np.array_equal(gradients["params"]["unused"], np.zeros_like(X))


def test_a_sparse_gradient_becomes_dense_and_integers_have_none(engine):
    rows = engine.put({"i": np.array([2, 0, 2])})
    vjp = engine.vjp(gather(engine), engine.modes[0], [])
    _, gradients = engine.get(vjp(engine.put({"W": W}), rows, {"y": engine.put(np.ones((3, 2), np.float32))}))
    assert np.array_equal(gradients["params"]["W"], [[1, 1], [0, 0], [2, 2]])
    assert gradients["data"] == {}


def test_building_sets_the_default_dtype_and_gives_it_back(engine):
    if engine.name == "jax":
        pytest.skip("flax takes the dtype of its inputs")
    probe = {
        "torch": lambda: str(importlib.import_module("torch").get_default_dtype()),
        "tensorflow": lambda: importlib.import_module("keras").config.floatx(),
    }[engine.name]
    before = probe()
    double = type(engine)("cpu", "float64")
    with double.building():
        assert "float64" in probe()
    assert probe() == before


def test_a_device_that_is_not_here_is_absent_with_its_reason(engine):
    if engine.name == "torch" and importlib.import_module("torch").cuda.is_available():
        pytest.skip("this machine has the device")
    with pytest.raises(Absent, match=r"gpu|GPU|CUDA"):
        type(engine)("gpu", "float32")


def test_jax_refuses_a_cell_whose_x64_did_not_take():
    jax = pytest.importorskip("jax")
    wrong = "float32" if jax.config.jax_enable_x64 else "float64"
    with pytest.raises(RuntimeError, match="set JAX_ENABLE_X64 before jax is imported"):
        backend("jax")("cpu", wrong)


def test_a_framework_that_is_not_installed_is_absent():
    class Elsewhere(Torch):
        packages = ("no-such-framework",)

    with pytest.raises(Absent, match=r"not installed \(pip install no-such-framework\)"):
        Elsewhere.installed()


def test_a_subclass_inherits_builds_and_replaces_them_case_by_case():
    from bench import pages

    def mine(weights):
        return {}, None

    class Chip(Torch):
        name = "chip"
        builds = {"attention": mine}  # noqa: RUF012  # as a plug-in writes it

    attention, lstm = pages.case("attention"), pages.case("layer-norm")
    assert [each.build for each in Chip.contenders(attention)] == [mine]
    assert Chip.contenders(lstm) == Torch.contenders(lstm) != []
    assert all(isinstance(each, Contender) for each in Chip.contenders(attention))


def test_a_build_comes_from_the_nearest_class_that_has_one():
    from bench import pages

    def mine(weights):
        return {}, None

    class Chip(Torch):
        name = "chip"
        builds = {"attention": mine, "lstm": Contender("chip", "chip.lstm", mine, {"plain": "no"})}  # noqa: RUF012

    class Faster(Chip):
        name = "faster"
        builds = {"softmax": mine}  # noqa: RUF012

    (inherited,) = Faster.contenders(pages.case("attention"))
    assert (inherited.backend, inherited.build) == ("faster", mine)
    assert inherited.api == "torch.nn.functional.scaled_dot_product_attention"  # the page's one
    (lstm,) = Faster.contenders(pages.case("lstm"))
    assert (lstm.backend, lstm.api, lstm.without) == ("faster", "chip.lstm", {"plain": "no"})
    (softmax,) = Faster.contenders(pages.case("softmax"))
    assert (softmax.build, softmax.api) == (mine, "torch.nn.functional.softmax")
    assert Faster.contenders(pages.case("layer-norm")) == Torch.contenders(pages.case("layer-norm"))


def test_a_file_is_executed_once(tmp_path):
    (tmp_path / "mine.py").write_text(
        "from pathlib import Path\n"
        "from bench.backends.numpy import NumPy\n"
        "with (Path(__file__).parent / 'log').open('a') as log:\n    log.write('once')\n"
        "class Mine(NumPy):\n    name = 'mine'\n"
    )
    spec = f"{tmp_path / 'mine.py'}:Mine"
    assert backend(spec) is backend(spec)
    assert (tmp_path / "log").read_text() == "once"


def test_a_backend_without_what_it_needs_is_absent():
    class Needy(Torch):
        name = "needy"
        packages = ("numpy",)
        needs = ("no-such-engine",)

    with pytest.raises(Absent, match=r"needy needs no-such-engine, .* \(pip install no-such-engine\)"):
        Needy.installed()


@pytest.mark.parametrize("name", FURTHER)
def test_what_runs_only_when_it_is_named_is_found_and_is_in_no_default(name):
    assert backend(name).name == name
    assert name not in Selection().backends


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("nonsense", "got 'nonsense', should be one of numpy, torch, tensorflow, jax"),
        ("nowhere.py:Chip", "got no file at nowhere.py, should be path/to/file.py:Name"),
        (f"{__file__}:Chip", "has no class Chip"),
        (f"{__file__}:FRAMEWORKS", "should be a subclass of gaugeblock.Backend"),
    ],
)
def test_a_wrong_backend_is_refused_in_a_sentence(spec, message):
    with pytest.raises(ValueError, match="backend") as caught:
        backend(spec)
    assert message in str(caught.value)


def test_a_backend_lacks_nothing_of_the_contract():
    with pytest.raises(TypeError, match="abstract"):
        Backend("cpu", "float32")


# ---- below float32 ----


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_put_and_get_are_inverse_below_float32(engine, dtype):
    from bench.inputs import rounded

    tree = rounded({"x": np.linspace(-3, 3, 12).reshape(3, 4), "i": np.array([1, 2], np.int32)}, dtype)
    low = type(engine)("cpu", dtype)
    back = low.get(low.put(tree))
    assert back["x"].dtype == dtype and np.array_equal(back["x"].astype(float), tree["x"].astype(float))
    assert back["i"].dtype == np.int32


def test_a_missing_kernel_is_known_by_the_frameworks_own_words(engine):
    """Each framework is asked to solve, which none can below float32 on a CPU."""
    inverse = {
        "torch": lambda x: importlib.import_module("torch").linalg.solve(x, x),
        "tensorflow": lambda x: importlib.import_module("tensorflow").linalg.solve(x, x),
        "jax": lambda x: importlib.import_module("jax").numpy.linalg.inv(x),
    }[engine.name]
    from bench.inputs import rounded

    for dtype in ("bfloat16", "float16"):
        low = type(engine)("cpu", dtype)
        x = low.put(rounded({"x": np.eye(3)}, dtype))
        for mode in {engine.modes[0], "eager"}:
            with pytest.raises(
                Exception, match=r"dtype|implemented|allowed|recision|OpKernel|node"
            ) as caught:
                low.wait(low.forward(lambda params, x: {"y": inverse(x)}, mode)({}, x))
            assert low.lacks(caught.value), caught.value
            assert not low.lacks(ValueError(str(caught.value)))
            assert not low.lacks(RuntimeError("out of memory"))


@pytest.mark.parametrize("mode", ["transposed", "gaps"])
def test_a_layout_keeps_shapes_numbers_too(mode):
    from bench.backends.numpy import placed

    for shape in ((), (3,), (2, 3), (0, 4)):
        x = np.arange(float(np.prod(shape))).reshape(shape)
        found = placed({"x": x}, mode)["x"]
        assert found.shape == shape and np.array_equal(found, x)


def test_a_step_that_promotes_weights_of_float16_is_a_missing_kernel_in_numpy():
    engine = backend("numpy")("cpu", "float16")
    training = Training({}, {}, lambda params, state, **batch: ({"W": np.zeros(2)}, state, np.float16(0)))
    loop = engine.loop(training, "eager")
    loop.load(training.params, training.state)
    loop.step({})
    with pytest.raises(TypeError, match="no float16") as caught:
        loop.read()
    assert engine.lacks(caught.value)
