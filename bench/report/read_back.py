"""What each framework read back in its worker, by the environment records of rows."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from bench.report.header import Records
from bench.report.table import Table

if TYPE_CHECKING:
    from pandas import DataFrame

Told = dict[str, dict[str, str]]  # by backend, then by name


def told(keys: Iterable[Any], environments: Records) -> Told:
    """What the records of these keys say of each backend; several values where its workers differ."""
    found: dict[str, dict[str, list[str]]] = {}
    for key in keys:
        record = environments.get(str(key), {})
        if isinstance(name := record.get("backend"), str):
            mine = found.setdefault(name, {})
            for each, value in _flat(record).items():
                mine.setdefault(each, []).append(value)
    return {name: {each: " or ".join(dict.fromkeys(values)) for each, values in mine.items()}
            for name, mine in found.items()}  # fmt: skip


def read_back(rows: "DataFrame", environments: Records) -> list[Table]:
    """A line a backend, and a machine or environment where there are several."""
    lines = []
    for on, group in rows.groupby("on", sort=True):
        for name, values in told(group["environment"].unique(), environments).items():
            words = (f"{_spaced(each)} {value}" for each, value in values.items() if value)
            lines.append((f"{name} {on}".strip(), ", ".join(words)))
    return [Table("What the frameworks read back", ("backend", "in its worker"), lines)] if lines else []


def _flat(record: Mapping[str, Any]) -> dict[str, str]:
    """Flags, then variables as a shell has them; nothing of what somebody else may have written otherwise."""
    flags, variables = (
        found if isinstance(found := record.get(part), Mapping) else {} for part in ("flags", "variables")
    )
    return {str(name): _text(value) for name, value in flags.items()} | {
        f"${name}": _text(value) for name, value in variables.items()
    }


def _spaced(name: str) -> str:
    return name if name.startswith("$") else name.replace("_", " ")


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, list):
        return " + ".join(map(_text, value))
    return "" if value is None else str(value)
