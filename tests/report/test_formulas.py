"""What formulas are, in words, beside the rows."""

import json

import pytest

from bench import pages
from bench.report.formulas import FILE, about, keep, kept
from bench.report.write import write
from tests.report.test_compare import run
from tests.rows import row


def test_every_formula_has_its_words():
    for name, case in pages.cases().items():
        found = about(name)
        assert found["title"] == case.title and set(found["options"]) == set(case.options)
    assert about("layer-norm")["sizes"]["gpt2"] == "batch 8, time 1024, width 768"


def test_a_run_keeps_what_its_formulas_are(tmp_path):
    folder = run(tmp_path / "run", row(case="layer-norm"))
    write(folder)
    assert json.loads((folder / FILE).read_text()) == {"layer-norm": about("layer-norm")}
    assert kept([folder]) == {"layer-norm": about("layer-norm")}


def test_a_formula_that_no_page_has_is_told_by_its_run(tmp_path):
    folder = run(tmp_path / "run", row(case="strange"))
    words = about("strange") | {"title": "A strange formula", "options": {"plain": "as it is", "bad": 3}}
    (folder / FILE).write_text(json.dumps({"strange": words, "other": 3}))
    assert kept([folder])["strange"]["title"] == "A strange formula"
    assert kept([folder])["strange"]["options"] == {"plain": "as it is"} and "other" not in kept([folder])


@pytest.mark.parametrize("text", ["", "[1]", "{", "null", "[" * 100_000])
def test_a_file_that_is_none_of_ours_says_nothing(tmp_path, text):
    folder = run(tmp_path / "run", row())
    (folder / FILE).write_text(text)
    assert kept([folder]) == {}


def test_words_are_written_as_utf_8(tmp_path):
    assert "×" in keep(tmp_path, [name for name in pages.cases() if "×" in str(about(name))]).read_text(
        "utf-8"
    )
