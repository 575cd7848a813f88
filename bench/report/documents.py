"""The Markdown files of a run's report: a short first one, and what it has no room for beside it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bench.digits import count
from bench.report.table import Figure, Section, Table, markdown
from bench.store.results import REPORT

LONGEST = 300  # lines of the first file
MOST, STEP = 120, 4  # rows of a table in it, at most; how many fewer at a time until it is short enough
ITEM = 4  # lines of a sentence with its command, for one of a row
SPEEDS, CELLS, ARITHMETIC, TRAINING = "speeds.md", "cells.md", "arithmetic.md", "training.md"


@dataclass(frozen=True)
class Document:
    """A file beside the first one. `about` is what the first one says of it."""

    file: str
    title: str
    about: str
    sections: Sequence[Section]


@dataclass(frozen=True)
class Report:
    """All sections of a report.

    first: those of the first file, each with the file that has it whole if it must be cut; none if it is
        never cut.
    documents: the other files, in their order; those without sections are not written.
    """

    first: Sequence[tuple[Section, str]]
    documents: Sequence[Document]

    @property
    def sections(self) -> list[Section]:
        """All of them, in one row."""
        rest = (section for document in self.documents for section in document.sections)
        return [*(section for section, _ in self.first), *rest]


def files(report: Report) -> dict[str, str]:
    """The text of each file by its name, the first file last. That has at most `LONGEST` lines."""
    most = MOST
    while True:
        shown = [(_cut(section, most, file) if file else section) for section, file in report.first]
        whole = [pair for pair, part in zip(report.first, shown, strict=True) if pair[0] is not part]
        others = [
            replace(each, sections=[*(one for one, file in whole if file == each.file), *each.sections])
            for each in report.documents
        ]
        others = [each for each in others if each.sections]
        text = f"# Gaugeblock report\n\n{markdown(shown)}{_links(others)}"
        if text.count("\n") <= LONGEST or most <= STEP:
            break
        most -= STEP
    back = f"Part of [the report]({REPORT}).\n\n"
    return {each.file: f"# {each.title}\n\n{back}{markdown(each.sections)}" for each in others} | {
        REPORT: text
    }


def _cut(section: Section, most: int, file: str) -> Section:
    """The section with at most so many rows, and a note that says where the rest is."""
    if isinstance(section, Figure):
        return section
    whole = section.rows if isinstance(section, Table) else section.items
    most = most if isinstance(section, Table) else max(most // ITEM, 1)
    if len(whole) <= most:
        return section
    note = f"{count(len(whole) - most, 'more line')} in {file}. {section.note}".rstrip()
    if isinstance(section, Table):
        return replace(section, rows=section.rows[:most], note=note)
    return replace(section, items=section.items[:most], note=note)


def _links(documents: Sequence[Document]) -> str:
    lines = [f"- [{each.title}]({each.file}): {each.about}" for each in documents]
    return "\n".join(["\n## Where the rest is\n", *lines, ""]) if lines else ""
