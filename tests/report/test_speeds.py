"""The tables of speeds: headlines, latency and growth, read as a person reads them."""

import io
import math
import random
import re
from dataclasses import replace

import pytest
from rich.console import Console

from bench import pages
from bench import size as sizes
from bench.report import growth, latency, readme, speeds, workloads
from bench.report import write as report
from bench.report.header import setups
from bench.report.table import WIDTH, Table, markdown, show
from bench.store.results import start
from bench.store.row import TIMED
from tests.rows import ENVIRONMENT, MACHINE, frame, row, timed

MODES = {"numpy": "eager", "torch": "eager", "tensorflow": "function", "jax": "jit"}


def race(case, size="", direction="", *, spread=0.001, **times):
    """Rows of one workload, of each framework that has a time here; `size` is that of the first headline."""
    page = pages.case(case)
    first = page.headlines[0] if page.headlines else None
    size = size or first.size
    direction = direction or (first and first.direction) or page.directions[-1]
    option = first.option if first and first.option else next(iter(page.options))
    given = {**sizes.dims(page, size), **page.options[option]}
    best, items = min(times.values()), float(page.items(**given))
    return [
        timed(
            time,
            case=case, size=size, option=option, direction=direction, backend=backend, mode=MODES[backend],
            contender=f"{backend}.api", low_s=time * (1 - spread), high_s=time * (1 + spread),
            throughput=items / time, unit=page.unit, flops=float(page.flops(**given)), bits=23.4,
            ratio=time / best, ratio_low=time / best * (1 - spread), ratio_high=time / best * (1 + spread),
            bound="compute", cache="cold", share=0.4, peak_bytes=20 * 2**20,
        )
        for backend, time in times.items()
    ]  # fmt: skip


def curve(case, time, backend="torch", dispatch=0, **other):
    """Rows of a headline's growth. `time` is a function of the work; dispatch bounds the first sizes."""
    page = pages.case(case)
    found = []
    for number, size in enumerate(sizes.growth(page, page.headlines[0])):
        (one,) = race(case, size, **{backend: 1.0})
        bound = "dispatch" if number < dispatch else "compute"
        seconds = time(one.flops)
        more = {"median_s": seconds, "low_s": 0.999 * seconds, "high_s": 1.001 * seconds, "bound": bound}
        found.append(replace(one, **more, throughput=one.throughput / seconds, **other))
    return found


def tables(*rows, every=False):
    return {section.title: section for section in report.sections(frame(*rows), every=every)}


def speed(*rows):
    return workloads.speeds(setups(frame(*rows)))


def terminal(sections):
    console = Console(file=io.StringIO(), width=WIDTH, highlight=False, force_terminal=False)
    show(sections, console)
    return console.file.getvalue()


def changed(rows, **other):
    return [replace(each, **other) for each in rows]


TIMES = {"numpy": 23.4e-3, "torch": 12.3e-3, "tensorflow": 14.5e-3, "jax": 11.1e-3}


def every_headline(directions=True, **times):
    """Each headline of each page in all four frameworks."""
    return [
        each
        for page in pages.cases().values()
        for headline in page.headlines
        for direction in (page.directions if directions else ("",))
        for each in race(page.name, headline.size, direction, **(times or TIMES))
    ]


def test_a_ratio_has_the_interval_of_its_pairs_and_else_that_of_the_times():
    rows = race("adam", torch=1e-3, jax=2e-3)
    lopsided = replace(rows[1], ratio_low=1.9, ratio_high=2.9)
    found = speed(rows[0], lopsided).set_index("backend").loc["jax"]
    assert (found.ratio_from, found.ratio, found.ratio_to) == (1.9, 2.0, 2.9)
    apart = (
        speed(rows[0], replace(lopsided, run_id="b", low_s=0.0, high_s=9e-3)).set_index("backend").loc["jax"]
    )
    assert (apart.ratio_from, apart.ratio_to) == pytest.approx((0.2, 9.0), rel=0.01)


# throughput


def test_a_headline_has_its_title_its_rate_and_every_framework_beside_the_fastest():
    (line,) = tables(*race("linear-regression", numpy=3e-3, torch=1e-3, jax=2e-3))["Throughput"].rows
    assert line == (
        "linear regression, 100,000 rows × 100 features, forward",
        "1.00 ms", "100 M rows/s", "×3.00  23", "×1  23", "×2.00  23", "40%", "cold", "20",
    )  # fmt: skip


def test_headlines_stand_from_regression_to_optimisers_whatever_the_order_of_the_rows():
    rows = every_headline(directions=False)
    random.Random(3).shuffle(rows)
    titles = [line[0].partition(",")[0] for line in tables(*rows)["Throughput"].rows]
    assert titles[:3] == ["linear regression", "logistic regression", "batch gradient descent"]
    assert titles[-3:] == ["convolutional network", "convolutional network", "Adam"]
    assert len(titles) == sum(len(page.headlines) for page in pages.cases().values())


def test_the_names_in_the_order_of_a_report_are_those_of_pages_with_headlines():
    assert {*readme.SHOWN} <= {*workloads.ORDER}
    assert all(pages.case(name).headlines for name in workloads.ORDER)


def test_the_main_direction_of_a_headline_stands_first():
    rows = [
        *race("attention", direction="gradient", torch=2e-3),
        *race("attention", direction="forward", torch=1e-3),
        *race("layer-norm", direction="forward", torch=2e-3),
        *race("layer-norm", direction="gradient", torch=2e-3),
    ]
    said = [line[0].rpartition(", ")[2] for line in tables(*rows)["Throughput"].rows]
    assert said == ["gradient", "forward", "forward", "gradient"]  # of layer norm, then of attention


def test_frameworks_with_other_conventions_of_one_name_share_a_line():
    hat = changed(race("cnn-training", tensorflow=2e-3, jax=3e-3), option="adam-epsilon-hat")
    rows = [*race("cnn-training", numpy=5e-3, torch=1e-3), *changed(hat, ratio=None)]
    found = tables(*rows, every=True)
    (line,) = found["Throughput"].rows
    assert [each.split()[0] for each in line[3:7]] == ["×5.00", "×1", "×2.00", "×3.00"]
    assert len(found["cnn-training step"].rows) == 4


def test_a_further_option_of_a_contender_is_no_speed_of_its_first_and_is_not_lost():
    rows = changed(race("attention", torch=1e-3), option="plain") + race("attention", torch=2e-3, jax=4e-3)
    for each in (rows, rows[::-1]):
        found = tables(*each, every=True)
        (line,) = found["Throughput"].rows
        assert line[1] == "2.00 ms"  # the headline's option is the causal one
        assert [len(found[name].rows) for name in ("attention fwd", "attention plain fwd")] == [2, 1]


def test_the_paired_ratio_counts_where_one_run_sampled_the_workload():
    rows = race("adam", torch=2e-3, numpy=1e-3)
    paired = [replace(rows[0], ratio=1.5, ratio_low=1.49, ratio_high=1.51), rows[1]]
    assert tables(*paired)["Throughput"].rows[0][4].startswith("×1.5")
    apart = [replace(paired[0], run_id="another"), rows[1]]
    assert tables(*apart)["Throughput"].rows[0][4].startswith("×2.00")


def test_ratios_to_different_contenders_are_not_shown_together():
    hat = changed(race("cnn-training", tensorflow=4e-3, jax=2e-3), option="adam-epsilon-hat")
    rows = [*race("cnn-training", numpy=5e-3, torch=1e-3), *hat]  # sampled apart: two fastest
    (line,) = tables(*rows)["Throughput"].rows
    assert [each.split()[0] for each in line[3:7]] == ["×5.00", "×1", "×4.00", "×2.00"]


def test_a_size_for_a_gpu_is_told_as_it_is():
    headline = pages.case("lstm").headlines[0]
    size = sizes.on(pages.case("lstm"), headline, "gpu", "forward")
    rows = changed(race("lstm", torch=1e-3), device="gpu", size=size, direction="forward")
    (line,) = tables(*rows)["Throughput"].rows
    assert line[0] == f"{headline.title}, batch 4096, on the gpu, forward"
    (small,) = tables(*changed(rows, size=headline.size, direction="gradient"))["Throughput"].rows
    assert small[0] == f"{headline.title}, on the gpu, gradient"
    on_cpu = changed(rows, device="cpu")
    assert "Throughput" not in tables(*on_cpu)


def test_settings_and_machines_that_differ_are_told_apart():
    rows = race("adam", torch=1e-3)
    shipped = changed(rows, run_id="b", settings="as shipped")
    there = changed(race("adam", torch=4e-3), run_id="c", machine="cccccccc")
    (found,) = speeds.throughput(speed(*rows, *shipped, *there))
    assert [(line[0].partition("step")[2], line[1], line[3]) for line in found.rows] == [
        (" A", "1.00 ms", "×1  23"), (" C", "4.00 ms", "×1  23"), (", as shipped B", "1.00 ms", "×1  23"),
    ]  # fmt: skip


@pytest.mark.parametrize("held", ["torch", "jax"])
def test_what_is_bound_by_dispatch_is_marked_and_explained(held):
    rows = race("adam", torch=1e-3, jax=2e-3)
    assert "dispatch" not in terminal(speeds.throughput(speed(*rows)))
    bound = [replace(each, bound="dispatch" if each.backend == held else "compute") for each in rows]
    (found,) = speeds.throughput(speed(*bound))
    (line,) = found.rows
    assert [text for text in line[3:5] if "d" in text] == [line[3 if held == "torch" else 4]]
    assert line[5] == ("dispatch" if held == "torch" else "40%") and "d, dispatch:" in found.note


# the share of the roofline


def test_the_share_is_the_median_over_what_compute_bounds():
    names = ("adam", "lstm", "perceptron", "attention", "conv2d", "layer-norm", "max-pool")
    shares = (0.1, 0.9, 0.3, 0.7, 0.8, math.nan, 0.99)
    bounds = ("compute", "compute", "compute", "memory", "dispatch", "compute", "")
    rows = []
    for name, share, bound in zip(names, shares, bounds, strict=True):
        first, second = race(name, torch=1e-3, numpy=2e-3)
        rows += [replace(first, share=share, bound=bound), replace(second, share=0.99)]
    (found,) = speeds.throughput(speed(*rows))
    assert found.note.startswith(
        "The fastest framework reaches 30% of the roofline, as the median of 3 workloads that are bound by"
    )
    several = [*rows, *changed(race("adam", torch=1e-3), machine="cccccccc", share=0.5)]
    (found,) = speeds.throughput(speed(*several))
    assert "On A, the fastest framework reaches 30%" in found.note
    assert "On B, the fastest framework reaches 50%" in found.note and "1 workload that is" in found.note


def test_without_a_share_no_sentence_is_made():
    rows = changed(race("adam", torch=1e-3), share=None)
    assert "median" not in speeds.throughput(speed(*rows))[0].note
    assert (
        "median" not in speeds.throughput(speed(*changed(race("adam", torch=1e-3), bound="memory")))[0].note
    )


# workloads that no headline has


def test_a_run_of_first_sizes_keeps_its_table_which_says_what_it_is():
    found = tables(*race("softmax", "small", torch=2e-6, jax=1e-6), *race("adam", "small", torch=1e-6))
    assert [line[0] for line in found[speeds.FIRST].rows] == ["softmax bwd", "adam step"]
    assert not {"Throughput", latency.TITLE, growth.TITLE} & {*found}
    assert "what a call costs counts most" in found[speeds.FIRST].note


def test_every_row_with_a_speed_has_one_table():
    rows = [
        *race("adam", torch=1e-3),
        *race("adam", "small", torch=1e-6),
        *race("softmax", "small", torch=1e-6),
        *changed(race("softmax", "small", torch=3e-6), size="batch:2+classes:9"),
        timed(1e-3, case="a-page-of-mine", size="huge", direction="forward", bound="", cache=""),
    ]
    found = tables(*rows)
    assert [line[0] for line in found["Throughput"].rows] == ["Adam, 10 million weights, training step"]
    assert [line[0] for line in found[latency.TITLE].rows] == ["adam", "softmax"]
    assert [line[0] for line in found[speeds.OTHER].rows] == [
        "softmax batch:2+classes:9 bwd", "a-page-of-mine fwd"
    ]  # fmt: skip
    assert speeds.FIRST not in found


def test_a_table_of_every_contender_says_bound_and_cache_where_there_is_room():
    found = [each for each in speeds.detail(speed(*race("adam", torch=1e-3))) if isinstance(each, Table)]
    assert "| bound | cache |" in markdown(found) and "| compute | cold |" in markdown(found)
    printed = terminal(found)
    assert "40%" in printed and "compute" not in printed.partition("ratio:")[0] and "cold" not in printed


# latency


def test_latency_has_a_column_for_each_framework_and_mode_in_microseconds():
    torch, jax = race("adam", "small", torch=12.34e-6, jax=2.5e-6, spread=0.01)
    rows = [
        replace(torch, mode="compile", median_s=30e-6, low_s=20e-6, high_s=40e-6),
        torch,
        replace(jax, status="limited", bits=18.0),
        replace(torch, contender="another", median_s=90e-6),
        *race("adam", torch=1e-3),
        *race("softmax", "small", numpy=1.5e-6),
    ]
    found = tables(*rows)[latency.TITLE]
    assert found.columns == (
        "formula", "numpy\neager", "torch\ncompile", "torch\neager", "jax\njit", "break-even size"
    )  # fmt: skip
    assert [line[:5] for line in found.rows] == [
        ("adam", "", "30", "12.3", "L 2.50"), ("softmax", "1.50", "", "", "")
    ]  # fmt: skip


def test_break_even_is_where_a_call_takes_twice_the_time_of_the_smallest():
    point = growth.Point(10, 1e3, 1.0, 1e-6, True, False)
    sizes = [
        point,
        replace(point, items=100, flops=1e4, seconds=1.1),  # still flat
        replace(point, items=1000, flops=1e5, seconds=10.1),  # 9 s for 9e4 flops: 2 s at 1.9e4, 190 items
        replace(point, items=9e9, flops=9e9, seconds=99.0),
    ]
    assert latency.break_even(sizes) == "190"
    assert latency.break_even(sizes[:2]) == "> 100"
    assert latency.break_even([point, replace(point, items=1, flops=1e6, seconds=1e9)]) == "< 1"
    vague = [replace(each, half=0.3) for each in sizes]
    assert latency.break_even(vague) == "200"


def test_break_even_is_of_the_framework_that_is_fastest_at_the_largest_size():
    def of(backend, seconds):
        return [
            *changed(race("adam", "small", **{backend: 1e-6}), bound="dispatch"),
            *curve("adam", lambda work: seconds * work, backend),
        ]

    rows = [*of("jax", 1e-9), *of("torch", 2e-9), *race("softmax", "small", torch=1e-6)]
    lines = {line[0]: line[-1] for line in tables(*rows)[latency.TITLE].rows}
    assert lines["softmax"] == "" and re.fullmatch(r"jax [\d.]+ k? ?weights", lines["adam"])
    alone = tables(*race("adam", "small", torch=1e-6), *race("attention", torch=1e-3))[latency.TITLE]
    assert alone.rows[0][-1] == ""


# growth


@pytest.mark.parametrize("power", [0.5, 1.0, 1.25])
def test_the_exponent_is_that_of_time_over_work(power):
    found = growth.panels(speed(*curve("adam", lambda work: 1e-12 * work**power)))
    (table,) = growth.growth(found)
    assert table.rows[0][0] == "Adam: 156,000 to 10 M weights".replace("156,000", "157,000")
    assert [float(each) for each in table.rows[0][1].split()] == pytest.approx([power, power], abs=0.01)


def test_sizes_that_are_bound_by_dispatch_are_told_and_not_fitted():
    rows = curve("perceptron", lambda work: max(1e-3, 1e-11 * work), dispatch=1)
    flat = growth.growth(growth.panels(speed(*rows)))[0].rows[0][1]
    assert flat.split()[0] == "≤4"
    every = growth.exponent(growth.panels(speed(*rows))[0].curves["torch"])
    assert flat.split()[2] == growth.exponent(growth.panels(speed(*rows))[0].curves["torch"][1:]) != every
    held = changed(rows, bound="dispatch")
    assert growth.growth(growth.panels(speed(*held)))[0].rows[0][1].split()[::2] == ["≤256", "–"]
    odd = [replace(each, bound="dispatch" if number in (1, 3) else "") for number, each in enumerate(rows)]
    assert growth.growth(growth.panels(speed(*odd)))[0].rows[0][1].startswith("at 16, 256 ")


def test_an_exponent_has_the_digits_that_the_times_settle():
    point = growth.Point(1, 1e3, 1.0, 1e-9, False, False)
    sharp = [point, replace(point, flops=1e4, seconds=12.345, half=1e-9)]
    assert growth.exponent(sharp) == "1.09"
    assert growth.exponent([replace(each, half=0.3 * each.seconds) for each in sharp]) == "1.1"
    assert growth.exponent(sharp[:1]) == ""


def test_sizes_that_differ_in_more_than_their_items_are_told_in_flops():
    (panel,) = growth.panels(speed(*curve("conv2d", lambda work: 1e-9 * work)))
    items = [point.items for point in panel.curves["torch"]]
    assert panel.unit == "flop" and items == sorted({*items}) and len(items) == 4
    (panel,) = growth.panels(speed(*curve("attention", lambda work: 1e-9 * work)))
    assert panel.unit == "tokens" and [point.items for point in panel.curves["torch"]] == [
        128,
        256,
        512,
        1024,
    ]


def test_of_each_framework_the_curve_with_most_sizes_is_shown_then_the_fastest():
    slow = curve("adam", lambda work: 2e-9 * work)
    fast = curve("adam", lambda work: 1e-9 * work, contender="fast")
    short = curve("adam", lambda work: 1e-10 * work, contender="short")[2:]
    (panel,) = growth.panels(speed(*slow, *fast, *short))
    assert panel.curves["torch"][0].seconds == fast[0].median_s and len(panel.curves["torch"]) == 4


@pytest.mark.parametrize("figure", [0.0, math.nan, math.inf])
@pytest.mark.parametrize("name", ["throughput", "flops"])
def test_a_size_without_figures_is_no_point_of_a_curve(name, figure, tmp_path):
    first, *others = curve("adam", lambda work: 1e-9 * work)
    found = growth.panels(speed(replace(first, **{name: figure}), *others))
    assert len(found[0].curves["torch"]) == 3
    assert growth.growth(found) and growth.draw(found, tmp_path)


def test_one_size_is_no_growth(tmp_path):
    rows = race("adam", torch=1e-3)
    assert not growth.panels(speed(*rows)) and not growth.growth([]) and not growth.draw([], tmp_path)
    assert not [*tmp_path.iterdir()] and growth.TITLE not in tables(*rows)


def test_the_drawing_has_a_panel_for_each_headline_and_is_the_same_twice(tmp_path):
    rows = [
        *curve("adam", lambda work: 1e-9 * work, dispatch=1),
        *curve("adam", lambda work: 2e-9 * work, "jax"),
        *changed(curve("lstm", lambda work: 3e-9 * work), backend="x.py:_$chip$", unit="$a_b$/s"),
        *changed(curve("adam", lambda work: 3e-9 * work), run_id="b", machine="cccccccc"),
    ]
    found = growth.panels(speed(*rows))
    assert [panel.title for panel in found] == ["LSTM layer", "Adam"]
    assert [*found[1].curves] == ["torch A", "torch B", "jax A"] and [*found[0].curves] == ["_$chip$ A"]
    (figure,) = growth.draw(found, tmp_path)
    drawn = (tmp_path / figure.file).read_text()
    assert "<svg" in drawn and [file.name for file in tmp_path.iterdir()] == [growth.FILE]
    growth.draw(found, tmp_path)
    assert (tmp_path / figure.file).read_text() == drawn


def test_a_framework_has_its_colour_in_every_drawing_and_each_machine_its_line():
    one, other = growth._looks(["torch A", "jax A", "torch B", "chip A"]), growth._looks(["jax", "torch"])
    assert (
        one["torch A"]["color"] == other["torch"]["color"] == one["torch B"]["color"] != one["jax A"]["color"]
    )
    assert one["torch A"]["linestyle"] != one["torch B"]["linestyle"]
    assert len({look["color"] for look in one.values()}) == 3


def test_the_drawing_lies_beside_the_report_and_is_shown_in_it(tmp_path):
    run = start(tmp_path / "local", MACHINE, ENVIRONMENT)
    for each in curve("adam", lambda work: 1e-9 * work):
        run.append(replace(each, run_id="", machine="", environment=""))
    text = report.write(run.folder).read_text()
    assert f"]({growth.FILE})" in text and (run.folder / growth.FILE).exists()
    assert text.index("Throughput") < text.index(growth.FILE) < text.index("| Adam: ")


# at 100 columns, and from anybody


def test_all_headlines_fit_100_columns_and_each_has_two_lines():
    wide = {"status": "limited", "bound": "dispatch", "cache": "partly"}
    wide |= {"peak_bytes": 40 * 2**30, "device_peak_bytes": 3 * 2**30}
    slow = every_headline(directions=False, numpy=12.3e-3, torch=0.234, tensorflow=0.345, jax=0.456)
    for rows in (every_headline(), changed(slow, **wide)):
        found = speeds.throughput(speed(*rows))
        printed = terminal(found)
        assert max(map(len, printed.splitlines())) <= WIDTH
        for title, time, rate, *_, memory in found[0].rows:
            assert f"\n{title}\n" in printed
            after = printed.partition(f"\n{title}\n")[2].splitlines()[0]
            assert time in after and rate in after and after.count("×") == 4 and after.endswith(memory)


def test_latency_and_growth_fit_100_columns():
    rows = [
        each
        for page in pages.cases().values()
        if page.headlines
        for backend in MODES
        for each in (
            *race(page.name, next(iter(page.sizes)), **{backend: 123.4e-6}),
            *curve(page.name, lambda work: 1e-4 + 1e-10 * work, backend, dispatch=2),
        )
    ]
    compiled = [replace(each, mode="compile") for each in rows if each.backend == "torch"]
    found = tables(*rows, *compiled)
    printed = terminal([found[latency.TITLE], found[growth.TITLE]])
    assert max(map(len, printed.splitlines())) <= WIDTH
    for line in found[latency.TITLE].rows:
        assert re.search(rf"\n{line[0]} +(123 +){{5}}\w+ [<>]? ?[\d.]+", printed), line
    assert len(found[growth.TITLE].rows) == 19


def test_rows_of_before_there_were_these_columns_are_read():
    old = frame(*race("adam", torch=1e-3), *race("lstm", "small", jax=1e-6))
    for name in ("share", "peak_bytes", "doubling", "ratio", "ratio_low", "ratio_high", "flops"):
        old[name] = math.nan
    for name in ("bound", "cache", "spread", "series"):
        old[name] = math.nan if name != "spread" else ""
    (line,) = {each.title: each for each in report.sections(old, every=True)}["Throughput"].rows
    assert line[1] == "1.00 ms" and line[-3:] == ("", "", "")


@pytest.mark.parametrize("seed", range(5))
def test_figures_of_any_kind_are_shown_and_raise_nothing(seed, tmp_path):
    rng = random.Random(seed)
    odd = (0.0, -1.0, 1e-300, 1e300, math.nan, math.inf, 1.0, 1e-3, None)
    given = [
        *curve("adam", lambda work: 1e-9 * work),
        *curve("conv2d", lambda work: 1e-9 * work, "jax"),
        *race("adam", "small", torch=1e-6, jax=1e-6),
        *race("cnn-training", "batch-256", numpy=1.0, jax=2.0),
        timed(1.0, case="", size=""), timed(1.0, case="unknown", size="batch:0", device="tpu"),
    ]  # fmt: skip
    rows = []
    for each in given * 3:
        more = {
            "backend": rng.choice((each.backend, "numpy", "", "my/chip.py:Chip")),
            "direction": rng.choice((each.direction, "", "sideways")),
            "device": rng.choice((each.device, "gpu")),
            "option": rng.choice((each.option, "unheard-of")),
            "size": rng.choice((each.size, each.size, "batch:x", "1")),
            "bound": rng.choice(("dispatch", "compute", "memory", "else", "")),
            "cache": rng.choice(("hot", "cold", "?", "")),
            "status": rng.choice(TIMED),
            "unit": rng.choice((each.unit, "")),
        }
        numbers = (
            "median_s",
            "low_s",
            "high_s",
            "throughput",
            "flops",
            "share",
            "ratio",
            "ratio_high",
            "bits",
        )
        more |= {name: rng.choice(odd) for name in rng.sample(numbers, 3)}
        rows.append(replace(each, **more))
    rows = frame(*rows)
    found = report.sections(rows, every=True)
    assert len(terminal(found)) > 1000 and markdown(found)
    growth.draw(growth.panels(workloads.speeds(setups(rows))), tmp_path)
    quick = {each.title: each for each in found}
    for title in ("Throughput", speeds.OTHER):
        for line in quick[title].rows if title in quick else ():
            assert all(len(text) < 40 for text in line[1:3]), line


# the tables of README.md and docs/results.md


def test_the_readme_has_a_line_for_a_headline_and_the_page_of_results_has_all():
    blocks = readme.figures(frame(*every_headline()), "results/here", "Acme, 2 cores")
    short, long = (blocks[file]["table"].splitlines() for file in ("README.md", "docs/results.md"))
    lines = [line for line in short if line.startswith("| ")]
    assert lines[0] == "| workload | time | rate | numpy | torch | tensorflow | jax |"
    assert len(lines) == 2 + len(readme.SHOWN) == 17
    first = "| linear regression, 100,000 rows × 100 features, forward | 11.1 ms | 9.01 M rows/s |"
    assert lines[2] == f"{first} ✓ 23 bits 2.11× | ✓ 23 bits 1.11× | ✓ 23 bits 1.31× | ✓ 23 bits 1× |"
    assert sum("convolutional network" in line for line in long) == 2
    assert sum("convolutional network" in line for line in short) == 1
    assert "| all 20 pages | 20 ✓ | 20 ✓ | 20 ✓ | 20 ✓ |" in long and "Source: results/here" in short[-1]
    assert not any("forward" in line for line in short if "layer norm" in line)


def test_a_framework_without_a_speed_has_the_sign_that_says_why_in_the_readme():
    torch, jax = race("adam", torch=1e-3, jax=2e-3)
    none = dict.fromkeys(("median_s", "low_s", "high_s", "throughput"))
    wrong = replace(torch, **none, status="disagrees", why="off")
    rows = [
        wrong,
        replace(jax, status="limited", bits=18.2, bound="dispatch"),
        row(case="adam", size="small", direction="training", backend="tensorflow", status="missing"),
        replace(jax, **none, backend="numpy", regime="integers", status="error", why="x"),
    ]  # fmt: skip
    (line,) = readme.throughput(frame(*rows), "here").rows
    assert line[3:] == ("–", "✗", "m", "L 18 bits 1× d")


def test_a_run_without_headlines_does_not_make_the_readme():
    with pytest.raises(ValueError, match="readme: got no speed of a headline in here, a machine, should"):
        readme.figures(frame(*race("adam", "small", torch=1e-6)), "here", "a machine")


def test_the_page_of_results_has_verdicts_and_bits_and_no_times():
    rows = frame(*race("softmax", "small", torch=2e-6), *race("softmax", "small", jax=1e-6))
    assert readme.overview(rows.assign(page="softmax"), "here").rows[0] == (
        "softmax",
        "–",
        "✓ 23 bits",
        "–",
        "✓ 23 bits",
    )
