"""What a run of everything is: pairwise, on every page."""

from itertools import combinations

import pytest

from bench import pages
from bench.backends import TF32, backend
from bench.case import INTEGERS
from bench.cells.cell import LOW
from bench.cells.selection import LARGE, VAST, Selection, _flops, cells, settings, typical
from bench.size import dims, headline

FULL = Selection(full=True)
CASES = list(pages.cases().values())


@pytest.fixture(scope="module")
def full():
    found = {}
    for cell in cells(CASES, FULL):
        found.setdefault((cell.case, cell.backend, cell.contender), set()).add(
            ((cell.option, cell.regime), cell.size, cell.mode, cell.dtype)
        )
    return found


def modes_of(case, found, contender):
    modes = [mode for mode in found.modes if mode != TF32 and mode in (contender.modes or found.modes)]
    return modes, [mode for mode in modes if not (case.training and mode in found.layouts)]


def sizes_of(case, contender):
    """The first size, others within bounds, and large ones."""
    first, *others = case.sizes
    others = [size for size in others if size not in case.vast and size not in contender.without]
    small = [size for size in others if _flops(case, size) < LARGE]
    return first, small, [size for size in others if LARGE <= _flops(case, size) < VAST]


def of_one(case, found, contender, setting):
    """What one API of a backend meets with each option or regime that it has."""
    first, small, _ = sizes_of(case, contender)
    yield from ({setting, each} for each in (first, *small, *found.dtypes))
    yield from ({setting, mode} for mode in modes_of(case, found, contender)[1])


def of_every(case, found, contender):
    """What every API meets: sizes within bounds, and what each of the two can be at all."""
    first, small, large = sizes_of(case, contender)
    modes, laid = modes_of(case, found, contender)
    light = [mode for mode in modes if mode not in found.heavy]
    usual = [each for each in ("float64", "float32") if each in found.dtypes]
    options = [pair for pair in settings(case) if pair[0] not in contender.without]
    yield from ({setting, dtype} for setting in options for dtype in usual)
    yield from ({size, mode} for size in [first, *small, *large] for mode in light)
    yield from ({size, dtype} for size in [first, *small] for dtype in usual)
    yield from ({mode, dtype} for mode in laid for dtype in usual)
    yield from ({size, "float32"} for size in large)


def of_each_case(full):
    """The cases, with a backend, and for each of its contenders the pairs of values that meet."""
    for case in CASES:
        for name in FULL.backends if "cpu" in case.devices else ():
            found = backend(name)
            met = [
                (each, {frozenset(pair) for place in here for pair in combinations(place, 2)})
                for each in found.contenders(case)
                for here in [full[case.name, name, str(each)]]
            ]
            yield case, found, met


def test_every_api_meets_every_setting_size_mode_and_dtype(full):
    for case, found, met in of_each_case(full):
        for contender, here in met:
            missing = [pair for pair in of_every(case, found, contender) if frozenset(pair) not in here]
            assert not missing, (case.name, str(contender), missing[:3])


def test_every_setting_meets_every_size_mode_and_dtype_with_one_api_of_each_backend(full):
    for case, found, met in of_each_case(full):
        for setting in settings(case):
            for directions in {each.directions for each, _ in met}:
                missing = {
                    str(each): [
                        pair for pair in of_one(case, found, each, setting) if frozenset(pair) not in here
                    ]
                    for each, here in met
                    if setting[0] not in each.without and each.directions == directions
                }
                assert not missing or [] in missing.values(), (case.name, setting, missing)


def test_apis_take_turns_with_settings(full):
    few = {}
    for (case, _, contender), places in full.items():
        if case == "layer-norm" and contender.startswith("torch."):
            few[contender] = {setting for setting, _, _, dtype in places if dtype in LOW}
    assert len(few) == 2
    one, other = few.values()
    usual = settings(pages.case("layer-norm"))
    assert one & other == {usual[0]} and one | other == {*usual}


def test_a_default_run_is_part_of_it():
    assert {*cells(CASES, Selection())} < {*cells(CASES, FULL)}


def test_it_is_a_small_part_of_the_product(full):
    product = Selection(
        sizes=tuple({size for case in CASES for size in case.sizes}),
        dtypes=("float64", "float32"),
        modes=tuple({mode for name in FULL.backends for mode in backend(name).modes if mode != TF32}),
        full=True,
    )
    chosen = sum(len([each for each in found if each[-1] not in LOW]) for found in full.values())
    assert chosen < 0.5 * len({cell.unit for cell in cells(CASES, product)})


def test_a_vast_size_runs_where_it_is_named_only():
    for case in CASES:
        _, *others = case.sizes
        vast = {size for size in others if _flops(case, size) >= VAST} | {*case.vast}
        vast -= {each.size for each in case.headlines}
        assert not vast & {cell.size for cell in cells([case], FULL)}
        for size in vast:
            assert {cell.size for cell in cells([case], Selection(sizes=(size,)))} == {size}


def test_a_large_size_is_judged_in_float32_on_the_typical_setting_of_each_contender():
    for case in CASES:
        for cell in cells([case], FULL):
            first = cell.size == next(iter(case.sizes))
            if first or cell.size not in case.sizes or _flops(case, cell.size) < LARGE:
                continue
            known = {settings(case)[0]} | {
                typical(case, each) for name in FULL.backends for each in backend(name).contenders(case)
            }
            known |= {
                (each.option, settings(case)[0][1]) for each in case.headlines if each.size == cell.size
            }
            known |= {(option, INTEGERS) for option, _ in known if any(each.bits for each in case.headlines)}
            assert cell.dtype == "float32" and (cell.option, cell.regime) in known


def test_whole_numbers_are_judged_at_the_first_size_in_every_mode():
    modes = {}
    for cell in cells(CASES, FULL):
        case = pages.case(cell.case)
        if cell.regime == INTEGERS and not headline(case, cell.size):
            assert cell.size == next(iter(case.sizes))
            modes.setdefault((cell.case, cell.option, cell.backend, cell.contender), set()).add(cell.mode)
    assert modes
    for (name, option, spec, who), found in modes.items():
        case = pages.case(name)
        (contender,) = (each for each in backend(spec).contenders(case) if str(each) == who)
        every = {mode for mode in contender.modes or backend(spec).modes if mode != TF32}
        assert found == every or (option in contender.without and len(found) == 1) or case.training


def test_the_work_of_a_headline_is_that_of_what_its_title_names():
    """An option that halves the image would make the same title a quarter of the work."""
    tokens, layers = 8 * 128, 768
    right = {
        "conv2d": 2 * 8 * 56 * 56 * 64 * 64 * 9,
        "linear-regression": 2 * 100_000 * 100,
        "perceptron": 2 * 256 * (784 * 512 + 512 * 10),
        "attention": 4 * 12 * 1024 * 1024 * 64,
        "transformer-encoder-layer": 2 * tokens * (4 * layers**2 + 2 * layers * 3072 + 2 * 128 * layers),
    }
    for name, flops in right.items():
        case = pages.case(name)
        first = case.headlines[0]
        option = case.options[first.option or next(iter(case.options))]
        assert case.flops(**dims(case, first.size), **option) == flops, name
