"""Cells are values with readable names; a selection says which of them run."""

import pickle
from dataclasses import replace

import pytest

from bench.case import Case, Contender
from bench.cells.cell import Cell
from bench.cells.selection import Selection, cells, timed


def page(**more):
    return Case(
        name="double",
        title="Twice",
        reference=lambda x: x,
        gradient=lambda dy, x: {"x": dy},
        inputs=lambda rng, **option: ({}, {}),
        sizes={"small": {"n": 3}, "mission": {"n": 300}},
        options={"plain": {}, "loud": {"loud": True}},
        regimes={"typical": "normal draws", "large": "large ones"},
        contenders=(
            Contender("torch", "torch.add", lambda weights: ({}, None), without={"loud": "it is quiet"}),
            Contender("tensorflow", "tf.add", lambda weights: ({}, None)),
            Contender("jax", "jax.numpy.add", lambda weights: ({}, None)),
        ),
        items=lambda **size: 1,
        unit="samples",
        flops=lambda **size: 1,
        **more,
    )


def names(**selection):
    return [str(cell) for cell in cells([page()], Selection(**selection))]


def test_a_cell_is_picklable_and_its_name_tells_everything():
    cell = next(cells([page()], Selection(backends=("torch",))))
    assert pickle.loads(pickle.dumps(cell)) == cell
    assert str(cell) == "double/plain/typical/small/torch.add/eager/cpu/float64/forward"


def test_every_cell_has_a_name_of_its_own():
    found = names(full=True, seeds=(0, 1, 2))
    assert len(found) == len(set(found)) == 3 * len(names(full=True))


def test_a_cell_of_another_seed_has_another_name():
    found = names(backends=("torch",), seeds=(0, 1))
    assert len(found) == len(set(found))
    assert {name.endswith("/seed-1") for name in found} == {True, False}


def test_a_smoke_runs_each_backend_in_the_first_of_its_dtypes():
    found = list(cells([page()], Selection(backends=("torch", "keras-torch"), smoke=True)))
    assert {(cell.backend, cell.dtype) for cell in found} == {("torch", "float64")}
    keras = page()
    keras = replace(keras, contenders=[Contender("tensorflow", "keras.ops.add", lambda weights: ({}, None))])
    found = list(cells([keras], Selection(backends=("tensorflow", "keras-torch"), smoke=True)))
    assert {(cell.backend, cell.dtype) for cell in found} == {
        ("tensorflow", "float64"),
        ("keras-torch", "float32"),
    }


def test_the_default_leaves_sizes_and_slow_modes_to_full():
    default, full = names(), names(full=True)
    assert not [name for name in default if "/mission/" in name or "/compile/" in name]
    assert [name for name in full if "/mission/" in name and "/compile/" in name]
    assert set(default) < set(full)


def test_of_several_seeds_one_is_timed():
    selection = Selection(seeds=(3, 4))
    assert {cell.seed for cell in cells([page()], selection)} == {3, 4}
    assert {cell.seed for cell in cells([page()], selection) if timed(cell, page(), selection)} == {3}


def test_data_that_lie_otherwise_in_memory_are_judged_in_full_at_the_first_size_and_never_timed():
    full = Selection(full=True)
    found = [cell for cell in cells([page()], full) if cell.mode in ("transposed", "gaps")]
    assert {cell.backend for cell in found} == {"numpy", "torch"}
    assert {cell.size for cell in found} == {next(iter(page().sizes))}
    assert not [cell for cell in found if timed(cell, page(), full)]
    assert not [name for name in names() if "/gaps/" in name]


def test_a_minor_case_is_judged_once_a_contender_and_timed_under_full_only():
    minor = page(minor=True)
    found = [str(cell) for cell in cells([minor], Selection())]
    assert {name.split("/")[1:3] == ["plain", "typical"] for name in found} == {True}
    assert {name.split("/")[5] for name in found} == {"eager", "function", "jit"}
    full = [str(cell) for cell in cells([minor], Selection(full=True))]
    assert full == names(full=True)
    assert not [cell for cell in cells([minor], Selection()) if timed(cell, minor, Selection())]
    assert [cell for cell in cells([page()], Selection()) if timed(cell, page(), Selection())]


def test_float64_runs_in_one_mode_and_float32_in_all():
    found = [name for name in names(backends=("tensorflow",)) if "/plain/typical/" in name]
    assert {name.split("/")[5] for name in found if "/float64/" in name} == {"function"}
    assert {name.split("/")[5] for name in found if "/float32/" in name} == {"function", "eager", "xla"}


def test_jax_runs_eager_on_the_typical_option_only():
    eager = [name for name in names(backends=("jax",)) if "/eager/" in name]
    assert eager and all("/plain/typical/" in name for name in eager)


def test_smoke_is_one_option_one_dtype_one_mode():
    found = names(smoke=True, backends=("torch", "jax"))
    assert found == [
        "double/plain/typical/small/torch.add/eager/cpu/float64/forward",
        "double/plain/typical/small/torch.add/eager/cpu/float64/gradient",
        "double/plain/typical/small/jax.numpy.add/jit/cpu/float64/forward",
        "double/plain/typical/small/jax.numpy.add/jit/cpu/float64/gradient",
    ]


def test_a_contender_that_lacks_the_typical_option_stands_by_its_first_own():
    keras = Contender("tensorflow", "tf.add", lambda weights: ({}, None), without={"plain": "it is loud"})
    case = replace(page(), contenders=(keras,))
    smoke = list(cells([case], Selection(smoke=True, backends=("tensorflow",))))
    assert {cell.option for cell in smoke} == {"loud"}
    default = Selection(backends=("tensorflow",))
    assert {cell.option for cell in cells([case], default) if timed(cell, case, default)} == {"loud"}


def test_rare_options_and_regimes_are_left_to_full():
    case = page(rare=("loud", "large"))
    default = {(cell.option, cell.regime) for cell in cells([case], Selection())}
    full = {(cell.option, cell.regime) for cell in cells([case], Selection(full=True))}
    assert default == {("plain", "typical")}
    assert full == {("plain", "typical"), ("plain", "large"), ("loud", "typical")}


@pytest.mark.parametrize("name", ["plain", "nonsense"])
def test_a_rare_option_must_exist_and_not_be_the_typical_one(name):
    with pytest.raises(ValueError, match=f"rare names '{name}'"):
        page(rare=(name,))


def test_an_option_that_an_api_lacks_is_one_row_a_dtype():
    found = [name for name in names(full=True, backends=("torch",)) if "/loud/typical/small/" in name]
    assert {name.split("/")[5] for name in found} == {"eager"}


def test_a_named_mode_or_size_lifts_the_defaults_restriction():
    assert names(backends=("torch",), modes=("compile",), dtypes=("float64",))
    assert names(backends=("torch",), sizes=("mission",))


def test_the_typical_option_in_float32_is_timed():
    found = [cell for cell in cells([page()], Selection()) if timed(cell, page(), Selection())]
    assert {(cell.option, cell.regime, cell.dtype) for cell in found} == {("plain", "typical", "float32")}
    smoke = Selection(smoke=True)
    assert not [cell for cell in cells([page()], smoke) if timed(cell, page(), smoke)]


def test_a_default_run_times_one_api_and_mode_of_each_framework():
    other = Contender("torch", "torch.mul", lambda weights: ({}, None))
    grown = replace(page(), contenders=(*page().contenders, other))

    def found(**selection):
        chosen = Selection(backends=("torch", "tensorflow"), **selection)
        which = [cell for cell in cells([grown], chosen) if timed(cell, grown, chosen)]
        return [(cell.contender, cell.mode, cell.direction) for cell in which]

    usual = [("torch.add", "eager", "gradient"), ("tf.add", "function", "gradient")]
    assert found() == usual
    both = [(name, mode, each) for name, mode, _ in usual for each in ("forward", "gradient")]
    xla = [("tf.add", "xla", each) for each in ("forward", "gradient")]
    muls = [("torch.mul", "eager", each) for each in ("forward", "gradient")]
    assert sorted(found(speeds=True)) == sorted([*both, *xla, *muls])
    assert set(both) < set(found(full=True))
    assert found(modes=("xla",)) == xla
    assert {*both, *xla, *muls} <= {*found(sizes=("mission",))}


def test_the_api_that_a_default_run_times_has_the_direction():
    back = replace(page().contenders[0], api="torch.on", directions=("forward",))
    odd = replace(page(), contenders=(back, replace(page().contenders[0], modes=("compile", "eager"))))
    chosen = Selection(backends=("torch",))
    found = [cell for cell in cells([odd], chosen) if timed(cell, odd, chosen)]
    assert [(cell.contender, cell.mode) for cell in found] == [("torch.add", "eager")]
    none = replace(page(), contenders=(back,))
    assert not [cell for cell in cells([none], chosen) if timed(cell, none, chosen)]


def test_the_command_names_what_selects_the_cell():
    cell = Cell("a", "b", "c", "big", "torch.add", "torch", "compile", "cpu", "float32", "forward", 3)
    command = (
        "pytest 'suites/test_suites.py::test_agree[a/b/c/big/torch.add/compile/cpu/float32/forward/seed-3]'"
        " --full --backend torch --device cpu --dtype float32 --mode compile --size big --seed 3"
    )
    assert cell.command() == command
    assert cell.command("--threads 1") == f"{command} --threads 1"


def test_a_case_is_a_formula_or_a_training():
    with pytest.raises(ValueError, match="case double: got both"):
        page(step=print, start=print)


# ---- below float32 ----


def test_low_precision_is_judged_under_full_at_the_first_size_and_not_timed():
    low = {"bfloat16", "float16"}
    assert not [name for name in names() if {*name.split("/")} & low]
    full = [cell for cell in cells([page()], Selection(full=True)) if cell.dtype in low]
    assert {cell.dtype for cell in full} == low and {cell.size for cell in full} == {"small"}
    assert "compile" not in {cell.mode for cell in full}
    assert not [cell for cell in full if timed(cell, page(), Selection(full=True))]


def test_a_named_low_dtype_runs_as_float32_does_by_default():
    usual, low = (names(dtypes=(dtype,)) for dtype in ("float32", "float16"))
    assert [name.replace("float32", "float16") for name in usual] == low
    assert names(dtypes=("float16",), sizes=("mission",))


def test_a_training_has_no_cells_below_float32():
    training = replace(page(), reference=None, gradient=None, step=print, start=print)
    full = {cell.dtype for cell in cells([training], Selection(full=True))}
    assert full == {"float64", "float32"}


def test_a_backend_runs_in_the_dtypes_it_has(monkeypatch):
    from bench.backends.torch import Torch

    monkeypatch.setattr(Torch, "dtypes", ("float32",))
    assert {name.split("/")[7] for name in names(backends=("torch",))} == {"float32"}


def test_the_command_of_a_low_cell_names_the_dtype_that_selects_it():
    cell = Cell("a", "b", "typical", "big", "torch.add", "torch", "compile", "cpu", "float16", "forward")
    assert (
        "--full --backend torch --device cpu --dtype float16 --mode compile --size big --seed 0"
        in cell.command()
    )


def test_a_free_run_is_drawn_once_a_contender():
    from bench.run.pytest_plugin import _draws

    unit = Cell("a", "b", "c", "small", "torch.add", "torch", "eager", "cpu", "float32", "", 3)
    assert _draws(unit, 3)
    for other in ({"seed": 4}, {"dtype": "float64"}, {"mode": "compile"}):
        assert not _draws(replace(unit, **other), 3)
