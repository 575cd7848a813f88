"""The machine: it makes Rows out of Cases and Backends, and reads them back. It knows no formula."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from os import PathLike

    import pandas


def load(path: str | PathLike[str]) -> pandas.DataFrame:
    """The rows of a file, a run's folder, or all runs below a folder, in the columns of `bench.row`."""
    from bench.rows import load  # pandas takes half a second, and most of bench needs none of it

    return load(path)
