"""ONNX Runtime: what a session is given, and what it has not."""

import numpy as np
import pytest

from bench import pages
from bench.backends import Absent, backend
from bench.backends.onnxruntime.graphs import CONTENDERS, Graph, recurrent
from bench.cells.cell import Cell
from bench.verdict.judge import judge, run

X, W = np.arange(6, dtype=np.float32).reshape(2, 3), np.ones((3, 2), np.float32)
PRODUCT = Graph("y = MatMul (x, W)")


@pytest.fixture
def engine(monkeypatch):
    found = backend("onnxruntime")
    try:
        found.installed()
    except Absent as reason:
        pytest.skip(str(reason))
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    return found("cpu", "float32")


def cell(case, dtype, direction="forward"):
    page = pages.case(case)
    coordinates = (next(iter(page.options)), next(iter(page.regimes)), next(iter(page.sizes)))
    contender = str(CONTENDERS[case])
    return Cell(case, *coordinates, contender, "onnxruntime", "session", "cpu", dtype, direction)


@pytest.mark.parametrize(("mode", "inputs"), [("session", {"x"}), ("inputs", {"x", "W"})])
def test_weights_are_held_by_the_session_or_given_in_each_call(engine, mode, inputs):
    forward = engine.forward(PRODUCT, mode)
    assert np.array_equal(forward({"W": W}, {"x": X})["y"], X @ W)
    assert {each.name for each in engine.made.get_inputs()} == inputs
    assert np.array_equal(forward({"W": 2 * W}, {"x": X})["y"], 2 * X @ W)


def test_a_session_is_made_once_for_its_weights(engine):
    forward, params = engine.forward(PRODUCT, "session"), {"W": W}
    forward(params, {"x": X})
    first = engine.made
    forward(params, {"x": X + 1})
    assert engine.made is first


def test_threads_are_read_back_from_the_session(engine):
    engine.forward(PRODUCT, "session")({"W": W}, {"x": X})
    assert engine.made.get_session_options().intra_op_num_threads == engine.threads() == 3


@pytest.mark.parametrize("case", CONTENDERS)
def test_every_option_of_a_page_is_a_valid_graph(case):
    pytest.importorskip("onnx")
    import onnx.checker
    import onnx.shape_inference

    page = pages.case(case)
    for option in page.options.values():
        regime = {"regime": next(iter(page.regimes))} if len(page.regimes) > 1 else {}
        rng = np.random.default_rng(0)
        weights, data = page.inputs(rng, **next(iter(page.sizes.values())), **option, **regime)
        try:
            params, graph = CONTENDERS[case].build(weights, **option)
        except Absent:  # what the operator cannot say
            continue
        model = onnx.shape_inference.infer_shapes(graph.model(data, params), strict_mode=True)
        onnx.checker.check_model(model)


def test_a_gradient_is_absent_with_its_reason(engine):
    rows = judge(cell("softmax", "float32").unit, ("forward", "gradient")).rows
    assert rows["forward"].status == "agrees"
    assert rows["gradient"].status == "absent" and "inference only" in rows["gradient"].why


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("conv2d", "NOT_IMPLEMENTED : Could not find an implementation for Conv"),
        ("lstm", "does not support double yet"),
    ],
)
def test_a_missing_kernel_is_absent_in_its_own_words(engine, case, words):
    row = run(cell(case, "float64"))
    assert row.status == "absent" and words in row.why


@pytest.mark.parametrize("case", ["attention", "lstm", "conv2d", "max-pool", "average-pool", "perceptron"])
def test_the_operators_agree_in_float32(engine, case):
    row = run(cell(case, "float32"))
    assert (row.status, row.why) == ("agrees", "")


def test_a_gate_in_the_wrong_place_disagrees(engine, monkeypatch):
    """The order of the gates is what the graph's builder has to know."""
    from dataclasses import replace

    from bench.backends import onnxruntime as module

    def wrong(weights, **option):
        params, graph = recurrent("LSTM", weights, **option)
        return params | {"W0": np.roll(params["W0"], 1, axis=1)}, graph

    builds = {**CONTENDERS, "lstm": replace(CONTENDERS["lstm"], build=wrong)}
    monkeypatch.setattr(module.OnnxRuntime, "builds", builds)
    assert run(cell("lstm", "float32")).status == "disagrees"


def test_no_gpu_is_absent_with_its_reason(engine):
    import onnxruntime

    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("this machine has the device")
    with pytest.raises(Absent, match="lists no CUDAExecutionProvider"):
        type(engine)("gpu", "float32")


def test_without_onnx_it_is_absent(monkeypatch):
    found = backend("onnxruntime")
    monkeypatch.setattr(found, "needs", ("no-such-onnx",))
    with pytest.raises(Absent, match="onnxruntime needs no-such-onnx"):
        found.installed()
