"""The states that machines were measured in: what one column of a hardware comparison stands for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from bench.digits import count
from bench.report.overview import short
from bench.report.workloads import Line, split

if TYPE_CHECKING:
    from pandas import DataFrame

RUN = ["machine", "run_id"]  # strangers' files may use one run id on two machines
FACTS = [
    *RUN, "settings", "threads", "suite", "backend", "version", "package", "package_version", "on",
]  # fmt: skip


@dataclass(frozen=True)
class State:
    """A machine with its settings, threads, version of Gaugeblock and versions of frameworks.

    versions: by framework, and by package that provides an API.
    runs: the ids of the runs that were made in this state.
    on: the letters that a report gives to these runs; empty without a report.
    """

    machine: str
    settings: str
    threads: int
    suite: str
    versions: Mapping[str, str] = field(default_factory=dict)
    runs: tuple[str, ...] = ()
    on: str = ""

    def has(self, other: "State") -> bool:
        """Whether a run in the other state is a repeat of this one: a run may have fewer frameworks."""
        facts = ("machine", "settings", "threads", "suite")
        both = self.versions.keys() & other.versions.keys()
        return all(getattr(self, fact) == getattr(other, fact) for fact in facts) and all(
            self.versions[name] == other.versions[name] for name in both
        )


def states(rows: "DataFrame") -> list[State]:
    """The states of the runs, in the order of the rows."""
    found: list[State] = []
    facts = rows.filter(FACTS).drop_duplicates()
    facts = facts.assign(threads=facts["threads"].fillna(0))  # cells that did not run have none
    for mine in split(facts.to_dict("records"), *RUN).values():
        new = _state(mine)
        place = next((place for place, each in enumerate(found) if each.has(new)), None)
        if place is None:
            found.append(new)
        else:
            old = found[place]
            letters = dict.fromkeys(filter(None, f"{old.on}, {new.on}".split(", ")))
            found[place] = replace(
                old, versions={**new.versions, **old.versions}, runs=(*old.runs, *new.runs),
                on=", ".join(letters),
            )  # fmt: skip
    return found


def _state(rows: Sequence[Line]) -> State:
    """The state of one run. Its cells that did not run have no settings."""
    versions: dict[str, str] = {}
    for name, version in (("backend", "version"), ("package", "package_version")):
        for package, mine in split((row for row in rows if row[version] != ""), name).items():
            versions.setdefault(short(str(package)), _joined(mine, version))
    return State(
        str(rows[0]["machine"]), max(str(row["settings"]) for row in rows),
        max(int(row["threads"]) for row in rows), _joined(rows, "suite"), versions, (str(rows[0]["run_id"]),),
        _joined(rows, "on") if "on" in rows[0] else "",
    )  # fmt: skip


def _joined(rows: Sequence[Line], name: str) -> str:
    return ", ".join(dict.fromkeys(str(row[name]) for row in rows))


def differences(base: State, other: State) -> list[str]:
    """What is not the same in the other state, in words; on another machine other threads are no news."""
    found = []
    if base.machine == other.machine and base.threads != other.threads:
        found.append(f"{count(other.threads, 'thread')} instead of {base.threads}")
    if base.settings != other.settings:
        found.append(f"settings {other.settings or 'declared'} instead of {base.settings or 'declared'}")
    if base.suite != other.suite:
        found.append(f"suite {other.suite or 'not recorded'} instead of {base.suite or 'not recorded'}")
    for name in dict.fromkeys((*base.versions, *other.versions)):
        was, now = base.versions.get(name, ""), other.versions.get(name, "")
        if was and now and was != now:
            found.append(f"{name} {now} instead of {was}")
        elif was != now:
            found.append(f"{'with' if now else 'without'} {name}")
    return found


def names(found: Sequence[State]) -> list[str]:
    """A name for each state: its machine's key, and what tells it from others of that machine."""
    return [_name(each, [other for other in found if other.machine == each.machine]) for each in found]


def _name(state: State, others: Sequence[State]) -> str:
    facts = [
        (count(each.threads, "thread"), each.settings or "declared", each.suite or "suite not recorded")
        for each in (state, *others)
    ]
    own, *rest = facts
    parts = [fact for place, fact in enumerate(own) if any(each[place] != fact for each in rest)]
    for name in dict.fromkeys(name for each in others for name in each.versions):
        version = state.versions.get(name, "")
        if any(each.versions.get(name, "") != version for each in others):
            parts.append(f"{name} {version}" if version else f"without {name}")
    return ", ".join((state.machine, *parts))
