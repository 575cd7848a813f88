"""The sections of the report, from rows and records: pure functions from a DataFrame to tables."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from bench.report import findings
from bench.report.arithmetic import arithmetic as fingerprints
from bench.report.documents import ARITHMETIC, CELLS, SPEEDS, TRAINING, Document, Report
from bench.report.findings import limited, scores, unrun
from bench.report.growth import growth, panels
from bench.report.hardware import hardware
from bench.report.header import Records, header, setups
from bench.report.instruction_sets import instruction_sets
from bench.report.latency import latency, overhead
from bench.report.limits import gone, unneeded
from bench.report.opening import opening
from bench.report.overview import departing, verdict
from bench.report.prices import Prices
from bench.report.ratios import compare
from bench.report.read_back import read_back
from bench.report.roofs import roofs
from bench.report.speeds import detail, summary, throughput
from bench.report.table import Listing, Section
from bench.report.variants import conventions
from bench.report.workloads import speeds
from bench.store.row import sentence

if TYPE_CHECKING:
    from pandas import DataFrame

NONE = "report: got no rows, should be at least one; `gaugeblock run` makes them"
LEFT = (
    "The tables are made without these lines and records. Restore the files, or continue the run where it "
    "was interrupted: `pytest suites/ --results RUN`."
)


def report(
    rows: "DataFrame",
    machines: Records | None = None,
    environments: Records | None = None,
    *,
    every: bool = False,
    figures: Sequence[Section] = (),
    drawn: Sequence[Section] = (),
    kills: Sequence[Section] = (),
    prints: Sequence[Mapping[str, Any]] = (),
    moments: Sequence[Mapping[str, Any]] = (),
    reached: Sequence[Mapping[str, Any]] = (),
    left: Sequence[str] = (),
    plugins: Sequence[str] = (),
    prices: Prices | None = None,
) -> Report:
    """The report. `every` adds every contender of every workload, every verdict and every sentence.

    `figures` are loss curves, `drawn` is time over size, `kills` is the kill matrix, `left` lists what could
    not be read, and `plugins` are the backends that the user has named. Several machines or states of one
    are compared in "Hardware", in place of the throughput of one. A bad record costs only its own table.
    Raises ValueError if there are no rows.
    """
    if rows.empty:
        raise ValueError(NONE)
    lacking = [*rows.attrs.get("left", ()), *left]
    rows = setups(rows)
    timed = speeds(rows)
    across = compare(rows, prices)
    throughputs = throughput(timed) if len(across.states) < 2 else ()
    first = bool(timed["title"].eq("").all())  # no headline: its table of speeds is that of first sizes
    others = Document(
        SPEEDS, "Speeds", "every API and mode of every workload, what each call costs, and roofs",
        [
            *(() if first else summary(timed)),
            *latency(timed),
            *(own("roofs", lambda: roofs(reached), lacking) if every else []),
            *(detail(timed) if every else []),
        ],
    )  # fmt: skip
    cells = Document(
        CELLS, "Verdicts", "of every formula; what is known to depart; what did not run, and why",
        [
            *(verdict(rows) if every else []),
            *conventions(rows),
            *instruction_sets(rows),
            *limited(rows),
            *unrun(rows, every=every),
            *kills,
        ],
    )  # fmt: skip
    arithmetic = Document(
        ARITHMETIC, "Arithmetic", "bits of products and sums, and the settings that frameworks report",
        [
            *own("fingerprints", lambda: fingerprints(prints), lacking),
            *(own("environments", lambda: read_back(rows, environments or {}), lacking) if every else []),
        ],
    )  # fmt: skip
    training = Document(
        TRAINING, "Training", "the scores of trained models, and their losses", [*scores(rows), *figures]
    )
    shown = [Listing("Left out", [(each, "") for each in lacking], LEFT)] if lacking else []
    return Report(
        [
            (opening(rows, timed, machines or {}, moments), ""),
            *((each, "") for each in shown),
            *((each, CELLS) for each in departing(rows)),
            *((each, CELLS) for each in findings.departures(rows, every=every, plugins=plugins)),
            *((each, CELLS) for each in [*gone(rows, environments), *unneeded(rows, environments)]),
            *((each, "") for each in hardware(across, machines or {}, every=every)),
            *((each, SPEEDS) for each in [*throughputs, *(summary(timed) if first else ())]),
            *((each, SPEEDS) for each in overhead(timed)),
            *((each, "") for each in drawn),
            *((each, SPEEDS) for each in growth(panels(timed))),
            (header(rows, machines or {}, environments or {}, moments), ""),
        ],
        [others, cells, arithmetic, training],
    )


def sections(rows: "DataFrame", *records: Records | None, **options: Any) -> list[Section]:
    """The sections of the report in their order; takes and raises what `report` does."""
    return report(rows, *records, **options).sections


def own(name: str, table: Callable[[], Sequence[Section]], lacking: list[str]) -> Sequence[Section]:
    """The table made from records beside the rows, or a sentence if the records are invalid."""
    try:
        return table()
    except Exception as error:  # any kind, depending on what the file holds
        lacking.append(
            f"{name}: got records of another shape ({sentence(error)}), should be as a run writes them"
        )
        return ()
