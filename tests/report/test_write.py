"""The report: from rows to tables, read as a person reads them and fed what a stranger wrote."""

import doctest
import io
import json
import math
import re
from dataclasses import replace

import pytest
from rich.console import Console

from bench import digits, pages
from bench.machine.records import key
from bench.report import curves, overview, readme, speeds, workloads
from bench.report import header as headers
from bench.report import write as report
from bench.report.table import GLYPHS, Table, command, escape, markdown, show
from bench.store.results import start
from bench.store.row import STATUSES, plain
from bench.studies import seeds
from tests.counting import calls
from tests.rows import ENVIRONMENT, MACHINE, frame, row, timed

EVIL = "\x1b[31mred\x1b[0m [bold]b[/bold] | `x` <img src=x> [a](b) \u202eabc\nnew"


def tables(*rows, every=False, **records):
    return {section.title: section for section in report.sections(frame(*rows), every=every, **records)}


@pytest.fixture(autouse=True)
def few_pages(monkeypatch):
    """A report asks for the Limits of every page, which takes a second; the rows here are of these."""
    few = {name: pages.case(name) for name in ("attention", "lstm")}
    monkeypatch.setattr(pages, "cases", lambda: few)


def verdict(*rows):
    return overview.verdict(headers.setups(frame(*rows)))[0]


def terminal(sections, width=100):
    console = Console(file=io.StringIO(), width=width, highlight=False, force_terminal=False)
    show(sections, console)
    return console.file.getvalue()


def grid():
    """Two formulas in four backends, two dtypes and two directions."""
    return [
        row(case=case, backend=backend, contender=f"{backend}.f", dtype=dtype, direction=direction,
            bits=None if (backend, dtype) == ("numpy", "float64") else 23.4)
        for case in ("linear", "attention")
        for backend in ("jax", "numpy", "torch", "tensorflow")
        for dtype in ("float32", "float64")
        for direction in ("forward", "gradient")
    ]  # fmt: skip


# numbers


def test_the_examples_of_digits_hold():
    assert doctest.testmod(digits).failed == 0


@pytest.mark.parametrize(
    ("value", "half", "text"),
    [
        (1.23456e-5, 1e-8, "12.3 µs"),
        (1.23456e-5, 2e-6, "12 µs"),
        (1.23456e-5, 1e-4, "~10 µs"),
        (9.9996e-4, 1e-8, "1.00 ms"),
        (0.5, math.nan, "500 ms"),
        (2.0, 0.0, "2.00 s"),
        (0.0, 0.0, "0 s"),
        (math.nan, 1.0, ""),
        (3e-13, 1e-15, "0.000300 ns"),
        (1.2e-3, math.inf, "~1 ms"),
        (1e-300, math.nan, "1e-291 ns"),
        (1e300, 1e290, "1e285 Ps"),
        (123456.0, 100.0, "123 ks"),
    ],
)
def test_a_duration_has_the_digits_that_its_interval_supports(value, half, text):
    assert digits.seconds(value, half) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.4, "0.40"),
        (17.0, "17"),
        (3.2e8, "3e8"),
        (2e-5, "2e-5"),
        (1.7e308, "inf"),
        (0.0, "0"),
        (math.nan, ""),
    ],
)
def test_a_ratio_of_many_orders_is_short(value, text):
    assert digits.magnitude(value) == text


def test_counts_read_as_words():
    assert digits.count(1, "cell") == "1 cell" and digits.count(1234, "cell") == "1,234 cells"
    assert digits.count(2, "formula", "formulae") == "2 formulae" and digits.count(3) == "3"


# the verdict


def test_every_status_has_a_glyph_and_the_legend_says_which():
    assert set(GLYPHS) == set(STATUSES) == set(overview.WORST)
    for status, glyph in GLYPHS.items():
        found = overview.legend([("attention +1", glyph)])
        assert f"{glyph}\N{NO-BREAK SPACE}{status}" in found and "'+2'" in found
        assert ("a known departure" in found) is (status == "limited")
    assert overview.legend([("attention", "·")]).startswith(
        "·\N{NO-BREAK SPACE}not\N{NO-BREAK SPACE}run. Each"
    )


def test_the_verdict_has_a_line_a_formula_and_a_column_a_backend():
    found = verdict(*grid())
    assert [line[0] for line in found.rows] == ["linear", "attention"]
    assert [name.split("\n")[0] for name in found.columns] == [
        "formula",
        "numpy",
        "torch",
        "tensorflow",
        "jax",
    ]
    assert found.columns[1].split("\n")[1:] == ["float64 float32", "fwd bwd fwd bwd"]
    assert found.rows[0][1:] == ("≡   ≡   ✓23 ✓23", *["✓23 ✓23 ✓23 ✓23"] * 3)


def test_the_worst_cell_and_the_fewest_bits_stand_for_a_line():
    worse = [
        row(status=status, bits=bits)
        for status, bits in (("agrees", 9.0), ("limited", 24.0), ("agrees", 23.0))
    ]
    assert verdict(*worse).rows[0][1].startswith("L9")
    assert verdict(*worse, row(status="error", bits=24.0)).rows[0][1].startswith("!  ")


@pytest.mark.parametrize("ended", ["absent", "missing"])
def test_what_did_not_run_says_nothing_about_what_did(ended):
    skipped = row(mode="compile", status=ended, bits=None)
    assert verdict(row(), skipped).rows[0][1].startswith("✓23")
    assert verdict(skipped).rows[0][1].startswith(GLYPHS[ended])


def test_the_reference_is_marked_as_such_only_where_it_agrees():
    same = row(backend="numpy", dtype="float64", bits=None)
    assert verdict(same).rows[0][1].startswith("≡")
    failed = row(backend="numpy", dtype="float64", bits=None, status="error", why="raised")
    assert verdict(failed).rows[0][1].startswith("!")


def test_nothing_that_did_not_run_is_shown_as_zero():
    text = terminal(
        overview.verdict(
            headers.setups(
                frame(row(status="absent", bits=None, why="none"), row(mode="x", status="missing"))
            )
        )
    )
    assert not re.search(r"\b0 ?%|\b0\b(?! *$)", text.split("Verdict")[1])


def test_options_that_end_alike_share_a_line_and_others_have_their_own():
    rows = [
        row(option="plain"),
        row(option="bias"),
        row(option="causal", status="disagrees", why="off", bits=3.0),
    ]
    assert verdict(*rows).rows == [("attention +1", "✓23 ·  "), ("  /causal", "✗3  ·  ")]


@pytest.mark.parametrize("status", ["disagrees", "mistrusted", "error"])
def test_what_fails_without_bits_has_not_those_of_what_agrees_beside_it(status):
    rows = [row(bits=24.0), row(mode="x", status=status, why="off", bits=None)]
    for both in (rows, rows[::-1]):
        assert verdict(*both).rows == [("attention", f"{GLYPHS[status]}   ·  ")]
        assert readme._cell(frame(*both)) == GLYPHS[status]
    rows = [row(bits=24.0), row(option="causal", status=status, why="off", bits=None), row(mode="x")]
    assert [line for _, line in verdict(*rows).rows] == ["✓23 ·  ", f"{GLYPHS[status]}   ·  "]


def test_fewer_bits_than_none_are_none():
    worse = frame(row(status="limited", bits=-29.0))  # an error of 2**29 units
    assert readme._cell(worse) == f"{GLYPHS['limited']} 0 bits"


def test_an_option_that_some_backends_lack_needs_no_line_of_its_own():
    rows = [
        row(bits=None, backend="numpy", dtype="float64"),
        row(option="plain"),
        row(option="bias", status="absent", bits=None),
        row(option="bias", backend="jax", bits=22.0),
        row(option="plain", backend="jax", bits=None),
    ]
    assert verdict(*rows).rows == [("attention +1", "≡   ·   ·   ·  ", "·   ·   ✓23 ·  ", "·   ·   ✓22 ·  ")]


def test_what_is_missing_moves_no_formula_to_the_top():
    rows = [row(case="b", backend="jax", status="missing", bits=None), row(case="a"), row(case="b")]
    assert [line[0] for line in verdict(*rows).rows] == ["a", "b"]


def test_training_stands_where_forward_does():
    assert verdict(row(direction="training"), row(case="a")).rows[0][1] == "✓23 ·  "


def test_more_than_two_dtypes_or_four_backends_go_into_further_tables():
    dtypes = [row(dtype=dtype) for dtype in ("bfloat16", "float32", "float64")]
    found = overview.verdict(headers.setups(frame(*dtypes)))
    assert [table.columns[1] for table in found] == [
        "torch\nfloat64 float32\nfwd bwd fwd bwd",
        "torch\nbf16   \nfwd bwd",
    ]
    five = [row(backend=name) for name in ("torch", "jax", "numpy", "tensorflow", "my/chip.py:Chip")]
    found = overview.verdict(headers.setups(frame(*five)))
    assert found[1].columns[1].startswith("Chip\n")


def test_a_status_that_nobody_knows_counts_as_an_error():
    strange = frame(row()).assign(status="splendid")
    (table,) = overview.verdict(headers.setups(strange))
    assert table.rows[0][1].startswith("!")


def test_what_departs_has_every_line_of_a_formula_that_departs_and_the_names_of_the_others():
    departs = {"case": "softmax", "status": "limited", "why": "known"}
    rows = [row(), row(**departs), row(case="softmax", option="causal"), row(case="lstm")]
    rows += [row(mode="x", status="missing"), row(case="gru", status="absent")]
    table, agree = overview.departing(headers.setups(frame(*rows)))
    assert table.title == overview.DEPART
    assert table.rows == [("softmax", "L23 ·  "), ("  /causal", "✓23 ·  ")]
    assert agree.title == "Agree wherever they ran (2 formulas)"
    assert agree.items == [("attention, lstm", "")]
    (only,) = overview.departing(headers.setups(frame(row())))
    assert only.items == [("attention", "")]
    strange = headers.setups(frame(row()).assign(status="splendid"))
    assert [each.title for each in overview.departing(strange)] == [overview.DEPART]


def test_the_verdict_of_sixty_formulas_fits_a_screen_of_100_columns():
    rows = [
        row(
            case=f"a-formula-of-thirty-letters-{n:02}",
            backend=backend,
            dtype=dtype,
            direction=direction,
            bits=52.6,
        )
        for n in range(60)
        for backend in ("numpy", "torch", "tensorflow", "jax")
        for dtype in ("float64", "float32")
        for direction in ("forward", "gradient")
    ]
    lines = terminal([verdict(*rows)]).splitlines()
    assert len(lines) <= 72 and max(map(len, lines)) <= 100
    assert sum("…" in line for line in lines) == 0


# the header, and several machines


def test_the_header_names_run_machine_environment_seeds_and_ends():
    machines, environments = {"aaaaaaaa": MACHINE}, {"bbbbbbbb": ENVIRONMENT}
    rows = (row(), row(mode="compile", seed=3), row(mode="x", status="absent", why="no"))
    header = dict(tables(*rows, machines=machines, environments=environments)["What ran"].rows)
    assert header["machine"] == "Acme Three, 2 cores, 24 GiB, Linux 6 (aaaaaaaa)"
    assert header["environment"] == "Python 3.11.7, numpy 2.4.6, torch 2.13.0 (bbbbbbbb)"
    assert header["run"] == row().run_id and header["2 seeds"] == "0, 3"
    assert header["3 cells"] == "agrees 2, absent 1"


def test_a_run_of_several_seeds_states_its_false_alarms():
    ends = ["agrees"] * 997 + ["limited"] * 5 + ["absent"] * 4 + ["imprecise", "mistrusted", "disagrees"]
    many = [row(seed=number % 2, status=end, case=f"case-{number}") for number, end in enumerate(ends)]
    header = dict(headers.header(report.setups(frame(*many)), {}, {}).rows)
    assert header["false alarms"].startswith(
        "2 of 1,000 cells that should agree: 0.002 a cell, at most 0.006"
    )
    assert "false alarms" not in dict(headers.header(report.setups(frame(row())), {}, {}).rows)


def test_gpus_blas_variables_and_many_seeds_and_runs_are_named():
    machine = MACHINE | {"gpus": [{"name": "Card", "memory_gib": 80, "driver": "570"}, "junk"]}
    pools = [{"user_api": "blas", "internal_api": "openblas", "version": "0.3"}, {"user_api": "openmp"}, 7]
    records = {
        "machines": {"aaaaaaaa": machine},
        "environments": {"bbbbbbbb": {"pools": pools, "packages": 1, "variables": {"XLA_FLAGS": "--x"}}},
    }
    rows = [row(seed=n, run_id=f"run-{n:02}") for n in range(12)]
    header = dict(tables(*rows, **records)["What ran"].rows)
    assert "Card 80 GiB (driver 570)" in header["machine"] and "openblas 0.3" in header["environment"]
    assert "$XLA_FLAGS --x" in header["environment"]
    assert header["12 seeds"] == "0, …, 11" and header["run"] == "12 runs: run-00 to run-11"


def test_several_machines_stand_side_by_side_and_the_report_says_so():
    both = (timed(1e-3), timed(4e-3, machine="cccccccc"))
    found = tables(*both, every=True)
    header = dict(found["What ran"].rows)
    assert header["side by side"].startswith("2 machines and 1 environment")
    assert "machine A" in header and "machine B" in header and "environment A, B" in header
    assert [line[0] for line in found["Verdicts and correct bits"].rows] == ["attention A", "attention B"]
    assert [line[:2] for line in found[speeds.FIRST].rows] == [
        ("attention fwd A", "1.00 ms"),
        ("attention fwd B", "4.00 ms"),
    ]
    assert [line[1] for line in found["attention fwd"].rows] == ["A", "B"]


def test_more_machines_than_letters_are_numbered():
    found = headers.setups(frame(*(row(machine=f"{n:08}") for n in range(27))))
    assert found["on"].tolist()[0] == "A" and found["on"].tolist()[-1] == "#27"


# speeds


def test_speeds_are_multiples_of_the_fastest_with_their_bits():
    rows = (
        timed(2e-3),
        timed(1e-3, backend="jax", mode="jit"),
        timed(3e-3, backend="numpy", dtype="float32"),
    )
    assert tables(*rows)[speeds.FIRST].rows == [
        ("attention fwd", "1.00 ms", "1.00 M tokens/s", "×3.00  23", "×2.00  23", "×1  23")
    ]


def test_the_full_table_has_every_contender_fastest_first():
    rows = (timed(2e-3), timed(1e-3, contender="other", mode="compile"))
    (first, second) = tables(*rows, every=True)["attention fwd"].rows
    assert first == ("other", "compile", "1.00 ms", "1.00 M", "1", "", "", "", "23", "250 ms", "", "", "")
    assert second[4] == "2.00"
    assert "attention fwd" not in tables(*rows)


def test_a_line_has_its_paired_ratio_its_share_of_the_roofline_and_what_it_costs_before_it_pays():
    measured = {"ratio": 3.0, "ratio_low": 2.9, "ratio_high": 3.1, "share": 0.034, "compile_s": 0.2}
    peaks = {"peak_bytes": 3 * 2**20, "device_peak_bytes": 300 * 2**20, "series": "drifting, imprecise"}
    rows = (
        timed(9e-3, backend="numpy", contender="slow", ratio=9.0, ratio_low=8.9, ratio_high=9.1),
        timed(2e-3, contender="other", **measured, **peaks),
        timed(1e-3, backend="jax", contender="best", ratio=1.0, ratio_low=1.0, ratio_high=1.0),
    )
    _, line, last = tables(*rows, every=True)["attention fwd"].rows
    assert line[2] == "2.00 ms ~?"
    assert line[4:6] == ("3.0 (2.9–3.1)", "3%")
    assert line[10:] == ("200 ms", "36", "3.0 + 300")  # (250 ms − 2 ms) over 7 ms a call
    assert last[4] == "9.0 (8.9–9.1)" and last[11] == ""


def test_compiling_pays_against_numpy_and_against_the_same_in_eager_mode():
    rows = (
        timed(9e-3, backend="numpy"),
        timed(4e-3),
        timed(2e-3, mode="compile"),
        timed(1e-3, backend="jax"),
    )
    lines = tables(*rows, every=True)["attention fwd"].rows
    # of 250 ms: 249 over 8 ms a call; 248 over 7 and over 2; 246 over 5; NumPy is not beside itself
    assert [line[11] for line in lines] == ["32", "36 / 124", "50", ""]


def test_runs_as_shipped_stand_beside_those_whose_settings_were_declared():
    found = headers.setups(
        frame(
            row(run_id="a"),
            row(run_id="b", settings="as shipped"),
            row(run_id="b", settings="", status="absent", backend="jax", threads=None),
        )
    )
    assert found["on"].tolist() == ["A", "B", "B"]
    assert dict(headers.header(found, {}, {}).rows)["settings"] == "A: declared, B: as shipped"
    alone = headers.setups(frame(row(settings="as shipped")))
    assert dict(headers.header(alone, {}, {}).rows)["settings"] == "as shipped"
    assert "settings" not in dict(headers.header(headers.setups(frame(row())), {}, {}).rows)


def test_speeds_as_shipped_are_a_group_of_their_own():
    rows = (timed(1e-3, run_id="a"), timed(3e-3, run_id="b", settings="as shipped"))
    found = tables(*rows)[speeds.FIRST].rows
    assert [(line[0], line[-1].split()[0]) for line in found] == [
        ("attention fwd A", "×1"),
        ("attention as shipped fwd B", "×1"),
    ]


def test_ratios_across_runs_are_those_of_medians():
    rows = (timed(4e-3, run_id="a", ratio=3.0, contender="other"), timed(1e-3, run_id="b", ratio=1.0))
    (_, line) = tables(*rows, every=True)["attention fwd"].rows
    assert line[4] == "4.00"


def test_runs_of_one_thread_and_of_all_stand_side_by_side():
    rows = (timed(4e-3, run_id="a", threads=1), timed(1e-3, run_id="b", threads=2))
    found = tables(*rows, every=True)
    assert ("threads", "A: 1, B: 2") in found["What ran"].rows
    assert [line[1] for line in found["attention fwd"].rows] == ["B", "A"]


def test_digits_that_the_interval_leaves_open_are_not_shown():
    vague = row(median_s=1.234e-3, low_s=0.9e-3, high_s=1.6e-3, throughput=1e6, unit="rows/s")
    assert tables(vague)[speeds.FIRST].rows[0][1:3] == ("1.2 ms", "1.0 M rows/s")


def test_only_what_varies_within_a_formula_is_in_its_label():
    rows = (timed(1e-3), timed(2e-3, size="mission"), timed(1e-3, case="b", option="x", direction="training"))
    assert [line[0] for line in tables(*rows)[speeds.OTHER].rows] == [
        "attention small fwd",
        "attention mission fwd",
        "b step",
    ]


def test_the_summary_keeps_to_the_typical_option_and_to_float32():
    rows = (timed(1e-3), timed(2e-3, option="causal"), timed(3e-3, dtype="float64"))
    assert [line[1] for line in tables(*rows)[speeds.FIRST].rows] == ["1.00 ms"]
    assert len([title for title in tables(*rows, every=True) if title.startswith("attention")]) == 3


def test_the_latest_speed_of_a_cell_counts():
    old, new = timed(5e-3, time="2026-01-01", seed=1), timed(1e-3, time="2026-01-02")
    assert tables(new, old)[speeds.FIRST].rows[0][1] == "1.00 ms"


def test_the_reference_has_no_bits_beside_its_speed():
    same = timed(1e-3, backend="numpy", dtype="float64", bits=None)
    assert tables(same)[speeds.FIRST].rows[0][3] == "×1   ≡"
    assert tables(timed(1e-3, bits=None, unit=""))[speeds.FIRST].rows[0][2:] == ("", "×1    ")


def test_a_speed_that_does_not_plainly_agree_says_so():
    vague = timed(2e-3, status="imprecise", bits=20.0)
    assert tables(timed(1e-3, backend="jax"), vague)[speeds.FIRST].rows[0][3:] == ("×2.00 ~20", "×1  23")


def test_no_speed_no_table():
    assert not speeds.summary(workloads.speeds(headers.setups(frame(row()))))


# what departs, and what did not run


def test_each_limit_stands_once_with_its_range_and_its_source():
    known = {
        "status": "limited",
        "why": "softmax in float32",
        "source": "functions.py:9",
        "versions": "torch 2.13.0",
    }
    rows = (
        row(z_rms=1.2e8, **known),
        row(z_rms=3e8, mode="compile", **known),
        row(z_rms=2e8, case="mha", **known),
    )
    assert tables(*rows)["Known departures"].rows == [
        ("torch 2.13.0", "3", "1e8 to 3e8", "attention, mha: softmax in float32\nfunctions.py:9")
    ]
    bare = row(status="limited", why="old", z_rms=5.0)
    assert tables(bare)["Known departures"].rows == [("torch 2.13.0", "1", "5.0", "attention: old")]


@pytest.mark.parametrize("status", ["disagrees", "error", "mistrusted", "imprecise"])
def test_a_departure_is_a_sentence_and_its_command(status):
    found = tables(row(status=status, why="y[3] is off"))
    (listing,) = (each for title, each in found.items() if title.endswith("(1 cell)"))
    ((text, how),) = listing.items
    who = "attention forward torch.nn.functional.scaled_dot_product_attention eager float32"
    assert text == f"{GLYPHS[status]} {who}: y[3] is off"
    assert how == row().command


def test_many_sentences_are_cut_and_the_rest_is_counted():
    rows = [row(status="disagrees", why="off", option=f"o{n}") for n in range(25)]
    listing = tables(*rows)["Disagrees (25 cells)"]
    assert len(listing.items) == 20 and "and 5 cells more" in listing.note
    assert len(tables(*rows, every=True)["Disagrees (25 cells)"].items) == 25
    assert listing.items[3][0].startswith("✗ attention/o3 forward")


def test_what_did_not_run_is_grouped_by_reason_and_counted():
    gone = [row(case=f"c{n}", status="absent", why="no gpu") for n in range(5)]
    gone[1] = replace(gone[1], option="causal")
    found = tables(*gone, row(status="missing", backend="jax"))["Missing and absent"].rows
    assert found == [
        ("absent", "torch", "5", "c0, c1/causal, c2 and 2 more: no gpu"),
        ("missing", "jax", "1", "attention: no reason given"),
    ]


def test_reasons_that_differ_in_numbers_only_are_one_and_long_ones_are_cut():
    gone = [row(mode=f"m{n}", status="absent", why=f"no kernel for node_{n} " + "x" * 200) for n in range(3)]
    ((_, _, cells, why),) = tables(*gone)["Missing and absent"].rows
    assert cells == "3" and why.startswith("attention: no kernel for node_0 x") and why.endswith("x …")
    assert tables(*gone, every=True)["Missing and absent"].rows[0][3].endswith("x" * 200)


def test_scores_are_shown_once_for_modes_and_dtypes_that_share_them():
    rows = [row(metric="accuracy", score=0.97312, mode=mode) for mode in ("eager", "compile")]
    found = tables(*rows, row(metric="accuracy", score=0.96, backend="numpy", contender="ref"))
    assert found["Scores of the trained models"].rows == [
        ("attention", row().contender, "eager, compile", "float32", "0.9731", "accuracy"),
        ("attention", "ref", "eager", "float32", "0.9600", "accuracy"),
    ]


def test_no_rows_no_report():
    with pytest.raises(ValueError, match="got no rows, should be at least one"):
        report.sections(frame(row()).iloc[:0])


# strangers' text


def test_no_text_steers_the_terminal_or_is_taken_for_markup():
    text = terminal(tables(row(status="error", why=EVIL, case=EVIL, contender=EVIL, run_id=EVIL)).values())
    assert "\x1b" not in text and "\u202e" not in text
    assert "[bold]b[/bold]" in text


def test_no_text_becomes_markdown_or_html():
    rows = (
        row(status="error", why=EVIL, case=EVIL, command=f"pytest {EVIL}"),
        row(status="absent", why=EVIL, mode="x"),
        timed(1.0, case=EVIL, contender=EVIL, unit=EVIL, mode=EVIL),
        row(status="limited", why=EVIL, source=EVIL, versions=EVIL, mode="y"),
    )
    text = markdown(tables(*rows, every=True).values())
    assert "<img" not in text and "\x1b" not in text and "](b)" not in text.replace("\\](b)", "")
    for line in text.splitlines():
        if line.startswith("|"):
            cells = re.split(r"(?<!\\)\|", line)
            assert len(cells) - 2 in (2, 4, 5, 8, 13), line


def test_escape_shows_every_character():
    assert escape("a|b `c` *d* <e> f_g _h_ [i] $j$ &k") == (
        r"a\|b \`c\` \*d\* &lt;e&gt; f_g \_h\_ \[i\] \$j\$ &amp;k"
    )
    assert plain("a\tb\x00c\x9bd\u2066e") == "a b�c�d�e"


@pytest.mark.parametrize(
    "text",
    [
        "rm -rf /",
        "pytest x; rm -rf /",
        "pytest $(id)",
        "pytest `id`",
        "pytest x | sh",
        "pytest 'x",
        "",
        "pytest x\nid",
    ],
)
def test_a_command_that_does_more_than_one_call_is_not_offered(text):
    assert command(text) == ""


def test_a_cells_own_command_is_offered_unwrapped():
    long = row(contender="torch.nn." + "x" * 120, status="error", why="x")
    own = row().command.replace(row().contender, long.contender)
    assert command(own) == own
    assert f"  {own}\n" in terminal(tables(long).values())


# the two faces


def test_markdown_and_terminal_show_the_same_tables():
    rows = (*grid(), timed(1e-3, mode="x"), row(status="disagrees", why="off", mode="y"))
    found = list(tables(*rows, every=True).values())
    text, page = terminal(found), markdown(found)
    for section in found:
        level = "#" * getattr(section, "level", 2)
        assert section.title in text and f"\n{level} {section.title}\n" in "\n" + page.replace("\\", "")
    assert "| linear | ≡   ≡   ✓23 ✓23 |" in page
    assert "numpy<br>float64 float32<br>fwd bwd fwd bwd" in page


def test_no_digit_of_a_table_that_is_too_wide_is_cut_off():
    figures = ("×1.5  24", "×2.13  24", "×~10 L22", "10.2 M timesteps/s")
    names = [f"backend-{number:02}" for number in range(4)]
    line = ("weighted-binary-cross-entropy with a longer name ←", *figures)
    wide = Table("Speeds", ("formula", *names), [line], right=names)
    printed = terminal([wide], width=76)
    assert all(figure in printed for figure in figures)
    assert "weighted" in printed and "←" in printed


def test_a_table_without_headings_has_none():
    assert "─" not in terminal([Table("t", ("", " "), [("a", "b")])])


# files


@pytest.fixture
def run(tmp_path):
    run = start(tmp_path / "local", MACHINE, ENVIRONMENT)
    for each in grid():
        run.append(each)
    run.append(timed(1e-3, case="lstm", direction="training", run_id="", machine="", environment=""))
    for backend in ("jax", "numpy"):
        run.curve({"case": "lstm", "backend": backend, "contender": f"$x_{backend}", "loss": [9.0, 1.0, 0.1]})
    return run


def test_the_report_is_written_beside_the_rows_with_its_drawings(run):
    text = report.write(run.folder).read_text()
    assert text.startswith("# Gaugeblock report\n") and "[Training](training.md)" in text
    assert "![Loss of lstm](curve-lstm.svg)" in (run.folder / "training.md").read_text()
    assert "Acme Three" in text and key(MACHINE) in text
    drawing = (run.folder / "curve-lstm.svg").read_text()
    assert "<svg" in drawing
    report.write(run.folder)
    assert (run.folder / "curve-lstm.svg").read_text() == drawing


def test_a_busy_machine_is_said_to_be_busy_among_the_findings_and_where_it_is_described(run, capsys):
    run.moment({"others_cores": 0.02, "cores": 2})
    assert "busy" not in report.text([run.folder])
    run.moment({"others_cores": 1.4, "cores": 2})
    said = "at 1 of 2 looks: other processes use 1.4 of 2 cores"
    for page in (report.text([run.folder]), report.write(run.folder).read_text()):
        assert f" The machine was busy {said}." in page.partition("\n## Agree")[0]
        assert f"\n| busy | {said} |\n" in page
    report.show([run.folder])
    lines = [line.strip() for line in capsys.readouterr().out.splitlines() if line.strip()]
    assert lines[0] == "Findings" and f"The machine was busy {said}" in " ".join(lines[:9])
    assert lines[lines.index("What ran") + 1].startswith("busy")


def test_the_page_of_several_seeds_says_busy_too(run):
    run.moment({"others_cores": 1.4, "cores": 2})
    table = seeds.sections(report.read([run.folder])[0], run.folder)[1]
    assert table.rows[0] == ("busy", "at 1 of 1 look: other processes use 1.4 of 2 cores")


def test_a_machine_is_told_with_its_sockets_top_frequency_and_governor():
    known = MACHINE | {"sockets": 2, "top_mhz": 3500, "governor": "powersave"}
    assert headers.machine_line(known, "k") == (
        "Acme Three, 2 cores in 2 sockets, up to 3500 MHz, governor powersave, 24 GiB, Linux 6 (k)"
    )
    assert headers.machine_line(MACHINE, "k") == "Acme Three, 2 cores, 24 GiB, Linux 6 (k)"


def test_several_folders_are_read_together(run, tmp_path):
    other = start(tmp_path / "there", MACHINE | {"cpu": "Other"}, ENVIRONMENT)
    other.append(row(machine="", environment=""))
    console = Console(file=io.StringIO(), width=100)
    report.show([run.folder, other.folder], console)
    assert "side by side" in console.file.getvalue() and "Other" in console.file.getvalue()
    assert "side by side" in report.text([run.folder, other.folder])


WORKER = {"backend": "torch", **ENVIRONMENT, "variables": {"OMP_NUM_THREADS": "2"}}


def worked(folder, run_environment=ENVIRONMENT, unrun=False, **capability):
    """A run's folder with a speed of each backend, whose worker has recorded its own environment.

    `unrun` adds a row of each that did not run, and so has the run's.
    """
    run = start(folder, MACHINE, run_environment)
    for backend, told in capability.items():
        worker = {**WORKER, "backend": backend, "flags": {"cpu_capability": told, "onednn": True}}
        run.worker(worker)
        own = {"run_id": folder.name, "machine": "", "backend": backend, "contender": f"{backend}.add"}
        run.append(timed(1e-3, **own, environment=key(worker)))
        if unrun:
            run.append(row(**own, mode="x", status="absent", why="none", environment=""))
    return run.folder


def test_the_workers_of_one_run_are_one_environment_and_stand_side_by_side(tmp_path):
    rows, machines, environments = report.read([worked(tmp_path, unrun=True, torch="AVX2", jax="AVX512")])
    assert set(report.setups(rows)["on"]) == {""}
    found = {each.title: each for each in report.sections(rows, machines, environments, every=True)}
    (line,) = found[speeds.FIRST].rows
    assert "×1" in line[3] and "×1" in line[4]
    assert dict(found["What ran"].rows)["environment"].startswith("Python 3.11.7, numpy 2.4.6")
    assert "side by side" not in dict(found["What ran"].rows)
    told = dict(found["Settings as the frameworks report them"].rows)
    assert told["torch"] == "cpu capability AVX2, onednn on, $OMP_NUM_THREADS 2"


@pytest.mark.parametrize(
    ("other", "letters"),
    [
        ({"torch": "AVX512", "jax": "AVX512"}, {""}),
        ({"torch": "AVX2", "jax": "AVX512"}, {"A", "B"}),  # a worker that was narrowed
        ({"jax": "AVX512"}, {""}),  # a run of fewer backends
        ({"torch": "AVX512", "run_environment": ENVIRONMENT | {"python": "3.12.1"}}, {"A", "B"}),
    ],
)
def test_runs_whose_workers_differ_are_told_apart(tmp_path, other, letters):
    both = {"torch": "AVX512", "jax": "AVX512"}
    folders = worked(tmp_path / "a", unrun=True, **both), worked(tmp_path / "b", **other)
    rows, machines, environments = report.read(folders)
    rows = report.setups(rows)
    assert set(rows["on"]) == letters
    assert (rows.groupby("run_id")["on"].nunique() == 1).all()
    header = dict(headers.header(rows, machines, environments).rows)
    told = "1 machine and 2 environments: times are absolute, and compared across them"
    assert header.get("side by side", told) == told and ("side by side" in header) == (len(letters) > 1)


def test_a_report_on_several_suites_says_so():
    def header(*suites):
        made = [row(suite=suite, seed=number) for number, suite in enumerate(suites)]
        return dict(headers.header(report.setups(frame(*made)), {}, {}).rows)

    assert header("0.1.0+gabc1234", "0.1.0+gabc1234")["suite"] == "0.1.0+gabc1234"
    assert header("0.1.0", "0.2.0", "0.2.0")["several suites"] == (
        "0.1.0: 1 cell; 0.2.0: 2 cells; versions may judge a cell differently"
    )
    assert header("", "0.2.0")["several suites"].startswith("not recorded: 1 cell; 0.2.0: 1 cell")
    assert "suite" not in header("")  # of before rows had it


def test_show_prints_at_100_columns(run, capsys):
    report.show([run.folder])
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 100


def test_rows_cost_a_report_the_same_few_calls_each_however_many_they_are(tmp_path):
    line = json.dumps(timed(1e-3).as_dict())

    def reported(count):
        file = tmp_path / f"{count}.jsonl"
        with file.open("w") as lines:
            for n in range(count):
                lines.write(line.replace('"seed": 0', f'"seed": {n}') + "\n")
        found = {each.title: each for each in report.sections(*report.read([file]), every=True)}
        assert dict(found["What ran"].rows)[f"{count:,} cells"] == f"agrees {count:,}"

    reported(10)  # what is made once
    few, more, many = (calls(reported, count) for count in (500, 2500, 4500))
    assert 0 < many - more < 2000 * 50  # some 11 here; a row taken from a frame by itself costs hundreds
    assert many - more == pytest.approx(more - few, rel=0.1)


def test_curves_without_numbers_are_left_out(tmp_path):
    bad = [{"case": "a"}, {"case": "b", "loss": "no"}, {"case": "c", "loss": []}]
    odd = {"case": "../x\x1b", "loss": [1, None, "2", 10**400, 3.0], "backend": "numpy"}
    (figure,) = curves.draw([*bad, odd], tmp_path)
    assert figure.file == "curve-x.svg" and [file.name for file in tmp_path.iterdir()] == ["curve-x.svg"]
    assert "\x1b" not in json.dumps(figure.title)


def test_two_drawings_never_share_a_file(tmp_path):
    found = curves.draw([{"case": "a b", "loss": [1.0]}, {"case": "a-b", "loss": [1.0]}], tmp_path)
    assert len({figure.file for figure in found}) == 2
