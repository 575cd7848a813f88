"""Spreads that elements share, beside those of many draws of each element: at every headline's reduced size.

``python -m tests.carrying`` prints, for each tensor, how far the shared spread of an element is from its own.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from bench import pages
from bench.case import Headline
from bench.cells.cell import Cell
from bench.size import spelled
from bench.tolerance import carried
from bench.tolerance.expected import formulas
from bench.tolerance.spread import spread

# dimensions that differ from the headline's, so that many draws of each element take a second or two
REDUCED = {
    "adam": {"features": 60, "outputs": 100},
    "attention": {"heads": 3, "time": 48, "keys": 48, "width": 32},
    "batch-gradient-descent": {"rows": 600},
    "cnn-training": {"image": 12, "kernels": (8, 16), "width": 32, "batch": 8},
    "conv2d": {"batch": 2, "height": 14, "width": 14, "channels": 12, "kernels": 16},
    "embedding-bag": {"bags": 64, "vocabulary": 500, "width": 50},
    "gradient-descent": {"rows": 1000},
    "layer-norm": {"batch": 2, "time": 32, "width": 96},
    "linear-regression": {"rows": 1563},
    "lstm": {"batch": 8, "time": 20, "hidden": 32},
    "lstm-model": {"batch": 8, "time": 20, "hidden": 32},
    "max-pool": {"batch": 2, "height": 28, "width": 28, "channels": 16},
    "multi-head-attention": {"batch": 2, "heads": 3, "time": 32, "keys": 32, "width": 16},
    "perceptron": {"batch": 64, "widths": (100, 64, 10)},
    "skip-gram-training": {"batch": 64, "vocabulary": 300, "width": 50},
    "sparse-cross-entropy": {"batch": 16, "classes": 1000},
    "transformer": {"batch": 2, "source": 12, "target": 12, "heads": 4, "width": 12, "hidden": 96, "layers": 2},
    "transformer-encoder-layer": {"batch": 2, "time": 24, "heads": 3, "width": 16, "hidden": 96},
}


def cell_of(name: str, headline: Headline) -> Cell:
    """The cell of a headline at its reduced size."""
    case = pages.case(name)
    size = spelled({**case.sizes[headline.size], **REDUCED[name]})
    option, regime = headline.option or next(iter(case.options)), next(iter(case.regimes))
    return Cell(name, option, regime, size, "", "", "", "", "float32", "")


@dataclass(frozen=True)
class Beside:
    """A tensor's shared spreads over its elements' own, of those that rounding moves."""

    shape: tuple[int, ...]
    ratios: np.ndarray
    moved: bool  # whether the same elements are moved
    draws: int

    def within(self, share: float) -> float:
        return float(np.mean(np.abs(np.log(self.ratios)) <= np.log1p(share))) if self.ratios.size else 1.0

    @property
    def scatter(self) -> float:
        return float(np.sqrt(np.mean(np.square(np.log(self.ratios))))) if self.ratios.size else 0.0


def beside(cell: Cell, seeds: int = 4) -> Iterator[tuple[str, str, Beside]]:
    """For each tensor, and for sigma and sigma1: the shared spread over that of `seeds` × 30 draws."""
    for prefix, function, trees in formulas(cell):
        how = {"dtype": "float32", "accumulator": "float32"}
        few = carried.few(function, trees, seed=99, **how)
        many = [spread(function, trees, seed=seed, **how) for seed in range(seeds)]
        for path, one in few.items():
            got = one.expected(many[0][path].value)
            for field in ("sigma", "sigma1"):
                own = np.sqrt(np.mean([np.square(getattr(each[path], field)) for each in many], axis=0))
                mine = getattr(got, field)
                both = (own > 0) & (mine > 0)
                shared = getattr(one, field)
                yield f"{prefix}{path}", field, Beside(
                    own.shape, mine[both] / own[both], np.array_equal(own > 0, mine > 0), shared.draws
                )


def main(names: list[str]) -> None:
    for name in names or pages.cases():
        for headline in pages.case(name).headlines:
            for path, field, found in beside(cell_of(name, headline)):
                low, high = (found.ratios.min(), found.ratios.max()) if found.ratios.size else (1, 1)
                print(
                    f"{name:26}{path[:44]:45}{field:7}{str(found.shape):20}"
                    f"{100 * found.within(0.2):4.0f} %{100 * found.within(0.25):4.0f} %{found.scatter:6.3f}"
                    f"{low:7.2f}{high:7.2f} {found.draws}{'' if found.moved else ' moved differ'}",
                    flush=True,
                )


if __name__ == "__main__":
    main(sys.argv[1:])
