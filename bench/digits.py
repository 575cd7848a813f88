"""Formats numbers for people: only significant digits, and unit prefixes in place of exponents."""

import math

PREFIXES = {-9: "n", -6: "µ", -3: "m", 0: "", 3: "k", 6: "M", 9: "G", 12: "T", 15: "P"}


def digits(value: float, half: float = math.nan, most: int = 3) -> str:
    """`value` up to the first digit that an interval of ± `half` leaves uncertain, at most `most` digits.

    Without an interval it has two digits. If even the first digit is uncertain, a ~ comes before it.

    >>> digits(123.4, 0.2), digits(123.4, 30), digits(0.0123, 0.0002), digits(3.4, 20), digits(1.234)
    ('123', '120', '0.0123', '~3', '1.2')
    """
    if not math.isfinite(value):
        return ""
    if value == 0:
        return "0"
    if not 1e-15 < abs(value) < 1e18:
        return magnitude(value)
    first = math.floor(math.log10(abs(value)))
    last = first - 1
    if 2 * half == math.inf:
        return f"~{_to(value, first)}"
    if half >= 0:  # the interval spans at most ten units of the last digit
        open_digit = math.ceil(math.log10(2 * half)) - 1 if half > 0 else first - most
        last = min(max(open_digit, first - most + 1), first)
        if open_digit > first:
            return f"~{_to(value, last)}"
    return _to(value, last)


def scaled(value: float, half: float = math.nan) -> str:
    """`value` formatted by `digits`, with a unit prefix: ``1.2 M``, ``340 µ``, ``7``."""
    if not (math.isfinite(value) and value):
        return digits(value)
    power = math.floor(math.log10(abs(value)) / 3) * 3
    power = min(max(power, min(PREFIXES)), max(PREFIXES))
    text = digits(value / 10.0**power, half / 10.0**power)
    if text.lstrip("~") == "1000" and power < max(PREFIXES):  # rounding carried
        power, text = power + 3, text.replace("1000", "1.00" if half < value / 100 else "1")
    return f"{text} {PREFIXES[power]}".rstrip()


def seconds(value: float, half: float = math.nan) -> str:
    """A duration: ``12.3 ms``."""
    text = scaled(value, half)
    if not text:
        return ""
    return f"{text}s" if text[-1].isalpha() or text[-1] == "µ" else f"{text} s"


def magnitude(value: float) -> str:
    """A ratio of any order of magnitude: ``0.4``, ``17``, ``3e8``."""
    if not math.isfinite(value):
        return ""
    if value == 0 or 0.01 <= abs(value) < 10_000:
        return digits(value)
    return (
        "inf" if value > 1e300 else f"{value:.0e}".replace("e+0", "e").replace("e-0", "e-").replace("e+", "e")
    )


def count(number: int, noun: str = "", plural: str = "") -> str:
    """``1,234 cells``, ``1 cell``."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}" if noun else f"{number:,}"


def _to(value: float, last: int) -> str:
    return f"{round(value, -last):.{max(-last, 0)}f}"
