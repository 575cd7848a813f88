"""torch's recurrent layers: their weights are compacted once, and inference runs in eval mode.

cuDNN reads the weights of a layer from one buffer. The layer moves them there when it gets other tensors than
in its last call, on a GPU only; here the move is made on the CPU.
"""

import numpy as np
import pytest

from bench import pages
from bench.backends.torch import Torch
from bench.inputs import rounded
from suites.lstm import case as lstm

torch = pytest.importorskip("torch")

SIZE = {"batch": 3, "time": 4, "features": 5, "hidden": 6}
PAGES = ["rnn", "lstm", "gru"]


@pytest.fixture
def moves(monkeypatch):
    """How often weights were moved to one buffer."""
    calls = []

    def flatten(self):
        weights = self._flat_weights
        if not all(isinstance(each, torch.Tensor) for each in weights):
            return
        calls.append(self)
        with torch.no_grad():
            buffer = torch.cat([each.reshape(-1) for each in weights])
            start = 0
            for each in weights:
                each.set_(buffer[start : start + each.numel()].view(each.shape))
                start += each.numel()

    monkeypatch.setattr(torch.nn.RNNBase, "flatten_parameters", flatten)
    return calls


def given(name):
    """A backend, a build's run and params on it, and three sets of data and cotangents."""
    case = pages.case(name)
    rng, engine = np.random.default_rng(0), Torch("cpu", "float32")
    sets = []
    for _ in range(3):
        weights, data = rounded(case.inputs(rng, **SIZE), "float32")
        dy = rng.standard_normal((3, 4, 6)).astype(np.float32)
        sets.append((engine.put(data), engine.put({"y": dy})))
    build = next(each.build for each in case.contenders if each.backend == "torch")
    with engine.building():
        params, run = build(weights)
    return engine, run, engine.put(params), sets


def shared(tensors):
    return len({each.untyped_storage().data_ptr() for each in tensors}) == 1


@pytest.mark.parametrize("name", PAGES)
def test_gradients_that_are_timed_move_weights_once_for_all_sets(name, moves):
    engine, run, params, sets = given(name)
    vjp = engine.vjp(run, "eager", ["x"])
    right = [vjp(params, *each)[1] for each in sets]
    bind = engine.bind_vjp(vjp, run, "eager", ["x"])
    bound = [bind(params, *each) for each in sets]
    moves.clear()
    for _ in range(4):
        found = [each.finish(each.once()) for each in bound]
    assert len(moves) == 1
    for (_, gradients), other in zip(found, right, strict=True):
        for part in ("params", "data"):
            assert gradients[part].keys() == other[part].keys()
            assert all(torch.equal(gradients[part][key], other[part][key]) for key in other[part])


@pytest.mark.parametrize("name", PAGES)
def test_calls_without_gradients_move_weights_once_and_they_stay_in_one_buffer(name, moves):
    engine, run, params, sets = given(name)
    assert not shared(params.values())
    moves.clear()
    forward = engine.forward(run, "eager")
    for _ in range(3):
        for data, _ in sets:
            forward(params, data)
    assert len(moves) == 1 and shared(params.values())


def modes(monkeypatch, build, call):
    """The modes in which a build's layer ran."""
    found, real = [], torch.nn.LSTM.forward

    def forward(self, *given):
        found.append(self.training)
        return real(self, *given)

    monkeypatch.setattr(torch.nn.LSTM, "forward", forward)
    weights, data = rounded(lstm.inputs(np.random.default_rng(0), **SIZE), "float32")
    engine = Torch("cpu", "float32")
    params, run = build(weights)
    call(engine, run, engine.put(params), engine.put(data))
    return found


def test_inference_runs_in_eval_mode_and_what_has_gradients_in_train_mode(monkeypatch):
    torch_ones = [each for each in lstm.contenders if each.backend == "torch"]
    assert [each.variant for each in torch_ones] == ["", "inference"]
    for each in torch_ones:
        only = each.directions == ("forward",)
        call = lambda engine, run, params, data: engine.forward(run, "eager")(params, data)  # noqa: E731
        assert modes(monkeypatch, each.build, call) == [not only]
