"""Where a terminal's lines are broken: between words; a name that is too wide, behind a dot or the like."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len, chop_cells
from rich.text import Text

if TYPE_CHECKING:
    from rich.console import Console
    from rich.containers import Lines

BEHIND = "._/"  # a name may be broken behind these; one without, behind a hyphen, else anywhere


class Names(Text):
    """Text whose names stay whole where they fit on a line, and else are broken where they can be read."""

    def wrap(self, console: "Console", width: int, **options: Any) -> "Lines":
        """The lines of the text, as rich makes them of words that fit."""
        at = list(breaks(self.plain, width))
        whole = Text("\n").join(self.divide(at)) if at else self.copy()
        return whole.wrap(console, width, **options)


def breaks(text: str, width: int) -> Iterator[int]:
    """Where to begin a line in front of and inside each word that is wider than a line.

    >>> list(breaks("see torch.nn.functional.gelu", 12))
    [4, 13, 24]
    >>> list(breaks("see torch.nn", 12))
    []
    """
    for word in re.finditer(r"\S+", text):
        start, end = word.span()
        if cell_len(word[0]) > width and start and text[start - 1] != "\n":
            yield start
        while cell_len(text[start:end]) > width:
            fits = next(iter(chop_cells(text[start:end], width)), "")
            behind = max(fits.rfind(sign) for sign in BEHIND) + 1 or fits.rfind("-") + 1
            start += behind or len(fits) or 1
            yield start
