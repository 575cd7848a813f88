"""The kinds of inputs that every formula takes."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from bench import pages
from bench.case import INTEGERS
from bench.cells import catalogue
from bench.cells.catalogue import BOOLEANS, CATALOGUE, COTANGENTS, FLOATS, fitting, unfit
from bench.cells.cell import Cell
from bench.cells.kinds import edges, edges_of, kind_of, kinds
from bench.cells.selection import DTYPES, Selection, cells
from bench.cells.shapes import ROWS, shapes, sweeps
from bench.inputs import draw, make, rounded
from bench.noise import precision
from bench.tree import flatten, numpy_dtype

CASES = list(pages.cases().values())
WIDE = ("float64", "float32", "bfloat16", "float16")
RNG = np.random.default_rng(0)
X = RNG.normal(size=(50, 40))


def kind(name, x=X, dtype="float32"):
    """What a kind makes of numbers, as the dtype holds it, in float64."""
    found = CATALOGUE[name].change(np.random.default_rng(1), x, dtype)
    assert found.shape == x.shape and found.dtype == x.dtype
    return found.astype(numpy_dtype(dtype)).astype(np.float64)


@pytest.mark.parametrize("dtype", WIDE)
def test_numbers_are_at_the_edges_of_their_dtype(dtype):
    u, tiny, over = precision(dtype).u, precision(dtype).tiny, precision(dtype).overflow
    narrow = min(over, precision("float32").overflow)
    assert np.median(kind("huge", dtype=dtype) ** 2) > narrow
    assert narrow / 256 < X.size * np.abs(kind("near-largest", dtype=dtype)).max() < narrow
    assert np.isfinite(kind("near-largest", dtype=dtype)).all()
    assert np.median(kind("near-zero", dtype=dtype) ** 2) < max(tiny, precision("float32").tiny)
    below = CATALOGUE["subnormal"].change(RNG, X, dtype)
    assert (np.abs(below) > 0).all() and (np.abs(below) <= max(tiny, precision("float32").tiny)).all()
    mean, spread = kind("offset", dtype=dtype).mean(), X.std()
    assert u**0.5 / 4 < spread / mean < u**0.5 * 4
    assert not np.isnan(kind("mixed-magnitudes", dtype=dtype)).any()
    ratio = np.abs(kind("mixed-magnitudes", dtype=dtype) / np.where(X == 0, 1, X))
    assert ratio.max() / ratio.min() > 1 / u**0.5 or dtype == "float64"


@pytest.mark.parametrize("dtype", WIDE)
def test_one_element_of_each_row_is_so_far_above_that_the_others_round_away(dtype):
    rows = np.sort(CATALOGUE["one-far-above"].change(RNG, np.zeros((200, 9)), dtype))
    gap = rows[:, -1] - rows[:, -2]
    assert (np.exp(-gap) < precision(dtype).u ** 0.9).all()
    assert (np.exp(-gap) > precision(dtype).tiny).all()


def test_rows_zeros_ties_and_what_is_not_finite():
    assert (kind("constant-rows") == kind("constant-rows")[:, :1]).all()
    assert np.abs(kind("constant-huge-rows")).min() > 1e15
    ties = kind("zeros-and-ties")
    assert 0.1 < np.mean(ties == 0) < 0.5 and np.array_equal(2 * ties, np.rint(2 * ties))
    assert not kind("all-zeros").any()
    signs = np.signbit(kind("negative-zeros")[kind("negative-zeros") == 0])
    assert signs.any() and not signs.all()
    assert np.isnan(kind("one-nan")).sum() == 1 and np.isinf(kind("one-infinity")).sum() == 1


def test_indices_masks_and_cotangents():
    ids, mask = RNG.integers(1, 10, size=(6, 7)), np.ones((2, 5, 4), bool)
    changed = {
        name: each.change(RNG, ids, "float32")
        for name, each in CATALOGUE.items()
        if each.of == catalogue.INTEGERS
    }
    assert len(np.unique(changed["same-index"])) == 1
    assert (np.diff(changed["sorted-indices"].ravel()) >= 0).all()
    assert set(np.unique(changed["edge-indices"])) == {ids.min(), ids.max()} == {1, 9}
    shut = CATALOGUE["all-masked-row"].change(RNG, mask, "float32")
    assert not shut[:, -1].any() and shut[:, :-1].all()
    assert CATALOGUE["nothing-masked"].change(RNG, ~mask, "float32").all()
    assert (CATALOGUE["cotangents-of-ones"].change(RNG, X, "float32") == 1).all()
    one = CATALOGUE["one-hot-cotangents"].change(RNG, X, "float32")
    assert one.sum() == 1 and np.count_nonzero(one) == 1


@pytest.mark.parametrize("name", CATALOGUE)
def test_a_kind_takes_no_elements_one_and_a_number_without_an_axis(name):
    dtype = {BOOLEANS: bool, catalogue.INTEGERS: np.int64}.get(CATALOGUE[name].of, float)
    for shape in ((0, 3), (3, 0), (1,), (1, 1), ()):
        x = np.zeros(shape, dtype)
        found = np.asarray(CATALOGUE[name].change(RNG, x, "float32"))
        assert found.shape == shape and found.dtype == dtype


def at(case, regime, option=""):
    size, option = next(iter(case.sizes)), option or next(iter(case.options))
    return Cell(case.name, option, regime, size, "", "", "", "", "float32", "")


def test_only_the_arrays_of_the_kind_change_and_targets_stay():
    case = pages.case("cross-entropy")
    weights, usual = draw(case, at(case, "typical"))
    _, changed = draw(case, at(case, "all-zeros"))
    assert not weights and set(usual) == set(changed) and set(case.fixed) & set(usual)
    assert [name for name in usual if not changed[name].any()] == ["z"]
    assert all(changed[name].any() for name in set(case.fixed) & set(usual))


def test_a_mask_and_indices_are_changed_and_a_table_where_no_data_are_floats():
    case = pages.case("attention")
    assert not draw(case, at(case, "all-masked-row", "boolean-mask"))[1]["mask"][..., -1, :].any()
    case = pages.case("embedding")
    weights, _ = draw(case, at(case, "one-nan"))
    assert sum(np.isnan(leaf).sum() for leaf in flatten(weights).values()) == 1
    assert len(np.unique(next(iter(draw(case, at(case, "same-index"))[1].values())))) == 1


def test_cotangents_are_changed_in_every_set():
    case = pages.case("softmax")
    for number in (0, 1):
        found = make(at(case, "one-hot-cotangents"), number).cotangents["y"]
        assert np.count_nonzero(found) == 1


@pytest.fixture(scope="module")
def listed():
    """The cells of --full-inputs by formula."""
    return {case.name: list(cells([case], Selection(full_inputs=True))) for case in CASES}


def test_every_kind_that_fits_meets_every_option_and_the_first_option_every_dtype(listed):
    for case in CASES:
        found = {
            (cell.option, cell.regime, cell.dtype) for cell in listed[case.name] if cell.backend != "numpy"
        }
        reached = {option for option, _, _ in found}
        for option in reached:
            kinds = {regime for each, regime, _ in found if each == option}
            assert {*fitting(case, option)} <= kinds, (case.name, option)
        usual = next(iter(case.options))
        for name in fitting(case, usual) if usual in reached else ():
            assert {(usual, name, dtype) for dtype in DTYPES} <= found, (case.name, name)


def test_other_options_take_their_contenders_modes_and_dtypes_by_turns():
    case, engines = pages.case("layer-norm"), ("torch", "tensorflow", "jax")

    def there(option, name, **named):
        found = cells([case], Selection(full_inputs=True, backends=engines, **named))
        return [cell for cell in found if cell.option == option and cell.regime == name]

    def apis(found):
        return {(cell.backend, cell.contender) for cell in found}

    usual, other = list(case.options)[:2]
    met = {name: there(other, name) for name in fitting(case, other)}
    every = apis(there(usual, "huge"))
    assert len(every) > len(engines)
    assert all(len(apis(found)) == len(engines) for found in met.values())
    assert apis(there(other, "huge", dtypes=("float64",))) == every  # a dtype that is named has all
    turns = [cell for found in met.values() for cell in found]
    assert apis(turns) == every
    for engine in engines:
        modes = {cell.mode for cell in turns if cell.backend == engine}
        found = {(cell.mode, cell.dtype) for cell in turns if cell.backend == engine}
        assert found == {(mode, dtype) for mode in modes for dtype in DTYPES}
        both = {(cell.contender, cell.mode) for cell in turns if cell.backend == engine}
        assert both == {(api, mode) for name, api in every if name == engine for mode in modes}
    assert {cell.mode for cell in turns} == {"eager", "jit", "function", "xla"}


def test_where_a_kind_does_not_fit_the_others_keep_their_turns(monkeypatch):
    from bench.cells import selection

    case, run = pages.case("layer-norm"), Selection(full_inputs=True)
    every = set(cells([case], run))
    fewer = {
        option: fits._replace(kinds=[kind for kind in fits.kinds if kind != "offset"])
        for option, fits in edges_of(case).items()
    }
    monkeypatch.setattr(selection, "edges", lambda case: fewer)
    assert set(cells([case], run)) == {cell for cell in every if cell.regime != "offset"} < every


def test_a_default_run_has_one_kind_for_each_formula_and_the_seed_chooses_it():
    def added(seed):
        found = cells(CASES, Selection(seeds=(seed,)))
        return {(cell.case, cell.regime) for cell in found if strange(cell)}

    def strange(cell):
        return cell.regime in CATALOGUE and cell.regime not in pages.case(cell.case).regimes

    first = added(0)
    here = [case for case in CASES if "cpu" in case.devices]
    assert first == added(0) == {(case.name, name) for case in here for name in kind_of(case, 0)}
    assert len(first) == len({name for name, _ in first}) > 60
    assert len(first - added(1)) > 30
    assert not any(map(strange, cells(CASES, Selection(smoke=True))))


def test_no_kind_is_timed_or_judged_for_an_option_that_an_api_lacks(listed):
    found = [cell for mine in listed.values() for cell in mine]
    lacking = {(case.name, str(each)): {*each.without} for case in CASES for each in case.contenders}
    assert not any(cell.option in lacking.get((cell.case, cell.contender), ()) for cell in found)


def test_a_page_keeps_its_own_regime_of_a_kind_s_name():
    name = "one-nan"
    case = replace(pages.case("softmax"), rare=(), regimes={"typical": "usual", name: "of its own"})
    assert name in fitting(pages.case("softmax"), "plain") and name not in fitting(case, "plain")


def test_what_does_not_fit_is_left_out_with_its_reason(monkeypatch):
    given = SimpleNamespace(
        REASONS={"softmax/*/one-nan": "planted", "linear-regression/*/rows:4+*": "planted"}
    )
    monkeypatch.setattr(pages, "exemptions", lambda study: given)
    unfit.cache_clear()
    try:
        assert unfit("softmax", "plain", "one-nan") == "planted"
        assert "one-nan" not in fitting(pages.case("softmax"), "plain")
        assert "one-infinity" in fitting(pages.case("softmax"), "plain")
        swept = {size.partition("+")[0] for size in sweeps(pages.case("linear-regression"), "plain")}
        assert "rows:4" not in swept and "rows:5" in swept
    finally:
        unfit.cache_clear()


def test_every_reason_is_of_a_kind_that_would_fit(monkeypatch):
    """A pattern that matches nothing is stale."""
    from fnmatch import fnmatchcase

    reasons = pages.exemptions("inputs").REASONS
    of_sizes = {pattern.split("/")[0] for pattern in reasons if ":" in pattern}
    monkeypatch.setattr(pages, "exemptions", lambda study: SimpleNamespace(REASONS={}))
    unfit.cache_clear()
    try:
        fits = {
            f"{case.name}/{option}/{name}"
            for case in CASES
            for option in case.options
            for name in (
                *fitting(case, option),
                *(shapes(case, option) if case.name in of_sizes else ()),
                *(sweeps(case, option) if case.name in of_sizes and option in case.integers else ()),
            )
        }
    finally:
        unfit.cache_clear()
    stale = [pattern for pattern in reasons if not any(fnmatchcase(name, pattern) for name in fits)]
    assert not stale


def test_a_page_that_cannot_draw_has_no_kinds():
    def fails(rng, **given):
        raise ZeroDivisionError

    assert fitting(replace(pages.case("softmax"), inputs=fails), "plain") == []


def test_the_sizes_are_of_one_element_of_none_of_equal_and_of_different_axes():
    found = shapes(pages.case("linear-regression"), "plain")
    assert found == [
        "rows:1+features:1+outputs:1", "rows:0+features:10+outputs:3", "rows:4+features:4+outputs:4",
        "rows:3+features:5+outputs:7",
    ]  # fmt: skip


def test_a_training_has_no_step_without_examples():
    """Its loss is a mean over them."""
    assert not [size for size in shapes(pages.case("adam"), "plain") if size.startswith("rows:0")]


def test_a_size_that_the_reference_does_not_take_is_left_out():
    found = shapes(pages.case("conv2d"), next(iter(pages.case("conv2d").options)))
    training = pages.case("cnn-training")
    assert not any(size.startswith("image:4+") for size in shapes(training, next(iter(training.options))))
    assert any("height:4" in size for size in found)
    assert not any("height:1+" in size for size in found)  # the kernel has three rows


def test_whole_numbers_are_swept_past_blocks_of_rows_and_of_width():
    assert {2**k + by for k in range(2, 17) for by in (-1, 0, 1)} <= {*ROWS}
    case = pages.case("linear-regression")
    found = sweeps(case, "plain")
    listed = [size["rows"] for size in case.sizes.values()]
    assert {f"rows:{rows}+features:10+outputs:3" for rows in ROWS if rows not in listed} <= {*found}
    assert any("features:8193" in size for size in found)
    swept = [cell for cell in cells([case], Selection(full_inputs=True)) if cell.regime == INTEGERS]
    assert {cell.size for cell in swept} == {*found} and {cell.dtype for cell in swept} == {"float32"}


def test_swept_whole_numbers_are_exact_at_the_longest():
    from bench.tolerance.expected import derive

    cell = replace(at(pages.case("linear-regression"), INTEGERS), size="rows:65537+features:10+outputs:3")
    assert all(not one.sigma.any() for one in derive(cell).values())
    _, data = draw(pages.case(cell.case), cell)
    assert {*np.unique(data["x"])} == {-1, 0, 1}


def test_kinds_are_of_what_formulas_have():
    assert {each.of for each in CATALOGUE.values()} == {FLOATS, BOOLEANS, COTANGENTS, catalogue.INTEGERS}
    assert rounded({"x": X}, "float32")["x"].dtype == np.float32


def test_a_default_run_leaves_out_a_kind_on_which_gradients_overflow(monkeypatch):
    """The sign of a sum that vanishes is that of any of its parts, so a page that is right would be red."""
    from bench.cells import kinds

    squares, usual = pages.case("least-squares"), pages.case("softmax")
    assert catalogue.vanishes(squares, "plain", "near-largest")
    assert not catalogue.vanishes(squares, "plain", "offset")
    assert not any(catalogue.vanishes(usual, "plain", name) for name in CATALOGUE)
    for case, kind in ((squares, "offset"), (usual, "near-largest")):
        monkeypatch.setattr(kinds, "fitting", lambda case, option: ["near-largest", "offset"])
        assert {*kind_of(case, 0), *kind_of(case, 1), *kind_of(case, 2)} <= {kind, "offset"}
    assert {name for seed in range(9) for name in kind_of(squares, seed)} == {"offset"}
    assert {name for seed in range(9) for name in kind_of(usual, seed)} == {"near-largest", "offset"}


def test_the_kind_is_drawn_once_for_a_page_on_disk_and_each_time_for_another(monkeypatch, tmp_path):
    from bench.cells import kinds as module

    monkeypatch.setenv("GAUGEBLOCK_CACHE", str(tmp_path))
    module._every_kind.cache_clear()
    case, drawn = pages.case("softmax"), []
    monkeypatch.setattr(module, "fitting", lambda case, option: drawn.append(case.name) or ["offset", "huge"])
    try:
        assert {*kinds(case, 0)} <= {"offset", "huge"} and drawn.count("softmax") == 1
        module._every_kind.cache_clear()  # as in another process
        assert {*kinds(case, 0)} <= {"offset", "huge"} and drawn.count("softmax") == 1
        assert list(kinds(replace(case, minor=True), 0)) and drawn.count("softmax") == 2
        monkeypatch.setattr(module, "source", lambda files: "of changed pages")
        module._every_kind.cache_clear()
        assert list(kinds(case, 0)) and drawn.count("softmax") == 3
    finally:
        module._every_kind.cache_clear()


@pytest.mark.parametrize(("name", "part"), [("encoder-decoder", "layers"), ("wavenet", "depth")])
def test_a_number_of_parts_is_no_length(name, part):
    case = pages.case(name)
    usual = next(iter(case.sizes.values()))[part]
    found = shapes(case, next(iter(case.options)))
    assert len(found) > 2 and all(f"+{part}:{usual}" in each for each in found)


def test_a_training_takes_the_sizes_that_its_first_step_takes():
    found = shapes(pages.case("cnn-training"), "adam")  # which has no room for its kernels in a few pixels
    assert not any(f"image:{few}+" in each for few in (1, 4, 5) for each in found)
    assert len(shapes(pages.case("perceptron"), "relu")) > 1


def test_what_fits_is_found_once_for_a_page_on_disk_and_each_time_for_another(monkeypatch, tmp_path):
    from bench.cells import kinds as module

    monkeypatch.setenv("GAUGEBLOCK_CACHE", str(tmp_path))
    case, drawn = pages.case("softmax"), []
    whole = edges_of(case)
    monkeypatch.setattr(module, "fitting", lambda case, option: drawn.append(case.name) or [])
    monkeypatch.setattr(module.pages, "cases", lambda: {"softmax": case, "of-nothing": nothing})
    nothing = replace(case, name="of-nothing", integers={})
    monkeypatch.setattr(module, "shapes", lambda case, option: [] if case is nothing else ["batch:1"])
    module._every_edge.cache_clear()
    try:
        assert edges(case) == {
            option: fits._replace(kinds=[], shapes=["batch:1"]) for option, fits in whole.items()
        }
        once = drawn.count("softmax")
        module._every_edge.cache_clear()  # as in another process
        assert edges(case) and drawn.count("softmax") == once == len(case.options)
        assert edges(replace(case, minor=True)) and drawn.count("softmax") == 2 * once
        asked = drawn.count("of-nothing")
        assert edges(nothing) and drawn.count("of-nothing") == 2 * asked  # it may have lacked a package
    finally:
        module._every_edge.cache_clear()


def test_of_several_floating_arrays_the_first_alone_is_changed():
    _, changed = draw(pages.case("attention"), at(pages.case("attention"), "all-zeros"))
    assert [name for name, x in changed.items() if not x.any()] == ["q"]
