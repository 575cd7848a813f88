"""Numbers as the data of the pages has them."""

from collections.abc import Sequence
from typing import Any

DIGITS = 5  # of a number in the data
HUGE = 1e300  # rows hold the largest number there is where the error has no limit

Values = dict[str, Any]


def short_number(value: Any) -> Any:
    """A number with the digits that a page shows; None for what JSON lacks; other values as they are."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, float):
        return value.item() if hasattr(value, "item") else value
    if value != value:
        return None
    if abs(value) > HUGE:
        return "inf" if value > 0 else "-inf"
    return float(f"{value:.{DIGITS}g}")


def short_numbers(values: Sequence[float]) -> list[Any]:
    """`short_number` of each."""
    return [
        None if each != each else float(f"{each:.{DIGITS}g}") if abs(each) <= HUGE else short_number(each)
        for each in values
    ]
