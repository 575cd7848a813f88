"""Transfers are cells of a device; a fake one stands in for it where there is none."""

from dataclasses import replace

import numpy as np
import pytest

from bench import pages
from bench.backends import Absent, backend
from bench.cells.cell import Cell
from bench.cells.selection import Selection, cells, timed
from bench.speed import clock
from bench.speed.sets import SETS
from bench.verdict.judge import judge

BOTH = ["host-to-device", "device-to-host"]
torch = pytest.importorskip("torch")


def unit(name, **other):
    case = pages.case(name)
    contender = next(each for each in case.contenders if each.backend == "torch")
    place = ("plain", "typical", "small", str(contender), "torch", "eager", "cpu", "float32", "")
    return replace(Cell(name, *place), **other)


def test_a_cpu_has_none_and_a_device_has_one_a_backend_each_way_all_timed():
    both = [pages.case(name) for name in BOTH]
    assert not list(cells(both, Selection()))
    on_gpu = Selection(devices=("cpu", "gpu"), dtypes=("float32",))
    found = list(cells(both, on_gpu))
    regimes = {name: list(dict.fromkeys(each.regime for each in found if each.case == name)) for name in BOTH}
    # the second kind of input is drawn by the seed
    assert all(kinds[0] == "typical" and len(kinds) == 2 for kinds in regimes.values())
    assert [(each.case, each.regime, each.backend, each.device) for each in found] == [
        (name, kind, engine, "gpu")
        for name in BOTH
        for kind in regimes[name]
        for engine in ("torch", "tensorflow", "jax")
    ]
    usual = Selection(devices=("cpu", "gpu"), speeds=True)
    wanted = [each for each in cells(both, usual) if each.dtype == "float32"]
    assert all(timed(each, pages.case(each.case), usual) for each in wanted)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a device")
def test_where_there_is_no_device_the_row_says_so():
    row = judge(unit(BOTH[0], device="gpu"), ["forward"]).rows["forward"]
    assert row.status == "absent" and row.why.startswith("torch sees no CUDA device here: ")


@pytest.mark.parametrize("name", BOTH)
@pytest.mark.parametrize("engine", ["torch", "tensorflow", "jax"])
def test_the_numbers_are_the_same_on_the_other_side(name, engine):
    try:
        backend(engine).installed()
    except Absent as reason:
        pytest.skip(str(reason))
    if engine == "jax" and name == "device-to-host":
        pytest.skip("needs a device: on a CPU both are one")
    contender = next(each for each in pages.case(name).contenders if each.backend == engine)
    row = judge(unit(name, backend=engine, contender=str(contender)), ["forward"]).rows["forward"]
    assert row.status == "agrees", row.why


def test_what_is_timed_starts_on_the_host():
    judged = judge(unit(BOTH[0]), ["forward"])
    call = clock.ready(judged.ready, unit(BOTH[0]), "forward")
    assert call.rotating == SETS
    for bound in [*call.bound, *(new for new, _ in call.fresh())]:
        assert any(isinstance(each, np.ndarray) for each in bound.args)
    back = clock.ready(judge(unit(BOTH[1]), ["forward"]).ready, unit(BOTH[1]), "forward")
    assert any(isinstance(each, torch.Tensor) for each in back.bound[0].args)


def test_a_number_that_changes_on_the_way_is_seen(monkeypatch):
    whole = torch.as_tensor
    monkeypatch.setattr(torch, "as_tensor", lambda x: whole(x).bfloat16().float())
    row = judge(unit(BOTH[0]), ["forward"]).rows["forward"]
    assert row.status == "disagrees"
