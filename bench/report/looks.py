"""What frameworks and verdicts look like in every drawing: names, colours and shapes, as in the pages.

Colours of verdicts are never those of frameworks, and nothing is told by its colour alone.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import cycle

from bench.report.overview import short

INK, SOFT, LINE, RING = "#1a2127", "#55616b", "#dcdfdc", "#cf8a00"  # ring: around a known departure

# the ground of a verdict; one that says nothing has none
VERDICTS = {
    "agrees": "#cfe0e7", "limited": "#f7c566", "imprecise": "#efe29f", "disagrees": "#c8341a",
    "error": "#c8341a",
}  # fmt: skip
WRONG = ("disagrees", "error")
# what a status is called by those who do not know the rows, and its sign
WORDS = {
    "agrees": ("agrees", "✓"),
    "limited": ("known departure", "◐"),
    "imprecise": ("imprecise", "≈"),
    "disagrees": ("disagrees", "✗"),
    "error": ("failed", "!"),
    "mistrusted": ("no verdict", "?"),
    "missing": ("not written", "∅"),
    "absent": ("not offered", "–"),
}


@dataclass(frozen=True)
class Look:
    """A framework's name, its colour, and its shape as matplotlib calls it."""

    name: str
    color: str
    marker: str


FRAMEWORKS = {
    "numpy": Look("NumPy", "#46525b", "s"),
    "torch": Look("PyTorch", "#b8357a", "o"),
    "tensorflow": Look("TensorFlow", "#0a66b0", "^"),
    "jax": Look("JAX", "#0b7f5b", "D"),
}
OTHERS = (("#6d4fb0", "P"), ("#7a5c3e", "X"), ("#00798c", "v"), ("#5c6b00", "p"))


def looks(backends: Iterable[str]) -> dict[str, Look]:
    """The look of each of these backends: of the four frameworks always the same."""
    others = cycle(OTHERS)
    return {
        each: FRAMEWORKS.get(each) or Look(short(each), *next(others)) for each in dict.fromkeys(backends)
    }
