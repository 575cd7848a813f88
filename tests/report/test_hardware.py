"""Machines side by side: made-up rows with known answers, and files that anybody may have written."""

import math
from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

import gaugeblock
from bench import cli, pages
from bench.report import hardware, means, prices, ratios, states
from bench.report import write as report
from bench.report.table import WIDTH, _stacked, markdown
from tests.report.test_compare import run
from tests.report.test_speeds import race, terminal
from tests.rows import MACHINE, frame, timed

CASES = ("adam", "attention", "layer-norm", "lstm")
A, B = "aaaaaaaa", "bbbbbbbb"
EVIL = "<img src=x> **b** |\x1b[31m\u202e"


def ran(machine=A, day=1, factor=1.0, cases=CASES, **other):
    """The rows of a run: headlines of these formulas in torch (2 ms) and jax (1 ms), times `factor`."""
    return [
        replace(
            each, run_id=f"2026010{day}T000000Z-{machine[:8]}", machine=machine,
            **{name: getattr(each, name) * factor for name in ("median_s", "low_s", "high_s")},
            throughput=each.throughput / factor, **({"package": each.backend} | other),
        )
        for case in cases
        for each in race(case, torch=2e-3, jax=1e-3)
    ]  # fmt: skip


def compared(*runs, priced=None):
    return ratios.compare(frame(*(each for one in runs for each in one)), priced)


def best(found, framework="best", over=means.HEADLINES):
    """The means of a framework, in the order of the states."""
    return [each for each in found.means() if each.framework == framework and each.over == over]


def tables(*runs, every=False, priced=None):
    rows = frame(*(each for one in runs for each in one))
    return {each.title: each for each in report.sections(rows, every=every, prices=priced)}


# columns


def test_runs_of_one_state_are_one_column_and_their_spread_is_its_noise_floor():
    found = compared(ran(), ran(day=2, factor=1.1))
    (state,), (noise,) = found.states, found.noise
    assert len(state.runs) == 2 and noise == ratios.Noise(pytest.approx(0.1), 2, 8)
    assert found.lines["seconds"].iloc[0] == pytest.approx(1.05e-3), "the median over runs"


def test_runs_are_compared_as_if_each_were_alone_and_asked_for_their_speeds_at_once(monkeypatch):
    """The last run lacks the dtype that is shown of the others."""
    runs = ran(), ran(B, day=2), ran("cccccccc", day=3, dtype="float64")
    alone, asked, speeds = [compared(each).lines for each in runs], [], ratios.races
    monkeypatch.setattr(ratios, "races", lambda rows: asked.append(len(rows)) or speeds(rows))
    together = compared(*runs).lines
    assert asked == [sum(map(len, runs))]
    for place, each in enumerate(alone):
        mine = together[(together["state"] == place) & together["seconds"].notna()]
        assert mine["seconds"].tolist() == each["seconds"].tolist() and len(mine)
        assert mine["dtype"].tolist() == each["dtype"].tolist()


def test_of_three_runs_the_median_counts_and_every_pair_makes_noise():
    found = compared(ran(), ran(day=2, factor=1.1), ran(day=3, factor=3.0))
    assert found.lines["seconds"].iloc[0] == pytest.approx(1.1e-3)
    assert found.noise[0].part == pytest.approx(2.0) and found.noise[0].runs == 3


def test_noise_is_of_the_same_cells_that_dispatch_does_not_bound():
    bound = ran(day=2, factor=5.0, cases=CASES[:1], bound="dispatch") + ran(
        day=2, factor=1.1, cases=CASES[1:]
    )
    assert compared(ran(), bound).noise[0] == ratios.Noise(pytest.approx(0.1), 2, 6)
    apart = compared(ran(cases=CASES[:2]), ran(day=2, cases=CASES[2:]))
    assert apart.noise == [None], "two runs without a cell in common are no repeat"


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"suite": "0.2.0"}, "suite 0.2.0 instead of 0.1.0+gabc1234"),
        ({"settings": "as shipped"}, "settings as shipped instead of declared"),
        ({"threads": 1}, "1 thread instead of 2"),
        ({"version": "9.9"}, "torch 9.9 instead of 2.13.0; jax 9.9 instead of 2.13.0"),
    ],
)
def test_states_of_one_machine_are_told_apart_in_words(other, words):
    found = compared(ran(), ran(day=2, **other))
    assert "; ".join(states.differences(*found.states)) == words
    assert len(set(states.names(found.states))) == 2
    told = tables(ran(), ran(day=2, **other))
    lines = told[hardware.TITLE].rows
    assert [line[0] for line in lines] == ["A", "B"]
    assert lines[1][-1] == words and lines[0][-1] == ""


def test_other_threads_of_another_machine_are_no_difference():
    assert states.differences(*compared(ran(), ran(B, threads=64)).states) == []


def test_a_run_of_fewer_frameworks_is_a_repeat():
    rows = [each for each in ran(day=2) if each.backend == "jax"]
    numpy = [replace(each, backend="numpy", package="numpy", package_version="2.4.6") for each in rows]
    assert len(compared(ran(), rows).states) == 1
    found = compared(ran(), [*rows, *numpy], ran(B))
    assert states.differences(found.states[1], found.states[0]) == ["with numpy"]
    assert states.differences(found.states[0], found.states[1]) == ["without numpy"]


def test_runs_without_a_headline_are_no_column():
    assert compared([timed(1e-3)], ran()).states[0].machine == A
    assert compared([timed(1e-3)]).states == () and compared([timed(1e-3)]).means() == []
    assert len(gaugeblock.hardware(frame(timed(1e-3)))) == 0


# means


def test_a_machine_that_is_twice_as_fast_is_2_in_every_framework_with_n():
    found = compared(ran(), ran(day=2, factor=1.1), ran(B, factor=0.525))
    for name in ("best", "torch", "jax"):
        (mean,) = best(found, name)
        assert (mean.n, mean.state) == (4, 1)
        assert [mean.relative, mean.low, mean.high] == pytest.approx([2.0, 2.0, 2.0])
    assert found.noise[1] is None and found.floor(0, 1) is None


def test_a_ratio_inside_what_repeats_differ_by_says_nothing():
    found = compared(ran(), ran(day=2, factor=1.1), ran(B, factor=1.2), ran(B, 2, 1.02))
    (mean,), floor = best(found), found.floor(0, 1)
    assert floor == pytest.approx(1.2 / 1.02 - 1) and means.beyond(mean, floor) is False
    assert means.beyond(replace(mean, relative=0.8), floor) is True
    assert means.beyond(mean, None) is None


def test_a_workload_that_one_lacks_takes_no_part():
    found = compared(ran(), ran(B, factor=0.5), ran("cccccccc", factor=1.0, cases=CASES[1:]))
    assert [each.n for each in best(found)] == [3, 3]
    (pair,) = [each for each in found.pair(0, 1) if each.framework == "best" and each.over == "headlines"]
    assert pair.n == 4, "of two columns, what these two have"
    lines = found.lines[(found.lines["case"] == "adam") & (found.lines["framework"] == "best")]
    assert lines["seconds"].isna().tolist() == [False, False, True], "empty, and never made up"


def test_a_framework_that_one_lacks_has_no_mean():
    found = compared(ran(), [each for each in ran(B) if each.backend == "jax"])
    (mean,) = best(found, "torch")
    assert mean.n == 0 and math.isnan(mean.relative) and best(found)[0].n == 4


def test_what_is_bound_by_dispatch_takes_no_part():
    bound = ran(B, factor=9.0, cases=CASES[:1], bound="dispatch") + ran(B, factor=0.5, cases=CASES[1:])
    (mean,) = best(compared(ran(), bound))
    assert (mean.n, mean.relative) == (3, pytest.approx(2.0))


def test_small_sizes_are_a_line_of_their_own_and_rank_nothing():
    small = {"case": "softmax", "backend": "jax", "contender": "jax.nn.softmax"}
    there = {"run_id": ran(B)[0].run_id, "machine": B}
    one = [*ran(), timed(3e-6, run_id=ran()[0].run_id, bound="dispatch", **small)]
    found = compared(one, [*ran(B), timed(1e-6, bound="dispatch", **small, **there)])
    (mean,), (headline,) = best(found, over=means.CALLS), best(found)
    assert (mean.n, mean.relative, headline.relative) == (1, pytest.approx(3), pytest.approx(1))
    table = tables(one, [*ran(B), timed(1e-6, **small, **there)])[f"{hardware.MEANS} A"]
    (line,) = [each for each in table.rows if each[1] == "small sizes"]
    assert line[2] == "3.0" and line[6] == "" and "what a call costs" in table.note


def test_known_departures_are_counted_beside_the_mean():
    departs = ran(B, cases=CASES[:1], status="limited") + ran(B, cases=CASES[1:])
    (mean,) = best(compared(ran(), departs))
    assert (mean.n, mean.departures) == (4, 1)


def test_the_interval_is_over_formulas():
    middle, low, high = means.interval(np.log([*9 * [2.0], 8.0]), [*9 * ["a"], "b"])
    assert middle == pytest.approx(2 * 4**0.1) and (low, high) == (pytest.approx(2), pytest.approx(8))
    assert all(map(math.isnan, means.interval(np.array([]), [])))


def test_the_fastest_device_of_a_machine_counts():
    case = pages.case("layer-norm")
    assert case.headlines[0].direction != "forward", "its gradient has one size on every device"
    on_gpu = [replace(each, device="gpu") for each in ran(B, factor=0.1, cases=("layer-norm",))]
    found = compared(ran(cases=("layer-norm",)), [*ran(B, cases=("layer-norm",)), *on_gpu])
    (mean,) = best(found)
    assert mean.relative == pytest.approx(10)
    assert found.lines["device"].tolist()[:2] == ["cpu", "gpu"]
    assert found.lines["workload"].nunique() == 1 and "gpu" not in found.lines["workload"][0]


# prices


def written(tmp_path, text):
    (tmp_path / "prices.toml").write_text(text, encoding="utf-8")
    return tmp_path / "prices.toml"


PRICES = f"""
[acme-{A}]
watt = 100
price_per_hour = 3.6
currency = "EUR"

[{B}]
watt = 400.0
price_per_hour = 0.9
currency = "EUR"
note = "spot"
"""


def test_rates_per_watt_and_per_price_are_known_answers(tmp_path):
    file = written(tmp_path, PRICES)
    rows = frame(*ran(cases=("adam",)), *ran(B, factor=0.5, cases=("adam",)))
    found = gaugeblock.hardware(rows, prices=file)
    one, two = found[(found.framework == "best") & (found.workload != ratios.MEAN)].to_dict("records")
    assert one["per_watt"] == pytest.approx(one["rate"] / 100) and one["power"] == "file"
    assert one["per_price"] == pytest.approx(one["rate"] * 1000), "3.60 an hour is 1 for 1,000 seconds"
    assert two["relative_per_watt"] == pytest.approx(2 / 4) and two["relative_per_price"] == pytest.approx(8)
    mean = found[(found.framework == "best") & (found.workload == ratios.MEAN)].iloc[0]
    assert mean["relative_per_watt"] == pytest.approx(2 / 4)
    assert mean["relative_per_price"] == pytest.approx(8) and math.isnan(mean["per_watt"])


def test_the_watts_of_the_file_come_first_and_else_those_measured():
    measured = compared(ran(power_w=50.0), ran(B, power_w=80.0), priced={B: prices.Price(watt=100.0)})
    assert [hardware.power(measured, place) for place in (0, 1)] == [
        "50 W, measured at the card",
        "100 W, of the file",
    ]
    assert measured.lines["watt"].tolist()[:2] == [50.0, 100.0]
    assert hardware.power(compared(ran()), 0) == ""


def test_two_currencies_have_no_ratio():
    paid = {A: prices.Price(per_hour=1.0, currency="EUR"), B: prices.Price(per_hour=1.0, currency="USD")}
    (mean,) = best(compared(ran(), ran(B), priced=paid))
    assert math.isnan(mean.per_price) and math.isnan(mean.per_watt)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("watt = ", "should be TOML"),
        ("watt = 3", "watt: got 3, should be a table"),
        ("[a]\nwat = 3", "a: got wat, should be one of watt, price_per_hour, currency, note"),
        ("[a]\nwatt = -3", "a: got watt -3, should be a number above 0"),
        ("[a]\nwatt = nan", "got watt nan, should be a number above 0"),
        ("[a]\nwatt = true", "got watt True, should be a number above 0"),
        ("[a]\nwatt = " + 400 * "9", "got watt a number too large"),
        ("[a]\nwatt = " + 5000 * "9", "should be TOML"),
        ("[a]\nprice_per_hour = 1", "got price_per_hour without currency, should have both"),
        ('[a]\nwatt = 1\ncurrency = "EUR"', "got currency without price_per_hour, should have both"),
        ('[a]\nprice_per_hour = 1\ncurrency = "a lot of money"', "should be a text of at most 8 characters"),
        ("[a]\nnote = 3", "got note '3', should be a text"),
        ('[a]\nnote = "x"', "got neither watt nor price_per_hour"),
        (f"[{A}]\nwatt = 1\n[acme-{A}]\nwatt = 1", f"got machine {A} twice, should be there once"),
    ],
)
def test_a_malformed_file_of_prices_is_refused_in_one_sentence(text, words, tmp_path):
    with pytest.raises(ValueError, match=r"^prices .*prices\.toml") as refused:
        prices.read(written(tmp_path, text))
    assert words in str(refused.value)


def test_a_file_that_is_not_utf_8_is_refused(tmp_path):
    (tmp_path / "prices.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ValueError, match="got bytes that are not UTF-8, should be a TOML file"):
        prices.read(tmp_path / "prices.toml")


# the DataFrame


def test_the_base_is_named_by_its_column_or_its_machine():
    rows = frame(*ran(), *ran(B, factor=0.5), *ran(B, day=2, factor=0.25, threads=1))
    assert gaugeblock.hardware(rows).attrs["base"] == A
    found = gaugeblock.hardware(rows, base=f"{B}, 1 thread")
    mean = found[(found.workload == ratios.MEAN) & (found.framework == "best")].set_index("machine")
    assert mean.loc[A, "relative"] == pytest.approx(0.25) and mean.loc[A, "n"] == 4
    for wrong in (B, "x"):
        with pytest.raises(ValueError, match=f"hardware: got base '{wrong}', should be one of '{A}', or"):
            gaugeblock.hardware(rows, base=wrong)
    with pytest.raises(ValueError, match="no run has a speed of a headline"):
        gaugeblock.hardware(frame(timed(1e-3)), base="x")


def test_the_frame_has_the_documented_columns_and_renders():
    found = gaugeblock.hardware(frame(*ran(), *ran(day=2, factor=1.1), *ran(B, cases=CASES[1:], suite=EVIL)))
    assert list(found.columns) == list(ratios.COLUMNS)
    assert all(name in gaugeblock.hardware.__doc__ for name in found.columns)
    text = gaugeblock.styled(found).to_html()
    assert "<img" not in text and ">nan<" not in text
    assert found["noise"].dropna().tolist() == pytest.approx([0.1] * int((found["machine"] == A).sum()))


# the report


def test_hardware_stands_in_the_place_of_throughput_for_several_machines():
    alone, both = tables(ran()), tables(ran(), ran(B, factor=0.5))
    assert "Throughput" in alone and hardware.TITLE not in alone
    assert "Throughput" not in both
    lines = both[f"{hardware.MEANS} A"].rows
    assert lines[0] == ("B", "best", "2.0", "2.0–2.0", "4", "0", "not known")
    (line,) = [each for each in both[hardware.WORKLOADS].rows if each[0].startswith("Adam")]
    assert line[1::3] == ("1.0 ms", "500 µs", "2.0")
    assert line[3] == "jax 23" and len(both[hardware.WORKLOADS].rows) == 4


def test_repeats_of_one_state_are_told_with_their_noise():
    found = tables(ran(), ran(day=2, factor=1.1))
    assert found[hardware.TITLE].rows == [
        (f"machine not recorded, {A}, 2 threads", "2", "10% (8 cells, 2 runs)")
    ]
    assert "Throughput" in found


def test_each_framework_has_its_lines_with_all():
    every = tables(ran(), ran(B), every=True)[hardware.WORKLOADS]
    assert len(every.rows) == 3 * 4 and [each[0] for each in every.rows if each[0].endswith(": torch")]


def test_ratios_of_other_tables_stay_inside_a_machine():
    found = tables(ran(), ran(B, factor=0.1), every=True)["layer-norm bwd"]
    assert [line[5] for line in found.rows if line[0] == "jax.api"] == ["1", "1"]


def test_five_machines_fit_a_terminal():
    runs = [
        ran(f"{n:08}", factor=1 + n, settings="at most avx512" if n else "", power_w=300.0) for n in range(5)
    ]
    rows = frame(*(each for one in runs for each in one))
    found = report.sections(rows, every=True, prices={"00000001": prices.Price(per_hour=1.0, currency="EUR")})
    wide = [each for each in found if each.title in (hardware.WORKLOADS, hardware.YIELDS)]
    assert max(len(line) for each in wide for line in _stacked(each, WIDTH).plain.splitlines()) <= WIDTH
    text = terminal(found)
    assert max(map(len, text.splitlines())) <= WIDTH and "against A" in text and "E time" in text


def test_hostile_texts_are_shown_as_text(tmp_path):
    key = "evil\x1b[31m<b>|"
    price = prices.Price(per_hour=1.0, currency="<b>|", note=EVIL)
    runs = (ran(key, suite=EVIL, version=EVIL, unit=EVIL), ran(B, settings=EVIL))
    rows = frame(*(each for one in runs for each in one))
    machines = {key: {**MACHINE, "cpu": EVIL, "gpus": "junk"}, B: {"gpus": [{"name": EVIL}, 7]}}
    found = report.sections(rows, machines, prices={key: price}, every=True)
    for text in (terminal(found), markdown(found)):
        assert "\x1b" not in text and "\u202e" not in text
    assert "<img" not in markdown(found) and "**b**" not in markdown(found) and "<b>" not in markdown(found)
    assert "<img src=x>" in terminal(found)


def test_the_command_reads_the_file_of_prices(tmp_path):
    folders = [
        run(tmp_path / f"{day}", *ran(day=day, factor=day), name=f"2026010{day}T000000Z-a") for day in (1, 2)
    ]
    key = next(iter(report.read(folders)[0]["machine"]))
    file = written(tmp_path, f'[acme-{key}]\nprice_per_hour = 2\ncurrency = "EUR"\nnote = "a guess"')
    paths = list(map(str, folders))
    answer = CliRunner().invoke(cli.app, ["report", *paths, "--prices", str(file)])
    assert answer.exit_code == 0 and "2.0 EUR an hour, a guess" in answer.output, answer.output
    assert "items/EUR" in answer.output
    answer = CliRunner().invoke(cli.app, ["report", *paths, "--markdown", "--prices", str(file)])
    assert "a guess" in answer.output
    answer = CliRunner().invoke(cli.app, ["report", *paths, "--prices", str(written(tmp_path, "x = 1"))])
    assert answer.exit_code == 2 and "x: got 1, should be a table" in answer.output
