"""run(cell) -> Row: limits, refusals, errors and absences as data."""

from dataclasses import replace
from functools import partial
from math import inf

import numpy as np
import pytest
from scipy import special

from bench import pages
from bench.backends import Absent, backend
from bench.backends import release as installed
from bench.case import Case, Contender, Limit, Refusal, Seen
from bench.cells.cell import Cell
from bench.contender.layout import Layout
from bench.contender.prepare import find
from bench.store.row import sentence
from bench.tolerance.expected import expectation
from bench.verdict.compare import Agreement
from bench.verdict.judge import judge, run
from bench.verdict.known import Known, expected, limits, settle, unsteady

AGREES = Agreement(status="agrees", why="", bits=53.0, z_rms=0.5, z_worst=0.3, worst="y[0]", undecided=0)
FAR = replace(AGREES, status="disagrees", why="y[0] is 1, should be 2", z_rms=500.0)
ALL = {"backend": "torch"}
LIMIT = Limit("torch", "its softmax is in float32", "torch/nn/functional.py:1", ALL, name="softmax")


def measured(low, high=None, release="", limit=LIMIT, **cells):
    """A Limit with these measured sizes, by default in the installed release."""
    seen = Seen(release or installed("torch"), cells, (low, high or low))
    return replace(limit, seen=(*limit.seen, seen))


def known(limit, **cell):
    """The Limit applied to a cell."""
    return Known(limit, expected(limit, cell, "2.13.0"), "2.13.0", "2.13.0" in limit.releases)


HERE = measured(300, 400, "2.13.0")  # explains 30 to 4000


def product(x, W):
    return x @ W


def product_vjp(dy, x, W):
    return {"x": dy @ W.T, "W": x.T @ dy}


def honest(weights, **option):
    return weights, lambda params, x: {"y": x @ params["W"]}


def wrong(weights, **option):
    return weights, lambda params, x: {"y": x @ params["W"] * 1.001}


def keeps(weights, **option):
    first = []

    def run(params, x):
        first.append(params["W"].detach().clone())
        return {"y": x @ first[0]}

    return weights, run


def reads_on(weights, **option):
    """A kernel that takes the address of the first element, and reads contiguous memory from there."""

    def run(params, x):
        return {"y": x.as_strided(x.shape, (x.shape[1], 1)) @ params["W"]}

    return weights, run


def scaled(weights, **option):
    return {"W": 2 * weights["W"]}, lambda params, x: {"y": x @ params["W"]}


def refuses(weights, **option):
    def run(params, x):
        if x.requires_grad:
            raise NotImplementedError("no gradient on this device")
        return {"y": x @ params["W"]}

    return weights, run


@pytest.fixture
def page(monkeypatch):
    """A page with one small formula, registered for the duration of a test."""

    def add(build, **more):
        case = Case(
            name="product",
            title="A product",
            reference=product,
            gradient=product_vjp,
            inputs=lambda rng, **option: ({"W": rng.normal(size=(5, 4))}, {"x": rng.normal(size=(7, 5))}),
            sizes={"small": {}},
            options={"plain": {}, "other": {}},
            contenders=(Contender("torch", "torch.matmul", build, **more.pop("contender", {})),),
            items=lambda **size: 1,
            unit="samples",
            flops=lambda **size: 1,
            **more,
        )
        monkeypatch.setitem(pages.cases(), "product", case)
        return case

    pytest.importorskip("torch")
    return add


def cell(direction="forward", option="plain", dtype="float64"):
    return Cell(
        "product", option, "typical", "small", "torch.matmul", "torch", "eager", "cpu", dtype, direction
    )


def test_an_honest_contender_agrees_in_both_directions(page):
    page(honest)
    for direction in ("forward", "gradient"):
        row = run(cell(direction))
        assert (row.status, row.why) == ("agrees", "")
        assert row.bits > 50 and row.z_rms < 2 and row.z_worst < 1
        assert row.version and row.checksum and row.threads


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # torch.compile's own
def test_a_compiled_contender_that_keeps_the_weights_of_its_first_call_disagrees(page):
    page(keeps)
    assert run(cell()).status == "agrees"
    assert run(replace(cell(), mode="compile")).status == "disagrees"


@pytest.mark.parametrize("mode", ["transposed", "gaps"])
@pytest.mark.parametrize("direction", ["forward", "gradient"])
def test_a_contender_that_reads_memory_as_if_it_were_whole_disagrees(page, mode, direction):
    page(honest)
    assert run(replace(cell(direction), mode=mode)).status == "agrees"
    page(reads_on)
    assert run(cell(direction)).status == "agrees"
    assert run(replace(cell(direction), mode=mode)).status == "disagrees"


def test_a_wrong_contender_disagrees_in_one_sentence(page):
    page(wrong)
    row = run(cell())
    assert row.status == "disagrees"
    assert "should be" in row.why and "\n" not in row.why
    assert row.bits < 11


def test_a_build_that_computes_is_an_error(page):
    page(scaled)
    row = run(cell("gradient"))
    assert row.status == "error" and "a build should only rearrange them" in row.why


def test_a_contender_that_raises_is_an_error_with_its_words(page):
    page(refuses)
    rows = judge(cell("").unit, ("gradient",)).rows
    assert rows["gradient"].status == "error"
    assert rows["gradient"].why == "NotImplementedError: no gradient on this device"


def test_a_known_refusal_is_absent_in_the_frameworks_words_and_costs_no_forward_row(page):
    page(
        refuses, contender={"refuses": [Refusal("plain/eager/cpu/*/gradient", "no gradient on this device")]}
    )
    rows = judge(cell("").unit, ("forward", "gradient")).rows
    assert rows["forward"].status == "agrees"
    assert rows["gradient"].status == "absent"
    assert "refuses: NotImplementedError: no gradient on this device" in rows["gradient"].why


def test_a_refusal_of_one_kind_of_inputs_names_no_other(page):
    refusal = Refusal("*", "no gradient on this device", regime="one-*")
    page(refuses, contender={"refuses": [refusal]})
    assert run(cell("gradient")).status == "error"
    page(refuses, contender={"refuses": [replace(refusal, regime="typ*")]})
    assert run(cell("gradient")).status == "absent"


def test_a_refusal_that_is_gone_is_told_and_the_cell_judged(page):
    page(honest, contender={"refuses": [Refusal("plain/*/gradient", "no gradient")]})
    row = run(cell("gradient"))
    assert row.status == "agrees" and row.bits
    assert row.why == "a refusal is gone: it raised 'no gradient'"


def test_where_a_refusal_is_gone_a_wrong_gradient_disagrees(page):
    page(wrong, contender={"refuses": [Refusal("plain/*/gradient", "no gradient")]})
    row = run(cell("gradient"))
    assert row.status == "disagrees" and "should be" in row.why


def test_a_refusal_in_other_words_is_not_the_known_one(page):
    page(refuses, contender={"refuses": [Refusal("*", "out of memory")]})
    row = run(cell("gradient"))
    assert (row.status, row.why) == ("error", "NotImplementedError: no gradient on this device")


@pytest.mark.parametrize(("size", "status"), [("small", "absent"), ("sm*", "absent"), ("batch:0+*", "error")])
def test_a_refusal_names_the_sizes_that_the_framework_refuses(page, size, status):
    page(refuses, contender={"refuses": [Refusal("*", "no gradient on this device", size=size)]})
    assert run(cell("gradient")).status == status


def unread():
    raise AttributeError("this release has no such API")


@pytest.mark.parametrize(
    ("read", "status"), [(lambda: False, "absent"), (lambda: True, "error"), (unread, "absent")]
)
def test_a_refusal_counts_where_its_condition_is_read_back_or_unknown(page, monkeypatch, read, status):
    words = "no gradient on this device"
    page(refuses, contender={"refuses": [Refusal("*/gradient", words, {"unit": False})]})
    monkeypatch.setattr(backend("torch"), "flags", lambda self: {"unit": read})
    assert run(cell("gradient")).status == status


def test_where_a_condition_cannot_be_read_it_is_no_news_that_nothing_is_refused(page, monkeypatch):
    page(honest, contender={"refuses": [Refusal("*/gradient", "no gradient", {"unit": False})]})
    monkeypatch.setattr(backend("torch"), "flags", lambda self: {"unit": unread})
    row = run(cell("gradient"))
    assert (row.status, row.why) == ("agrees", "")


def test_a_condition_that_nobody_reads_is_an_error_with_the_list(page, monkeypatch):
    page(honest, contender={"refuses": [Refusal("*", "no", {"one_dnn": False})]})
    monkeypatch.setattr(backend("torch"), "flags", lambda self: {"onednn": lambda: True})
    row = run(cell("gradient"))
    assert row.status == "error" and "when names 'one_dnn', should be one of onednn" in row.why


def test_the_first_refusal_whose_condition_holds_says_the_words(page, monkeypatch):
    known = [Refusal("*", "with it", {"unit": True}), Refusal("*", "no gradient", {"unit": False})]
    page(refuses, contender={"refuses": known})
    monkeypatch.setattr(backend("torch"), "flags", lambda self: {"unit": lambda: False})
    assert run(cell("gradient")).status == "absent"


def test_an_option_that_the_api_lacks_is_absent_with_its_reason(page):
    page(honest, contender={"without": {"other": "it has no such keyword"}})
    row = run(cell(option="other"))
    assert (row.status, row.why) == ("absent", "torch.matmul: it has no such keyword")


def test_a_direction_that_the_backend_lacks_is_absent_and_costs_no_other(page, monkeypatch):
    page(honest)
    monkeypatch.setattr(backend("torch"), "without", {"gradient": "it runs inference"})
    rows = judge(cell("").unit, ("forward", "gradient")).rows
    assert rows["forward"].status == "agrees"
    assert (rows["gradient"].status, rows["gradient"].why) == ("absent", "it runs inference")
    assert run(cell("gradient")).status == "absent"


def test_what_a_call_finds_absent_is_absent_in_its_words(page):
    def no_kernel(weights, **option):
        def run(params, x):
            raise Absent("no kernel for double")

        return weights, run

    page(no_kernel)
    rows = judge(cell("").unit, ("forward", "gradient")).rows
    assert {(row.status, row.why) for row in rows.values()} == {("absent", "no kernel for double")}


@pytest.mark.parametrize("api", ["torch.matmull", "torch.lin.solve"])
def test_an_api_that_the_release_has_not_got_is_absent(page, monkeypatch, api):
    case = page(honest)
    (contender,) = case.contenders
    monkeypatch.setitem(pages.cases(), "product", replace(case, contenders=[replace(contender, api=api)]))
    row = run(replace(cell(), contender=api))
    assert (row.status, row.why) == ("absent", f"torch {installed('torch')} has no {api}")


def test_an_api_of_a_file_that_is_no_module_is_run(page, monkeypatch):
    case = page(honest)
    named = [replace(case.contenders[0], api="mychip.product")]
    monkeypatch.setitem(pages.cases(), "product", replace(case, contenders=named))
    assert run(replace(cell(), contender="mychip.product")).status == "agrees"


@pytest.mark.parametrize(("api", "status"), [("nowhere.product", "absent"), ("torch.matmul", "error")])
def test_an_api_whose_package_is_not_installed_is_absent(page, monkeypatch, api, status):
    def build(weights, **option):
        import nowhere

        return weights, nowhere.product

    case = page(honest)
    named = [replace(case.contenders[0], api=api, build=build)]
    monkeypatch.setitem(pages.cases(), "product", replace(case, contenders=named))
    row = run(replace(cell(), contender=api))
    assert row.status == status, row.why
    absent = "nowhere.product needs nowhere, which is not installed (pip install nowhere)"
    assert status == "error" or row.why == absent


def test_a_missing_contender_names_those_that_exist(page):
    case = page(honest)
    with pytest.raises(ValueError, match=r"got 'torch.mm', should be one of torch.matmul"):
        find(case, replace(cell(), contender="torch.mm"))


def test_a_known_departure_is_limited_and_carries_its_source():
    found = settle(FAR, [known(HERE)])
    assert (found["status"], found["limit"], found["versions"]) == ("limited", "softmax", "torch 2.13.0")
    assert (found["why"], found["source"]) == (LIMIT.reason, LIMIT.source)


def test_a_stale_limit_fails():
    found = settle(AGREES, [known(HERE)])
    assert found["status"] == "disagrees" and found["why"].startswith("stale limit")


@pytest.mark.parametrize(
    ("cells", "regime", "size", "shows"),
    [
        ({}, "typical", "small", True),
        ({}, "huge", "small", False),
        ({"regime": ("typical", "huge")}, "huge", "small", True),
        ({}, "typical", "rows:3+width:5", False),
        ({"size": "rows:3+width:5"}, "typical", "rows:3+width:5", True),
    ],
)
def test_a_departure_need_not_show_on_inputs_or_sizes_that_no_page_lists(
    monkeypatch, cells, regime, size, shows
):
    limit = replace(HERE, cells={"backend": "torch", **cells})
    case = replace(pages.case("softmax"), limits=(limit,))
    monkeypatch.setitem(pages.cases(), "softmax", case)
    api = "torch.nn.functional.softmax"
    cell = Cell("softmax", "plain", regime, size, api, "torch", "eager", "cpu", "float32", "forward")
    (found,) = limits(cell, backend("torch")("cpu", "float32"), "forward")
    assert found.limit.always == shows


def test_a_limit_is_not_stale_in_a_release_in_which_nobody_measured_it():
    elsewhere = known(measured(300, 400, "2.12.0"))
    assert settle(AGREES, [elsewhere])["status"] == "agrees"
    found = settle(FAR, [elsewhere])
    assert found["status"] == "limited" and found["why"].endswith("(not yet measured in torch 2.13.0)")


def test_a_limit_near_the_edge_may_agree():
    assert settle(AGREES, [known(replace(HERE, always=False))])["status"] == "agrees"


@pytest.mark.parametrize("z", [1.1, 7.0, 30.0, 4000.0])
def test_a_departure_that_some_inputs_do_not_show_may_be_of_any_smaller_size(z):
    """On other inputs it may be anything from nothing to what was measured."""
    limit = replace(HERE, always=False)
    assert settle(replace(FAR, z_rms=z), [known(limit)])["status"] == "limited"
    assert settle(replace(FAR, z_rms=5000.0), [known(limit)])["status"] == "disagrees"
    none = replace(measured(inf, release="2.13.0"), always=False)
    assert settle(replace(FAR, z_rms=z), [known(none)])["status"] == "disagrees"


def test_a_limit_that_got_worse_fails():
    found = settle(replace(FAR, z_rms=5000.0), [known(HERE)])
    assert found["status"] == "disagrees" and "explains a z of 30 to 4e+03, and this is 5e+03" in found["why"]


def test_a_limit_of_another_release_that_got_worse_says_in_which_it_was_measured():
    found = settle(replace(FAR, z_rms=5000.0), [known(measured(300, 400, "2.12.0"))])
    assert found["status"] == "disagrees" and found["versions"] == "torch 2.12.0"
    assert "a z of 30 to 4e+03 in torch 2.12.0, and this is 5e+03 in 2.13.0: y[" in found["why"]


def test_a_limit_that_got_better_and_still_fails_is_told_as_improved():
    better = replace(FAR, z_rms=7.0)
    found = settle(better, [known(HERE)])
    assert found["status"] == "disagrees" and found["limit"] == "softmax"
    assert found["why"].startswith(
        "improved: Limit 'softmax' of torch explains a z of 30 to 4e+03, and this is 7: y["
    )
    found = settle(better, [known(measured(300, 400, "2.12.0"))])
    assert found["status"] == "limited"
    assert found["why"] == f"{LIMIT.reason} (improved: z is 7, was 30 to 4e+03 where it was measured)"


def test_what_was_infinitely_far_off_and_is_no_more_is_no_improvement():
    for limit in (measured(inf, release="2.13.0"), measured(inf, release="2.12.0")):
        found = settle(replace(FAR, z_rms=7.0), [known(limit)])
        assert found["status"] == "disagrees" and found["why"].startswith("Limit 'softmax' of torch explains")


@pytest.mark.parametrize("z", [30.0, 1e3])
def test_a_cell_without_a_distance_is_explained_by_no_limit(z):
    shapes = Agreement("disagrees", "y has shape (1,), should be (2,)")
    assert settle(shapes, [known(measured(z, release="2.13.0"))])["why"] == shapes.why


def test_of_several_limits_the_one_that_explains_the_cell_is_named():
    far = measured(5e5, release="2.13.0", limit=replace(LIMIT, name="far", reason="it is far off"))
    for z, name in ((300.0, "softmax"), (5e5, "far")):
        assert settle(replace(FAR, z_rms=z), [known(HERE), known(far)])["limit"] == name
    assert settle(replace(FAR, z_rms=1e9), [known(HERE), known(far)])["status"] == "disagrees"


def test_a_limit_that_nobody_measured_explains_nothing():
    found = settle(FAR, [known(LIMIT)])
    assert found["status"] == "disagrees" and "Limit 'softmax' of torch was not measured" in found["why"]
    assert (found["limit"], found["source"]) == ("softmax", LIMIT.source)


def test_a_cell_is_held_against_what_was_measured_of_the_cells_most_like_it():
    small = {"dtype": "float32", "direction": "forward", "size": "small"}
    limit = measured(3, **small)
    limit = measured(2e5, limit=limit, **{**small, "size": "large"})
    limit = measured(70, limit=limit, **{**small, "direction": "gradient"})
    assert expected(limit, small) == (0.3, 30)
    assert expected(limit, {**small, "size": "large"}) == (2e4, 2e6)
    assert expected(limit, {**small, "size": "odd"}) == (0.3, 2e6)  # either may be like it
    assert expected(limit, {**small, "direction": "gradient", "size": "large"}) == (7, 700)  # first of all
    assert expected(limit, {**small, "dtype": "float64"}) is None  # which has other roundings
    lone = measured(inf, limit=limit, **{**small, "size": "batch:1"}, option="causal")
    assert expected(lone, {**small, "option": "causal"}) == (
        0.3,
        30,
    )  # before the same option at another size
    infinite = measured(inf, dtype="float64")
    assert expected(infinite, {"dtype": "float64"}) == (inf, inf)


def test_beside_a_nan_a_finite_departure_is_explained_only_if_one_was_measured_and_inputs_decide():
    lost = measured(inf, limit=replace(LIMIT, always=False), dtype="float64", regime="huge")
    huge = {"dtype": "float64", "regime": "huge"}
    assert expected(lost, huge) == (inf, inf)
    both = measured(90, limit=lost, dtype="float64", regime="typical")
    assert expected(both, huge) == (0, inf)
    assert expected(replace(both, always=True), huge) == (inf, inf)


def test_what_was_measured_in_the_installed_release_counts_and_else_all_of_it():
    limit = measured(3, release="2", limit=measured(500, release="1"))
    assert expected(limit, {}, "2") == (0.3, 30) and expected(limit, {}, "3") == (0.3, 5000)


def test_a_package_that_is_not_installed_has_no_release_in_which_anything_was_measured(page):
    from bench.backends.torch import Torch

    page(honest, limits=(replace(measured(300, release=" "), package="no-such-package"),))
    (found,) = limits(cell().unit, Torch("cpu", "float64"), "forward")
    assert found.release == "" and not found.measured


def test_a_plug_in_has_the_limits_of_its_parent(page):
    from bench.backends.torch import Torch

    class Chip(Torch):
        name = "chip"

    page(honest, limits=(measured(300),))
    assert [each.limit.name for each in limits(cell().unit, Chip("cpu", "float64"), "forward")] == ["softmax"]


@pytest.mark.parametrize(
    ("build", "z", "status", "why"),
    [
        (
            honest,
            100,
            "disagrees",
            "stale limit: the cell agrees, but Limit 'softmax' of torch says: its softmax",
        ),
        (wrong, 100, "disagrees", "Limit 'softmax' of torch explains a z of 10 to 1e+03, and this is "),
        (wrong, 3e12, "limited", "its softmax is in float32"),
    ],
)
def test_a_run_holds_a_limit_against_what_it_finds(page, build, z, status, why):
    page(build, limits=(measured(z, dtype="float64"),))
    row = run(cell())
    assert row.status == status and row.why.startswith(why)
    assert row.bits is None if build is honest else row.bits < 15  # what fails by no error has no bits


@pytest.mark.parametrize("limit", [LIMIT, measured(1e9, dtype="float64")])
def test_a_cell_with_a_limit_says_how_far_off_each_set_of_inputs_is(page, limit):
    """Also where the first set fails, since the Limit was not measured, or not so."""
    page(wrong, limits=(limit,))
    row = judge(cell().unit, ("forward",)).rows["forward"]
    assert row.status == "disagrees" and not row.input_set
    assert 2 < row.departed_low < row.departed_high and row.z_rms in (row.departed_low, row.departed_high)
    page(wrong)
    assert judge(cell().unit, ("forward",)).rows["forward"].departed_high is None


def fewer(weights, **option):
    return weights, lambda params, x: {"y": (x @ params["W"])[:3]}


@pytest.mark.parametrize("direction", ["forward", "gradient"])
@pytest.mark.parametrize(
    ("limit", "status", "why"),
    [
        (None, "error", "torch.matmul: its run returns y of shape (3, 4), should be (7, 4)"),
        (measured(inf, dtype="float64"), "limited", "its softmax is in float32"),
        (
            measured(100, dtype="float64"),
            "disagrees",
            "Limit 'softmax' of torch explains a z of 10 to 1e+03, ",
        ),
        (LIMIT, "disagrees", "Limit 'softmax' of torch was not measured"),
    ],
)
def test_a_shape_that_is_known_to_be_another_is_a_limit(page, limit, status, why, direction):
    """It is run and judged, though no gradient exists: a Limit has infinity for it."""
    page(fewer, limits=(limit,) if limit else ())
    row = judge(cell().unit, ("forward", "gradient")).rows[direction]
    assert row.status == status and row.why.startswith(why), row.why
    assert row.bits is None and (row.z_rms == inf) == (limit is not None)
    alone = run(cell())  # which needs no gradient
    assert alone.status == (status if limit else "disagrees") and alone.z_rms == inf


@pytest.fixture
def worst_cases(monkeypatch):
    """The accumulators whose worst case was derived."""
    import bench.verdict.row

    asked = []

    def recorded(unit, *, accumulator, worst=False, number=0):
        asked.extend([accumulator] if worst else [])
        return expectation(unit, accumulator=accumulator, worst=worst, number=number)

    monkeypatch.setattr(bench.verdict.row, "expectation", recorded)
    return asked


def test_no_worst_case_is_derived_where_a_limit_decides(page, worst_cases):
    page(wrong, limits=(measured(3e12, dtype="float64"),))
    assert run(cell()).status == "limited" and not worst_cases
    varying = replace(LIMIT, varies=True, always=False)  # of calls that differ
    page(wrong, limits=(varying,))
    assert run(cell()).status == "disagrees" and worst_cases == ["float64"]


def test_a_mistrusted_cell_is_no_limit():
    assert settle(replace(FAR, status="mistrusted"), [known(HERE)])["status"] == "mistrusted"


@pytest.mark.parametrize(
    ("cells", "applies"),
    [
        (ALL, True),
        ({"backend": "jax"}, False),
        ({"backend": ("jax", "torch")}, True),
        ({**ALL, "dtype": "float64", "direction": ["forward", "gradient"]}, True),
        ({**ALL, "dtype": "float32"}, False),
        ({**ALL, "contender": "torch.mm"}, False),
        (({**ALL, "dtype": "float32"}, {**ALL, "direction": "forward"}), True),
    ],
)
def test_a_limit_holds_for_the_cells_that_it_names(page, cells, applies):
    from bench.backends.torch import Torch

    page(honest, limits=(replace(LIMIT, cells=cells),))
    found = limits(cell().unit, Torch("cpu", "float64"), "forward")
    assert bool(found) == applies


def test_a_limit_of_an_unknown_field_is_refused():
    with pytest.raises(ValueError, match="Limit 'softmax' of torch: cells name 'directon'"):
        replace(LIMIT, cells={**ALL, "directon": "forward"})
    with pytest.raises(ValueError, match="Limit 'softmax' of torch: cells name no backend"):
        replace(LIMIT, cells=(ALL, {"direction": "forward"}))


def test_float64_numpy_agrees_by_identity_and_has_no_bits(page):
    page(honest)
    row = run(replace(cell(), backend="numpy", contender=f"{__name__}.product"))
    assert (row.status, row.why, row.bits) == ("agrees", "", None)


def test_a_long_error_keeps_its_end():
    text = sentence(RuntimeError("begin " + "x" * 1000 + " the end"))
    assert text.startswith("RuntimeError: begin") and text.endswith("the end") and len(text) < 330


def test_an_error_names_no_folder_of_the_machine():
    text = sentence(RuntimeError('in user code: File "/home/me/house/bench/backends/x.py", line 3: boom'))
    assert text == 'RuntimeError: in user code: File "backends/x.py", line 3: boom'


def test_inputs_are_the_same_for_all_and_rounded_to_the_dtype(page):
    from bench.inputs import inputs

    page(honest)
    double, single = inputs(cell()), inputs(cell(dtype="float32"))
    assert single.data["x"].dtype == np.float32
    assert np.array_equal(double.data["x"].astype(np.float32), single.data["x"])
    assert set(double.cotangents) == {"y"}


# ---- below float32 ----


def curve(x, W):
    return (x @ W * 1.1 - 16.5) * 1.7  # of 15 ± 1: what is rounded to the dtype before it cancels shows


def curve_vjp(dy, x, W):
    dh = dy * 1.7 * 1.1
    return {"x": dh @ W.T, "W": x.T @ dh}


def op_by_op(weights, **option):
    return weights, lambda params, x: {"y": (x @ params["W"] * 1.1 - 16.5) * 1.7}


def as_one_kernel(weights, **option):
    def run(params, x):
        wide = (x.float() @ params["W"].float() * 1.1 - 16.5) * 1.7
        return {"y": wide.to(x.dtype)}

    return weights, run


def in_narrow_sums(weights, **option):
    def run(params, x):
        h = x[:, :1] * params["W"][:1]
        for k in range(1, x.shape[1]):
            h = h + x[:, k : k + 1] * params["W"][k : k + 1]  # each partial sum is rounded
        return {"y": (h * 1.1 - 16.5) * 1.7}

    return weights, run


def unshifted(weights, **option):
    return weights, lambda params, x: {"y": x @ params["W"] * 1.1 * 1.7}


def without_kernel(weights, **option):
    def run(params, x):
        if x.requires_grad:
            raise RuntimeError("\"curve_backward_cpu\" not implemented for 'BFloat16'")
        return op_by_op(weights)[1](params, x)

    return weights, run


@pytest.fixture
def low(page, monkeypatch):
    """The row of a formula under its own name, which is part of the cache keys."""

    def judged(build, dtype="bfloat16", direction="forward", reference=curve, gradient=curve_vjp):
        def inputs(rng, **option):
            return {"W": rng.uniform(0, 0.2, size=(150, 40))}, {"x": 1 + rng.normal(size=(60, 150))}

        name = reference.__name__
        case = replace(page(build), name=name, inputs=inputs, reference=reference, gradient=gradient)
        monkeypatch.setitem(pages.cases(), name, case)
        return run(replace(cell(direction, dtype=dtype), case=name))

    return judged


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
@pytest.mark.parametrize(
    ("build", "accumulator"),
    [(as_one_kernel, "float32 inside"), (op_by_op, "float32"), (in_narrow_sums, None)],
)
def test_what_sums_accumulate_in_is_inferred_and_stands_in_the_row(low, build, accumulator, dtype):
    row = low(build, dtype)
    assert (row.status, row.accumulator) == ("agrees", accumulator or dtype), row.why


def test_a_row_in_float32_accumulates_in_float32(page):
    page(honest)
    assert run(cell(dtype="float32")).accumulator == "float32"


def test_a_fault_in_low_precision_disagrees_under_every_accumulator(low, worst_cases):
    row = low(unshifted, "float16")
    assert row.status == "disagrees" and row.bits < 8
    assert worst_cases == ["float16"]  # the last, which tells what it is


def test_a_missing_kernel_is_absent_in_the_frameworks_words_and_costs_no_forward_row(low):
    row = low(without_kernel)
    assert row.status == "agrees"
    rows = judge(replace(cell("", dtype="bfloat16"), case="curve"), ("forward", "gradient")).rows
    assert rows["forward"].status == "agrees"
    assert rows["gradient"].status == "absent"
    assert rows["gradient"].why.startswith('no bfloat16 kernel: RuntimeError: "curve_backward_cpu" not')


def test_a_kernel_missing_for_another_dtype_is_an_error(low):
    rows = low(without_kernel, "float16", "gradient")
    assert rows.status == "error" and "not implemented for 'BFloat16'" in rows.why


def vast(x, W):
    return (x @ W * 900) ** 2 / 8100.0


def vast_vjp(dy, x, W):
    dh = 2 * (x @ W * 900) / 8100.0 * 900 * dy
    return {"x": dh @ W.T, "W": x.T @ dh}


def test_a_square_beyond_float16_departs_where_the_result_is_in_its_range(low):
    """Another order of operations keeps it, so the overflow is the contender's."""

    def squares(weights, **option):
        return weights, lambda params, x: {"y": (x @ params["W"] * 900) ** 2 / 8100.0}

    row = low(squares, "float16", reference=vast, gradient=vast_vjp)
    assert row.status == "disagrees" and "is inf, should be" in row.why, row.why
    assert low(squares, "bfloat16", reference=vast, gradient=vast_vjp).status == "agrees"


def test_a_limit_that_names_no_dtype_covers_none_below_float32(page):
    from bench.backends.torch import Torch

    page(honest, limits=(LIMIT, replace(LIMIT, cells={**ALL, "dtype": "bfloat16"})))
    engine = Torch("cpu", "bfloat16")
    assert len(limits(cell(dtype="bfloat16").unit, engine, "forward")) == 1
    assert len(limits(cell(dtype="float32").unit, engine, "forward")) == 1


def test_numpy_has_float16_and_no_bfloat16(page):
    page(honest)
    mine = {"backend": "numpy", "contender": f"{__name__}.product"}
    row = run(replace(cell("gradient", dtype="float16"), **mine))
    assert (row.status, row.accumulator) == ("agrees", "float32 inside"), row.why
    row = run(replace(cell(dtype="bfloat16"), **mine))
    assert row.status == "absent" and "numpy has no bfloat16" in row.why


def error(x, W):
    return special.erf(x @ W)


def test_a_function_of_scipy_has_no_float16_and_is_absent(low):
    low(op_by_op, reference=error, gradient=product_vjp)
    at = {"case": "error", "backend": "numpy", "contender": f"{__name__}.error"}
    row = run(replace(cell(dtype="float16"), **at))
    assert row.status == "absent" and "scipy.special have no float16" in row.why


def outer(x, W):
    return np.outer(x[:, 0], W[0])


def test_a_reference_without_a_rounding_rule_is_an_error_with_its_line_and_what_to_write(low):
    row = low(op_by_op, "float32", reference=outer, gradient=product_vjp)
    line = outer.__code__.co_firstlineno + 1
    assert row.status == "error" and row.why == (
        "NotImplementedError: np.outer has no rounding rule; write x[:, None] * y; all are in "
        f"docs/extending.md (in outer, verdict/test_judge.py, line {line})"
    )


def test_a_fixed_output_is_judged_though_not_differentiated(monkeypatch):
    from bench.inputs import inputs
    from reference import batch_norm

    who = ("reference.batch_norm.batch_norm", "numpy", "eager", "cpu", "float32")
    unit = Cell("batch-norm", "plain", "typical", "small", *who, "")
    assert set(inputs(unit).cotangents) == {"y"}
    assert {row.status for row in judge(unit, ("forward", "gradient")).rows.values()} == {"agrees"}
    honest = batch_norm.batch_norm
    monkeypatch.setattr(batch_norm, "batch_norm", lambda **given: honest(**given) | {"mean": given["mean"]})
    row = run(replace(unit, direction="forward"))
    assert row.status == "disagrees" and row.why.startswith("mean[")


@pytest.mark.parametrize(
    ("name", "contender"),
    [("numpy", "suites.adam.adam_step"), ("torch", "torch.optim.Adam")],
)
def test_a_step_that_is_not_counted_disagrees(name, contender, monkeypatch):
    """Each judged step starts from the reference's count, so that no later step would show the error."""
    try:
        backend(name).installed()
    except Absent as reason:
        pytest.skip(str(reason))
    unit = Cell("adam", "plain", "typical", "small", contender, name, "eager", "cpu", "float32", "training")
    assert run(unit).status == "agrees"
    honest = Layout.counters

    def forgotten(self, tree):
        return {path: count - 1 for path, count in honest(self, tree).items()}

    monkeypatch.setattr(Layout, "counters", forgotten)
    row = run(unit)
    assert (row.status, row.why) == ("disagrees", "state.t after step 0 is 0, should be 1")
    assert row.bits is None


def test_a_call_that_varies_is_limited_where_a_limit_says_so():
    varying = Limit("torch", "reads what memory held", "x.cpp", ALL, always=False, varies=True)
    varies, other = known(varying), known(measured(3, limit=replace(HERE, always=False)))
    fault = "the same call gave another output y the second time"
    assert unsteady(fault, [other]) == {
        "status": "disagrees", "why": fault, "bits": None, "bits_lost": None,
    }  # fmt: skip
    assert unsteady(fault, [other, varies])["why"] == "reads what memory held"
    assert settle(Agreement("disagrees", "off", z_rms=inf), [varies])["status"] == "disagrees"
    with pytest.raises(ValueError, match="varies and always, should not be both"):
        replace(varying, always=True)


@pytest.mark.parametrize(
    ("own", "mode", "said"),
    [
        ("idiomatic", "eager", "idiomatic"),
        ("idiomatic", "compile", "tuned"),
        ("vendor kernel", "compile", "vendor kernel"),
    ],
)
def test_the_tier_is_that_of_the_contender_and_at_least_that_of_its_mode(own, mode, said):
    from bench.backends.torch import Torch
    from bench.verdict.judge import tier

    assert tier(Contender("torch", "torch.add", print, tier=own), Torch, mode) == said


def test_an_unknown_tier_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="tier is 'fast', should be one of idiomatic, tuned, vendor kernel"):
        Contender("torch", "torch.add", print, tier="fast")


def test_a_limit_may_say_that_a_framework_gives_nan(page):
    def nothing(weights, **option):
        import torch

        return weights, lambda params, x: {"y": torch.full_like(x @ params["W"], torch.nan)}

    page(nothing, limits=(measured(inf, dtype="float64"),))
    assert run(cell()).status == "limited"
    page(nothing, limits=(measured(1e2, dtype="float64"),))
    assert run(cell()).status == "disagrees"


def test_a_size_that_the_api_cannot_hold_is_absent_with_its_reason(page):
    page(honest, contender={"without": {"small": "its graph makes a square of the rows"}})
    row = run(cell())
    assert (row.status, row.why) == ("absent", "torch.matmul: its graph makes a square of the rows")


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_formula_without_a_name_of_its_own_is_judged_in_numpy(dtype):
    def reference(x):
        return np.maximum(x, 0)

    n = {"items": lambda n: n, "flops": lambda n: n, "inputs": lambda rng, n: ({}, {"x": rng.normal(size=n)})}
    for own in (reference, lambda x: reference(x), partial(reference)):
        case = Case("nameless", "", sizes={"small": {"n": 7}}, contenders=(), unit="", reference=own, **n)
        with pages.also(case):
            (contender,) = backend("numpy").contenders(case)
            place = "nameless", "plain", "typical", "small", str(contender), "numpy", "eager", "cpu", dtype
            row = run(Cell(*place, "forward"))
        assert (row.status, row.why) == ("agrees", "")
