"""Monte-Carlo rounding: what rounding alone does to a formula, by running the formula as it is written."""

from bench.noise.array import Noisy, noisy, pack, rows
from bench.noise.rounding import (
    CONTRARY,
    EXACT_SUMS,
    FULL,
    NOISY,
    ROWS,
    P,
    Rounding,
    multiple,
    precision,
    under,
)

__all__ = [
    *("CONTRARY", "EXACT_SUMS", "FULL", "NOISY", "ROWS", "Noisy", "P", "Rounding"),
    *("multiple", "noisy", "pack", "precision", "rows", "under"),
]
