"""Cells are values with readable names; a selection says which of them run."""

import pickle
from dataclasses import replace

import pytest

from bench import pages
from bench.case import Case, Contender, Headline
from bench.cells.cell import Cell
from bench.cells.selection import Selection, cells, settings, timed

ADDED = "cotangents-of-ones"  # the kind of input that a default run adds to the page below


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


def headlined(**more):
    return page(headlines=(Headline("mission", "300 numbers", "as in the paper", **more),))


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
    found = [cell for cell in cells([headlined()], selection) if timed(cell, headlined(), selection)]
    assert {cell.seed for cell in found} == {3}


def test_data_that_lie_otherwise_in_memory_are_judged_in_full_and_never_timed():
    full = Selection(full=True)
    found = [cell for cell in cells([page()], full) if cell.mode in ("transposed", "gaps")]
    assert {cell.backend for cell in found} == {"numpy", "torch"}
    usual = {cell.size for cell in found if (cell.option, cell.regime) == settings(page())[0]}
    assert usual == {next(iter(page().sizes))}
    assert not [cell for cell in found if timed(cell, page(), full)]
    assert not [name for name in names() if "/gaps/" in name]


def test_a_minor_case_is_judged_once_a_contender_and_timed_under_full_only():
    minor = page(minor=True)
    found = [str(cell) for cell in cells([minor], Selection())]
    assert {tuple(name.split("/")[1:3]) for name in found} == {("plain", "typical"), ("plain", ADDED)}
    who = {name.split("/")[4] for name in found if ADDED in name}
    assert len(who) == len(minor.contenders) + 1  # NumPy
    assert {name.split("/")[5] for name in found} == {"eager", "function", "jit"}
    full = [str(cell) for cell in cells([minor], Selection(full=True))]
    assert {*found} < {*full} < {*names(full=True)}
    speeds = Selection(speeds=True)
    assert not [cell for cell in cells([minor], speeds) if timed(cell, minor, speeds)]
    assert [cell for cell in cells([page()], speeds) if timed(cell, page(), speeds)]


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
    speeds = Selection(backends=("tensorflow",), speeds=True)
    assert {cell.option for cell in cells([case], speeds) if timed(cell, case, speeds)} == {"loud"}


def test_rare_options_and_regimes_are_left_to_full():
    case = page(rare=("loud", "large"))
    default = {(cell.option, cell.regime) for cell in cells([case], Selection())}
    full = {(cell.option, cell.regime) for cell in cells([case], Selection(full=True))}
    assert default == {("plain", "typical"), ("plain", ADDED)}
    assert full == {("plain", "typical"), ("plain", "large"), ("loud", "typical"), ("plain", ADDED)}


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
    speeds = Selection(speeds=True)
    found = [cell for cell in cells([page()], speeds) if timed(cell, page(), speeds)]
    assert {(cell.option, cell.regime, cell.dtype) for cell in found} == {("plain", "typical", "float32")}
    for page_ in (page(), headlined()):
        smoke = Selection(smoke=True, speeds=True)
        assert not [cell for cell in cells([page_], smoke) if timed(cell, page_, smoke)]


def test_a_default_run_times_headlines_in_one_direction_api_and_mode_of_each_framework():
    other = Contender("torch", "torch.mul", lambda weights: ({}, None))
    grown = replace(headlined(), contenders=(*page().contenders, other))

    def found(case=grown, **selection):
        chosen = Selection(backends=("torch", "tensorflow"), **selection)
        which = [cell for cell in cells([case], chosen) if timed(cell, case, chosen)]
        assert {cell.option for cell in which} == {"plain"}
        return sorted((cell.size, cell.contender, cell.mode, cell.direction) for cell in which)

    ways = ("forward", "gradient")
    usual = [("mission", "tf.add", "function", "gradient"), ("mission", "torch.add", "eager", "gradient")]
    assert found() == usual
    assert found(replace(grown, headlines=headlined(direction="forward").headlines)) == [
        (*each[:3], "forward") for each in usual
    ]
    modes = [("tf.add", "function"), ("tf.add", "xla"), ("torch.add", "eager"), ("torch.add", "compile")]
    modes += [("torch.mul", "eager"), ("torch.mul", "compile")]
    every = [("mission", *each, way) for each in modes for way in ways]
    calls = [("small", *each, "gradient") for each in modes if each != ("torch.add", "compile")][:3]
    assert found(speeds=True) == sorted([*every, *calls])
    plain = replace(grown, headlines=())
    assert found(plain, speeds=True) == [("small", *each[1:]) for each in usual]
    xla = [("small", "tf.add", "xla", way) for way in ways]
    assert found(plain, modes=("xla",)) == xla
    assert {*every} - {*found(sizes=("mission",))} == {each for each in every if each[2] == "compile"}


def test_the_growth_of_a_headline_is_timed_at_each_size_and_nothing_else_runs():
    grown = headlined(growth=({"n": 5}, {"n": 20}), bits=3)
    chosen = Selection(backends=("torch", "tensorflow"), growth=True)
    found = list(cells([grown, page()], chosen))
    assert all(timed(cell, grown, chosen) for cell in found)
    assert {(cell.size, cell.contender, cell.mode, cell.direction) for cell in found} == {
        (size, api, mode, "gradient")
        for size in ("n:5", "n:20", "mission")
        for api, mode in (("torch.add", "eager"), ("tf.add", "function"))
    }


def test_a_headline_is_judged_on_whole_numbers_too_where_it_is_exact():
    def found(**selection):
        chosen = Selection(**selection)
        return [cell for cell in cells([headlined(bits=3)], chosen) if cell.regime == "integers"]

    assert {(cell.size, cell.direction) for cell in found()} == {("mission", "gradient")}
    assert len(found()) == 4 and not found(speeds=True) and not found(growth=True)
    assert not [cell for cell in cells([headlined()], Selection()) if cell.regime == "integers"]


def test_a_gpu_runs_a_larger_headline_where_each_example_has_outputs_of_its_own():
    grown = headlined(gpu={"n": 900})
    chosen = Selection(devices=("cpu", "gpu"), backends=("torch",), speeds=True)
    found = [cell for cell in cells([grown], chosen) if cell.size != "small"]
    assert {(cell.device, cell.direction, cell.size) for cell in found} == {
        ("cpu", "forward", "mission"), ("cpu", "gradient", "mission"),
        ("gpu", "forward", "n:900"), ("gpu", "gradient", "mission"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("more", "what"),
    [({"option": "soft"}, "the option 'soft'"), ({"direction": "training"}, "the direction 'training'"),
     ({"growth": ({"m": 3},)}, "the dimension 'm'"), ({"gpu": {"m": 3}}, "the dimension 'm'")],
)  # fmt: skip
def test_a_headline_names_what_its_case_has(more, what):
    with pytest.raises(
        ValueError, match=f"case double: headline 'mission' (names|changes) {what}, should be"
    ):
        headlined(**more)
    with pytest.raises(
        ValueError, match="headline 'huge' names the size 'huge', should be one of small, mis"
    ):
        page(headlines=(Headline("huge", "", ""),))


def test_the_api_that_a_default_run_times_has_the_direction():
    back = replace(page().contenders[0], api="torch.on", directions=("forward",))
    odd = replace(headlined(), contenders=(back, replace(page().contenders[0], modes=("compile", "eager"))))
    chosen = Selection(backends=("torch",))
    found = [cell for cell in cells([odd], chosen) if timed(cell, odd, chosen)]
    assert [(cell.contender, cell.mode) for cell in found] == [("torch.add", "eager")]
    none = replace(headlined(), contenders=(back,))
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


def test_low_precision_is_judged_under_full_and_not_timed():
    low = {"bfloat16", "float16"}
    assert not [name for name in names() if {*name.split("/")} & low]
    full = [cell for cell in cells([page()], Selection(full=True)) if cell.dtype in low]
    assert {cell.dtype for cell in full} == low
    usual = [cell for cell in full if (cell.option, cell.regime) == settings(page())[0]]
    assert {cell.size for cell in usual} == {"small"} and "compile" not in {cell.mode for cell in usual}
    assert not [cell for cell in full if timed(cell, page(), Selection(full=True))]


def test_a_named_low_dtype_runs_as_float32_does_by_default():
    usual, low = (names(dtypes=(dtype,)) for dtype in ("float32", "float16"))
    assert [name.replace("float32", "float16") for name in usual] == low
    assert names(dtypes=("float16",), sizes=("mission",))


def test_a_training_has_cells_below_float32_in_a_full_run_alone():
    training = replace(page(), reference=None, gradient=None, step=print, start=print)
    low = {"bfloat16", "float16"}
    full = [cell for cell in cells([training], Selection(full=True)) if cell.dtype in low]
    assert {cell.dtype for cell in full} == low
    assert not [cell for cell in cells([training], Selection()) if cell.dtype in low]


def test_a_contender_without_a_mode_for_its_case_has_no_cells():
    laid = Contender("torch", "torch.add", lambda weights: ({}, None), modes=("gaps",))
    training = replace(page(), contenders=(laid,), reference=None, gradient=None, step=print, start=print)
    assert {cell.backend for cell in cells([training], Selection(full=True))} == {"numpy"}


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


def test_a_cell_s_command_names_the_run_that_has_it(monkeypatch):
    from bench import size

    usual = Cell(
        "layer-norm", "plain", "typical", "small", "x", "torch", "eager", "cpu", "float32", "forward"
    )
    spelled = "batch:3+time:5+width:7"
    monkeypatch.setattr(size, "_kept", lambda: (("layer-norm", "plain", "typical", spelled),))
    grown = size.growth(pages.case("attention"), pages.case("attention").headlines[0])[0]
    for changed, flag in (
        ({}, "--full"),
        ({"regime": "huge"}, "--full-inputs"),
        ({"size": "batch:1+time:1+width:1"}, "--full-inputs"),
        ({"size": spelled}, "--full"),
        ({"case": "attention", "size": grown}, "--growth"),
        ({"case": "of others", "regime": "huge"}, "--full"),
    ):
        words = replace(usual, **changed).command().split()
        assert flag in words and not {"--full", "--full-inputs", "--growth"} - {flag} & {*words}


def test_the_run_of_a_command_has_the_cell():
    found = list(cells([pages.case("softmax")], Selection(full_inputs=True, backends=("torch",))))
    for cell in found[:: len(found) // 20]:
        again = Selection(full_inputs=True, backends=("torch",), dtypes=(cell.dtype,), modes=(cell.mode,))
        assert "--full-inputs" in cell.command().split()
        assert cell in set(cells([pages.case("softmax")], again))
