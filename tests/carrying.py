"""Spreads that elements share, beside those of many draws of each element: at every headline's reduced size.

``python -m tests.carrying`` prints, for each tensor, how far the shared spread of an element is from its own.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from unittest import mock

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from bench import noise, pages
from bench.case import Headline
from bench.cells.cell import Cell
from bench.size import spelled
from bench.tolerance import carried
from bench.tolerance.expected import formulas
from bench.tolerance.spread import spread
from bench.tree import Tree

Array = NDArray[np.float64]
HOW: dict[str, Any] = {"dtype": "float32", "accumulator": "float32"}
U = noise.precision("float32").u

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
    "transformer": {
        "batch": 2,
        "source": 12,
        "target": 12,
        "heads": 4,
        "width": 12,
        "hidden": 96,
        "layers": 2,
    },
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
    """A tensor's shared spreads and limits over those of many draws, of the elements that rounding moves.

    spreads: of each element, over its own.
    limits: of each element, over the limit that its own spread has if it is known from 30 draws.
    rejected: how many elements would be rejected if errors were normal with their own spreads.
    moved: whether the same elements are moved.
    draws: from how many the tensor says that its spreads are known.
    """

    spreads: Array
    limits: Array
    rejected: float
    moved: bool
    draws: int

    def within(self, share: float) -> float:
        return float(np.mean(np.abs(np.log(self.spreads)) <= np.log1p(share)))

    @property
    def scatter(self) -> float:
        return float(np.sqrt(np.mean(np.square(np.log(self.spreads)))))


def beside(cell: Cell, draws: int = noise.FULL, seeds: int = 4) -> dict[str, Beside]:
    """For each tensor the shared spread from so many draws, over that of `seeds` × 30 draws."""
    found = {}
    for prefix, function, trees in formulas(cell):
        shared = few(function, trees, draws)
        many = [spread(function, trees, seed=seed, **HOW) for seed in range(seeds)]
        for path, one in shared.items():
            value = many[0][path].value
            own = np.sqrt(np.mean([np.square(each[path].sigma) for each in many], axis=0))
            got = one.expected(value)
            both = (own > 0) & (got.sigma > 0)
            if both.any():
                true, mine, last = own[both], got.sigma[both], U * np.abs(value[both])
                limit = noise.multiple(value.size, got.draws) * mine + last
                found[f"{prefix}{path}"] = Beside(
                    mine / true,
                    limit / (noise.multiple(value.size) * true + last),
                    float(2 * norm.sf(limit / true).sum()),
                    np.array_equal(own > 0, got.sigma > 0),
                    got.draws,
                )
    return found


def few(function: Callable[..., Tree], trees: tuple[Tree, ...], draws: int) -> dict[str, carried.Carried]:
    """What elements share, from so many draws: 3, 6 or 30."""
    every = noise.layouts("float32", alone=True)
    layouts = {runs: each for runs, each in every.items() if each.full == draws}
    with mock.patch.object(noise, "layouts", lambda dtype, alone: layouts):
        return carried.few(function, trees, seed=99, **HOW)


def main(names: list[str]) -> None:
    print(
        "draws, elements, spreads: within 20 %, rms log, least, most; limits: median, least; rejected; known"
    )
    for name in names or pages.cases():
        for headline in pages.case(name).headlines:
            for draws in (3, 6, 30):
                for path, one in beside(cell_of(name, headline), draws).items():
                    print(
                        f"{name:26}{path[:44]:45}{draws:3} {one.spreads.size:6}{100 * one.within(0.2):5.0f} %"
                        f"{one.scatter:9.2g}{one.spreads.min():9.2g}{one.spreads.max():9.2g}"
                        f"{np.median(one.limits):9.2g}{one.limits.min():9.2g}{one.rejected:9.0e}"
                        f"{one.draws:4}{'' if one.moved else ' others moved'}",
                        flush=True,
                    )


if __name__ == "__main__":
    main(sys.argv[1:])
