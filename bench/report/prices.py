"""What machines draw and cost: a TOML file that whoever publishes a comparison writes."""

import math
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

KEYS = ("watt", "price_per_hour", "currency", "note")


@dataclass(frozen=True)
class Price:
    """What a machine draws in watts and costs an hour; NaN where the file does not say."""

    watt: float = math.nan
    per_hour: float = math.nan
    currency: str = ""
    note: str = ""


Prices = Mapping[str, Price]  # by machine key


def of(prices: Prices, machine: str) -> Price:
    """The price of a machine by its key; an empty one if the file has none."""
    return prices.get(machine, Price())


def read(file: str | os.PathLike[str]) -> dict[str, Price]:
    """The prices of a TOML file by machine key.

    Each table is named by a machine's key, or by its folder in results/, which ends with the key; it has
    watt, price_per_hour with currency, or both, and may have a note. Raises OSError for a file that cannot
    be read, and ValueError for one that is malformed.
    """
    try:
        found = tomllib.loads(Path(file).read_text(encoding="utf-8"))
    except UnicodeDecodeError:
        raise ValueError(f"prices {file}: got bytes that are not UTF-8, should be a TOML file") from None
    except ValueError as error:  # of TOML, or of a number of thousands of digits
        raise ValueError(f"prices {file}: got {error}, should be TOML") from None
    prices: dict[str, Price] = {}
    for name, entry in found.items():
        key = key_of(name)
        if key in prices:
            raise ValueError(f"prices {file}: got machine {key} twice, should be there once; delete one")
        prices[key] = _price(f"prices {file}, {name}", entry)
    return prices


def key_of(name: str) -> str:
    """The key at the end of the name of a machine's folder; other names are keys themselves."""
    found = re.search(r"(?:^|-)([0-9a-f]{8})$", name)
    return found[1] if found else name


def _price(where: str, entry: Any) -> Price:
    if not isinstance(entry, dict):
        raise ValueError(
            f"{where}: got {entry!r}, should be a table: a machine's key in brackets, below it "
            f"{', '.join(KEYS)}"
        )
    if unknown := [each for each in entry if each not in KEYS]:
        raise ValueError(f"{where}: got {unknown[0]}, should be one of {', '.join(KEYS)}")
    for name, most in (("currency", 8), ("note", 200)):
        if not isinstance(text := entry.get(name, ""), str) or len(text) > most:
            raise ValueError(
                f"{where}: got {name} {str(text)[:20]!r}, should be a text of at most {most} characters"
            )
    found = Price(
        _number(where, entry, "watt"), _number(where, entry, "price_per_hour"),
        entry.get("currency", "").strip(), entry.get("note", "").strip(),
    )  # fmt: skip
    if math.isfinite(found.per_hour) != bool(found.currency):
        got, lacking = (
            ("price_per_hour", "currency") if not found.currency else ("currency", "price_per_hour")
        )
        raise ValueError(f"{where}: got {got} without {lacking}, should have both; add {lacking}")
    if math.isnan(found.watt) and math.isnan(found.per_hour):
        raise ValueError(f"{where}: got neither watt nor price_per_hour, should have one of them at least")
    return found


def _number(where: str, entry: Mapping[str, Any], name: str) -> float:
    """A number above zero; NaN if there is none. TOML knows inf, nan and whole numbers of any length."""
    value = entry.get(name, math.nan)
    if name not in entry:
        return value
    if type(value) in (int, float) and 0 < value < 1e300:
        return float(value)
    shown = "a number too large" if type(value) is int and value > 0 else repr(value)
    raise ValueError(f"{where}: got {name} {shown}, should be a number above 0")
