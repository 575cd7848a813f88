"""The settings that each framework reported in its worker, from the environment records."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from bench.report.header import Records
from bench.report.table import Table

if TYPE_CHECKING:
    from pandas import DataFrame

Told = dict[str, dict[str, str]]  # by backend, then by name


def told(keys: Iterable[Any], environments: Records) -> Told:
    """The settings in the records with these keys, by backend; several values if workers differ."""
    found: dict[str, dict[str, list[str]]] = {}
    for key in keys:
        record = environments.get(str(key), {})
        if isinstance(backend := record.get("backend"), str):
            mine = found.setdefault(backend, {})
            for name, value in _flat(record).items():
                mine.setdefault(name, []).append(value)
    return {
        backend: {name: " or ".join(dict.fromkeys(values)) for name, values in mine.items()}
        for backend, mine in found.items()
    }


def read_back(rows: "DataFrame", environments: Records) -> list[Table]:
    """One line per backend, and per machine or environment if there are several."""
    lines = []
    for on, group in rows.groupby("on", sort=True):
        for backend, values in told(group["environment"].unique(), environments).items():
            words = (f"{_spaced(name)} {value}" for name, value in values.items() if value)
            lines.append((f"{backend} {on}".strip(), ", ".join(words)))
    return (
        [Table("Settings as the frameworks report them", ("backend", "in its worker"), lines)]
        if lines
        else []
    )


def _flat(record: Mapping[str, Any]) -> dict[str, str]:
    """Flags, then variables as a shell writes them. The record may come from anybody."""
    found = {}
    for part, sign in (("flags", ""), ("variables", "$")):
        told = record.get(part)
        for name, value in told.items() if isinstance(told, Mapping) else ():
            found[f"{sign}{name}"] = _text(value)
    return found


def _spaced(name: str) -> str:
    return name if name.startswith("$") else name.replace("_", " ")


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, list):
        return " + ".join(map(_text, value))
    return "" if value is None else str(value)
