"""The report at the end of a run: written beside the rows, or a sentence that says why not."""

import os
from pathlib import Path

import pytest

from bench import pages
from bench.report import write as report
from bench.store.results import start
from tests.rows import ENVIRONMENT, MACHINE, row


@pytest.fixture
def folder(tmp_path, monkeypatch):
    few = {"attention": pages.case("attention")}
    monkeypatch.setattr(pages, "cases", lambda: few)
    run = start(tmp_path, MACHINE, ENVIRONMENT)
    run.append(row())
    return run.folder


def test_a_report_that_was_written_needs_no_sentence(folder):
    assert report.kept(folder) == "" and (folder / "report.md").is_file()


def test_a_report_that_cannot_be_written_is_a_sentence(folder, monkeypatch):
    (folder / "report.md").mkdir()
    told = report.kept(folder)
    assert told.startswith("report ") and "got Is a directory, should be written; " in told
    (folder / "report.md").rmdir()

    def refuse(self, *how, **more):
        raise OSError(30, "Read-only file system", str(self))  # root may write everywhere

    monkeypatch.setattr(Path, "write_text", refuse)
    assert "got Read-only file system, should be written; `gaugeblock report " in report.kept(folder)
    assert not os.path.exists(folder / "report.md")
