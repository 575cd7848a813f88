"""Tables and listings as values, and how they are printed: to a terminal (rich) and as Markdown.

Their text comes from rows files, which anybody may have written: control characters are made visible, and
no text is interpreted as markup.
"""

import codecs
import re
import shlex
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.store.row import plain

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

GLYPHS = {
    "agrees": "✓",
    "imprecise": "~",
    "limited": "L",
    "disagrees": "✗",
    "mistrusted": "?",
    "error": "!",
    "missing": "m",
    "absent": "–",
}
STYLES = {
    "✓": "green",
    "~": "yellow",
    "L": "cyan",
    "✗": "bold red",
    "?": "magenta",
    "!": "bold red",
    "–": "dim",
    "m": "dim",
    "·": "dim",
}

# what Markdown would interpret
LITERAL = str.maketrans(
    {each: f"\\{each}" for each in "\\`*|~[]$#!"} | {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
)

WIDTH = 100
# replacements of one character for encodings that lack the original, so that columns stay aligned
NEAREST = dict(zip("✓✗≡≤→←×–—−─…·µσ≈‘’“”\N{NO-BREAK SPACE}", "+x=<><x----..us~''\"\" ", strict=True))


@dataclass(frozen=True)
class Table:
    """Rows of text under a title. `right` names columns to align right, `tokens` those of signs.

    `wide` names columns for which a terminal has no room. `stacked`: in a terminal, what the first column
    holds is long, and stands on a line of its own above the others.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    right: Sequence[str] = ()
    tokens: Sequence[str] = ()
    wide: Sequence[str] = ()
    stacked: bool = False
    note: str = ""
    level: int = 2  # of its heading


@dataclass(frozen=True)
class Listing:
    """Sentences under a title, each with a command that reproduces it, or with none."""

    title: str
    items: Sequence[tuple[str, str]]
    note: str = ""


@dataclass(frozen=True)
class Figure:
    """A drawing in a file beside the report."""

    title: str
    file: str


Section = Table | Listing | Figure


def command(text: str) -> str:
    """The command if a shell would run one call of pytest or gaugeblock and nothing else; else empty."""
    try:
        words = shlex.split(text)
    except ValueError:
        return ""
    safe = words[:1] in (["pytest"], ["gaugeblock"]) and shlex.join(words) == text == plain(text)
    return text if safe else ""


def legible(stream: object) -> None:
    """Make a stream replace characters that its encoding lacks, so that writing never raises."""
    if reconfigure := getattr(stream, "reconfigure", None):
        reconfigure(errors="gaugeblock.nearest")


def console() -> "Console":
    """The terminal, at 100 columns, whatever its encoding."""
    from rich.console import Console

    legible(sys.stdout)
    return Console(width=WIDTH, highlight=False)


def show(sections: Iterable[Section], console: "Console") -> None:
    """Print the sections to a terminal."""
    from rich.text import Text

    from bench.report.breaking import Names

    for section in sections:
        console.print()
        _print(console, Names(plain(section.title), style="bold"))
        if isinstance(section, Table) and section.stacked:
            _print(console, _stacked(section, console.width))
        elif isinstance(section, Table):
            console.print(_rich(section))
        elif isinstance(section, Listing):
            for text, how in section.items:
                _print(console, _tokens(plain(text)))
                if how:  # on one line, however long, so that it can be copied
                    console.print(Text(f"  {how}", style="dim"), soft_wrap=True)
        else:
            console.print(Text(plain(section.file)), soft_wrap=True)
        if note := getattr(section, "note", ""):
            _print(console, Names(plain(note), style="dim"))


def _print(console: "Console", text: "Text") -> None:
    """Print the text line by line: rich joins what it is given, and forgets where names may be broken."""
    for line in text.wrap(console, console.width):
        line.rstrip()
        console.print(line)


def markdown(sections: Iterable[Section]) -> str:
    """The sections as GitHub's Markdown."""
    parts: list[str] = []
    for section in sections:
        parts.append(f"{'#' * getattr(section, 'level', 2)} {escape(section.title)}")
        if isinstance(section, Table):
            parts.append(_pipes(section))
        elif isinstance(section, Listing):
            parts += [
                f"- {escape(text)}" + (f"\n\n      {how}" if how else "") for text, how in section.items
            ]
        else:
            parts.append(f"![{escape(section.title)}]({section.file})")
        if note := getattr(section, "note", ""):
            parts.append(escape(note))
    return "\n\n".join(parts) + "\n"


def escape(text: str) -> str:
    """The text, escaped so that Markdown shows it literally; an underscore inside a word needs no escape."""
    return re.sub(r"(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])", r"\\_", plain(text).translate(LITERAL))


def _rich(table: Table) -> "object":
    from rich import box
    from rich import table as rich_table

    shown = rich_table.Table(
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
        show_edge=False,
        show_header=any(name.strip() for name in table.columns),
    )
    whole = {*table.right, *table.tokens} or {table.columns[0]}  # columns that must not be wrapped
    fitting = [at for at, name in enumerate(table.columns) if name not in table.wide]
    columns = [table.columns[at] for at in fitting]
    for name in columns:
        shown.add_column(
            _lines(name),
            justify="right" if name in table.right else "left",
            no_wrap=name in whole,
            overflow="fold",
        )
    for row in table.rows:
        shown.add_row(
            *(
                _tokens(plain(text)) if name in table.tokens else _lines(text)
                for name, text in zip(columns, (row[at] for at in fitting), strict=True)
            )
        )
    return shown


def _stacked(table: Table, width: int) -> "Text":
    """The table with the first cell of each row on a line of its own, above the others."""
    from rich.cells import cell_len

    from bench.report.breaking import Names

    fitting = [at for at, name in enumerate(table.columns) if name not in table.wide]
    (first, *titles), *columns = zip(
        *([plain(row[at]) for at in fitting] for row in (table.columns, *table.rows)), strict=True
    )
    widths = [max(map(cell_len, column)) for column in columns]
    gap = "  " if sum(widths) + 2 * len(widths) <= width else " "
    head, *lines = (
        "".join(gap + " " * (most - cell_len(text)) + text for most, text in zip(widths, row, strict=True))
        for row in zip(*columns, strict=True)
    )
    found = [first, head, "─" * min(len(head), width)]
    for title, line in zip(titles, lines, strict=True):
        found += [title, line]
    return Names("\n".join(found))


def _lines(text: str) -> "Text":
    from bench.report.breaking import Names

    return Names("\n".join(plain(line) for line in text.split("\n")))


def _tokens(text: str) -> "Text":
    from bench.report.breaking import Names

    found = Names()
    for word in re.split(r"(\s+)", text):
        found.append(word, style=STYLES.get(word[:1], ""))
    return found


def _pipes(table: Table) -> str:
    def line(cells: Iterable[str]) -> str:
        return "| " + " | ".join(cells) + " |"

    def cell(text: str) -> str:
        return "<br>".join(escape(each) for each in text.split("\n"))

    rule = ["---:" if name in table.right else "---" for name in table.columns]
    rows = [line(map(cell, row)) for row in table.rows]
    return "\n".join([line(map(cell, table.columns)), line(rule), *rows])


def _nearest(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    return "".join(NEAREST.get(char, "?") for char in lacking), error.end


codecs.register_error("gaugeblock.nearest", _nearest)
