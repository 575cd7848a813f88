"""The header of a report: the machines and environments of its rows, and a count of statuses."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from bench.digits import count
from bench.machine.load_average import busiest
from bench.report.overview import ordered
from bench.report.states import RUN, states
from bench.report.table import Table
from bench.store.row import COLUMNS, STATUSES

if TYPE_CHECKING:
    from pandas import DataFrame

Records = Mapping[str, Mapping[str, Any]]  # by key

SETUP = ["machine", "run_environment", "given", "settings", "state", "turn"]
WORKER = ["backend", "device", "dtype"]  # in one run these rows share an environment


def setups(rows: "DataFrame") -> "DataFrame":
    """The rows with a column `on`: a letter for each machine, environment, settings and version of the suite.

    `run_environment` is the key of the run's own environment record, which stands for all its workers. Runs
    with the same key whose workers differ have another `turn`.
    """
    rows = rows.filter([*COLUMNS, "run_environment"])  # a column of a later version may have any name
    if "run_environment" not in rows:
        met = rows.groupby("run_id", observed=True)["environment"].transform("max")
        rows = rows.assign(run_environment=met)
    runs = rows.groupby("run_id", observed=True)
    rows = rows.assign(
        given=runs["threads"].transform("max").fillna(0),
        settings=runs["settings"].transform("max").astype(str),  # cells that did not run have none
    )
    place = {(each.machine, run): number for number, each in enumerate(states(rows)) for run in each.runs}
    rows = rows.assign(state=[place[key] for key in zip(*(rows[name] for name in RUN), strict=True)])
    ran = rows["environment"].where(rows["environment"] != rows["run_environment"])
    same = rows.groupby([*SETUP[:-1], *WORKER], observed=True)
    turns = ran.groupby(same.ngroup()).transform(lambda keys: keys.factorize()[0])
    rows = rows.assign(turn=turns.groupby(rows["run_id"], observed=True).transform("max").clip(lower=0))
    number = rows.groupby(SETUP, sort=False, observed=True, dropna=False).ngroup()
    letters = [chr(65 + each) if each < 26 else f"#{each + 1}" for each in range(number.nunique())]
    on = [letters[each] for each in number] if len(letters) > 1 else ""
    return rows.drop(columns="state").assign(on=on).reset_index(drop=True)


def header(
    rows: "DataFrame",
    machines: Records,
    environments: Records,
    moments: Sequence[Mapping[str, Any]] = (),
) -> Table:
    """Where the rows come from and a count of statuses; the first line says if the machine was busy."""
    lines = [("busy", noise)] if (noise := busiest(moments)) else []
    lines += _suites(rows)
    found = rows[["on", "machine", "run_environment", "turn"]].drop_duplicates()
    if len(found) > 1:
        around = found[["run_environment", "turn"]].drop_duplicates()
        several = [count(found["machine"].nunique(), "machine"), count(len(around), "environment")]
        lines.append(
            ("side by side", f"{' and '.join(several)}: times are absolute, and compared across them")
        )
    for kind, column, records, written in (
        ("machine", "machine", machines, machine_line),
        ("environment", "run_environment", environments, environment_line),
    ):
        for key, group in found.groupby(column, sort=False):
            lines.append(
                (f"{kind} {', '.join(group['on'])}".strip(), written(records.get(str(key), {}), str(key)))
            )
    given = rows[["on", "given", "settings"]].drop_duplicates()
    if given["given"].nunique() > 1:
        lines.append(
            ("threads", ", ".join(f"{on}: {number}" for on, number, _ in given.itertuples(index=False)))
        )
    if given["settings"].any():
        told = (f"{on}: {words or 'declared'}" for on, _, words in given.itertuples(index=False))
        lines.append(("settings", ", ".join(each.removeprefix(": ") for each in told)))
    runs = rows["run_id"].drop_duplicates().tolist()
    lines.append(
        ("run", runs[0] if len(runs) == 1 else f"{count(len(runs), 'run')}: {runs[0]} to {runs[-1]}")
    )
    seeds = sorted(rows["seed"].dropna().unique().tolist())
    shown = [str(seed) for seed in seeds] if len(seeds) < 9 else [str(seeds[0]), "…", str(seeds[-1])]
    lines.append((count(len(seeds), "seed"), ", ".join(shown)))
    counts = rows["status"].value_counts()
    ends = [f"{status} {counts[status]:,}" for status in ordered(counts.index.tolist(), tuple(STATUSES))]
    lines.append((count(len(rows), "cell"), ", ".join(ends)))
    if len(seeds) > 1:
        lines.append(("false alarms", alarms(rows)))
    return Table("What ran", ("", " "), lines)


def _suites(rows: "DataFrame") -> list[tuple[str, str]]:
    """The version of Gaugeblock that made the rows; if there are several, the cells of each."""
    made = rows.groupby("suite", sort=False, observed=True)
    if len(made) == 1:
        return [("suite", str(suite)) for suite, _ in made if suite]
    told = (
        f"{suite or 'not recorded'} {', '.join(filter(None, group['on'].unique()))}".strip()
        + f": {count(len(group), 'cell')}"
        for suite, group in made
    )
    return [("several suites", f"{'; '.join(told)}; versions may judge a cell differently")]


def alarms(rows: "DataFrame") -> str:
    """The number of false alarms among cells without a planted fault, and an upper bound of their rate.

    The bound is Clopper and Pearson's, one-sided at 95 %. A cell with a Limit has a known
    cause and is no alarm; a cell that did not run does not count.
    """
    from scipy.special import betaincinv

    judged = int(rows["status"].isin(("agrees", "imprecise", "disagrees", "mistrusted")).sum())
    false = int(rows["status"].isin(("disagrees", "mistrusted")).sum())
    most = float(betaincinv(false + 1, judged - false, 0.95)) if false < judged else 1.0
    rate = f"{false / max(judged, 1):.2g} a cell, at most {most:.1g} (95 %)"
    return f"{false:,} of {count(judged, 'cell')} that should agree: {rate}"


def machine_line(record: Mapping[str, Any], key: str) -> str:
    """A machine in one line. Its record may come from anybody."""
    try:
        return _machine(record, key)
    except (TypeError, ValueError):
        return f"recorded in an unknown form ({key})"


def processor(record: Mapping[str, Any]) -> str:
    """The CPU of a machine and its cores; empty if they are not recorded."""
    try:
        return ", ".join(_processor(record)) if record.get("cpu") else ""
    except (AttributeError, TypeError, ValueError):
        return ""


def _processor(record: Mapping[str, Any]) -> list[str]:
    parts = [str(record.get("cpu", "not recorded"))]
    if cores := record.get("cores"):
        sockets = record.get("sockets") or 1
        parts.append(count(int(cores), "core") + (f" in {sockets} sockets" if sockets != 1 else ""))
    return parts


def _machine(record: Mapping[str, Any], key: str) -> str:
    parts = _processor(record)
    if top := record.get("top_mhz"):
        parts.append(f"up to {top} MHz")
    if governor := record.get("governor"):
        parts.append(f"governor {governor}")
    if memory := record.get("memory_gib"):
        parts.append(f"{memory} GiB")
    parts += [_card(card) for card in record.get("gpus") or () if isinstance(card, Mapping)]
    parts += [str(record["os"])] if record.get("os") else []
    return f"{', '.join(parts)} ({key})"


def cards(record: Mapping[str, Any]) -> list[str]:
    """The names of the GPUs of a machine. Its record may come from anybody."""
    found = record.get("gpus")
    listed = found if isinstance(found, list) else []
    return [str(each.get("name")) for each in listed if isinstance(each, Mapping)]


def _card(card: Mapping[str, Any]) -> str:
    memory = (
        f" {card['memory_gib']} GiB" if card.get("memory_gib") else ""
    )  # unknown where it is shared with the CPU
    return f"{card.get('name')}{memory} (driver {card.get('driver')})"


def environment_line(record: Mapping[str, Any], key: str) -> str:
    packages = record.get("packages")
    versions = dict(packages) if isinstance(packages, Mapping) else {}
    named = (
        "numpy", "scipy", "torch", "tensorflow", "tensorflow-cpu", "keras", "jax", "flax", "optax",
        "transformers",
    )  # fmt: skip
    parts = [f"Python {record.get('python', 'not recorded')}"]
    parts += [f"{name} {versions[name]}" for name in named if name in versions]
    pools = record.get("pools")
    for pool in pools if isinstance(pools, list) else ():
        if isinstance(pool, Mapping) and pool.get("user_api") == "blas":
            parts.append(f"{pool.get('internal_api')} {pool.get('version')}")
    variables = record.get("variables")
    for name, value in variables.items() if isinstance(variables, Mapping) else ():
        parts.append(f"${name} {value}")
    return f"{', '.join(dict.fromkeys(parts))} ({key})"
