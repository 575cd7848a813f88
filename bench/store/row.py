"""The Row: the outcome of one cell, stored as one JSON object per line. This file documents the columns."""

import hashlib
import os
import re
import sys
import unicodedata
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from bench.cache import folder as cache

STATUSES = {
    "agrees": "every element is inside the limit derived for it",
    "imprecise": "outside the derived limit, inside the worst case of any order of summation",
    "limited": "a known departure: the page has a Limit with its reason, source and measured size",
    "disagrees": "outside every limit: the row's `why` says where and by how much",
    "mistrusted": "the check would not have detected a fault in this cell, so there is no verdict",
    "error": "the contender or the check raised an exception",
    "missing": "the page has no build for this backend yet",
    "absent": "this machine or framework lacks the device, dtype or option; `why` says which",
}

# the statuses that may have a speed, and the columns that hold one
TIMED = ("agrees", "imprecise", "limited")
SPEEDS = ("median_s", "low_s", "high_s", "throughput")

# columns added after the first release, by date: older rows lack them
EDITIONS = (
    (
        "tier", "compile_s", "ratio", "ratio_low", "ratio_high", "series", "cpu_s", "sets", "bytes", "share",
        "peak_bytes", "device_peak_bytes", "energy_j",
    ),
    ("settings",),
    ("limit",),
    ("suite", "package", "package_version", "isa"),
    ("issue_s", "cache", "sm_mhz", "power_w", "throttled"),
    ("judged", "repeats", "input_set"),
    ("spread", "doubling", "bound"),
    ("bits_lost", "got", "expected", "allowed"),
    (
        "schema", "row_id", "since", "source_package", "source_path", "source_line", "source_issue",
        "explained_low", "explained_high", "timed_with",
    ),
    ("departed_low", "departed_high"),
)  # fmt: skip

# the version of what the columns mean; `bench.store.migrate` turns older rows into it. A new column does not
# raise it
MEANING = 2

# the columns that identify a cell of a run
CELL = (
    "run_id", "case", "option", "regime", "size", "contender", "backend", "mode", "device", "dtype",
    "direction", "seed",
)  # fmt: skip

# starts the `why` of a cell that the framework was known to refuse and now computes
GONE = "a refusal is gone"


def _column(doc: str, default: Any = None) -> Any:
    return field(default=default, metadata={"doc": doc})


@dataclass(frozen=True, kw_only=True)
class Row:
    """The outcome of one cell. Raises ValueError for an unknown status, or a speed without agreement."""

    run_id: str = _column("the run: its UTC start time and machine key", "")
    schema: int = _column("version of what the columns mean; 1 in rows from before it was written", 1)
    row_id: str = _column(
        "the first 16 hexadecimal digits of the SHA-256 of run_id, case, option, regime, size, contender, "
        "backend, mode, device, dtype, direction and seed, joined by /; samples.jsonl has it too",
        "",
    )
    time: str = _column("when the row was finished, UTC, ISO 8601", "")
    machine: str = _column("hash of the machine record beside the rows", "")
    environment: str = _column("hash of the worker's environment record beside the rows", "")
    suite: str = _column(
        "Gaugeblock's version; in a git checkout also the commit, and dirty if files have changed", ""
    )
    case: str = _column("the formula: a page of suites/", "")
    option: str = _column("the named option of the formula", "")
    regime: str = _column("how the inputs were drawn", "")
    size: str = _column("the named size", "")
    contender: str = _column("the public API that ran", "")
    backend: str = _column("the framework", "")
    version: str = _column("the framework's version", "")
    package: str = _column("the package that provides the API: optax, keras or the framework itself", "")
    package_version: str = _column("the version of that package", "")
    mode: str = _column("eager, or how it was compiled", "")
    device: str = _column("cpu or gpu", "")
    dtype: str = _column("float64, float32, …", "")
    direction: str = _column("forward, gradient or training", "")
    seed: int = _column("random seed of the inputs", 0)
    tier: str = _column("idiomatic (what most people write), tuned, or vendor kernel", "")
    threads: int | None = _column("number of threads that the framework reports")
    isa: str = _column(
        "widest CPU instruction set that the framework reports using: sse4, avx2 or avx512", ""
    )
    precision: str = _column("declared precision of products and sums", "")
    settings: str = _column(
        "as shipped: the framework's default threads and precision; at most avx2: no wider instructions",
        "",
    )
    accumulator: str = _column(
        "dtype in which sums accumulate, and whether TF32 was used; below float32 it is inferred: the widest "
        "that explains the errors",
        "",
    )
    lane: str = _column(
        "semantics (float64), native (rounding of the dtype) or exact (whole numbers, zero tolerance)", ""
    )
    status: str = _column("one of: " + ", ".join(STATUSES), "")
    why: str = _column(
        "one sentence if the status is not agrees, or if the framework no longer refuses the cell", ""
    )
    limit: str = _column("the name of the cell's Limit in suites/limits/<page>.py", "")
    source: str = _column("evidence for that Limit: a file and line, or an issue", "")
    versions: str = _column("the package that causes that Limit, and the releases that were measured", "")
    since: str = _column("the first release known to depart so, where that is known", "")
    source_package: str = _column("the package that causes that Limit", "")
    source_path: str = _column("the first file that `source` names, as in its package", "")
    source_line: int | None = _column("the line of that file")
    source_issue: str = _column("the first issue that `source` names: owner/repository#number", "")
    explained_low: float | None = _column("the least z_rms that the Limit explains in this cell")
    explained_high: float | None = _column("the largest")
    departed_low: float | None = _column(
        "least z_rms of the sets of inputs on which a cell with a Limit departs; `limits --measure` takes it"
    )
    departed_high: float | None = _column("the largest")
    bits: float | None = _column(
        "effective bits: -log2 rms(error / spread per unit roundoff); if the cell fails, of what fails"
    )
    bits_lost: float | None = _column("significant bits of the dtype that are not effective: its bits - bits")
    z_rms: float | None = _column(
        "largest ratio of rms error to rms rounding error over the tensors; must be below 2 above 30 elements"
    )
    z_worst: float | None = _column("largest ratio of an element's error to its limit; must be at most 1")
    worst: str = _column("tensor and index of the worst element", "")
    got: float | None = _column("what the contender gave there")
    expected: float | None = _column("what it should be: the reference in more precision than the dtype")
    allowed: float | None = _column("the limit there: the largest error that rounding explains")
    judged: str = _column(
        "number of input sets whose outputs were judged; reordered: further ones have the same examples in "
        "another order",
        "",
    )
    spread: str = _column(
        "how the limits were derived: own (every element has draws of its own) or shared (a headline's "
        "elements share few draws)",
        "",
    )
    repeats: int | None = _column(
        "calls compared bit by bit with the first call on the same inputs; on a GPU, those that differ are "
        "judged"
    )
    input_set: int | None = _column("the further set of inputs that bits and z are of; empty for the first")
    undecided: int | None = _column("decisions (max, comparisons) that rounding error could change")
    first_call_s: float | None = _column("seconds of the first call, including compilation")
    compile_s: float | None = _column("seconds of tracing and compiling, if the framework reports them")
    median_s: float | None = _column("steady state: median seconds per call")
    low_s: float | None = _column("lower end of the median's 95 % interval, seconds")
    high_s: float | None = _column("upper end of the median's 95 % interval, seconds")
    ratio: float | None = _column("time relative to the fastest of the workload: median of per-round ratios")
    ratio_low: float | None = _column("lower end of the ratio's 95 % interval")
    ratio_high: float | None = _column("upper end of the ratio's 95 % interval")
    timed_with: str = _column(
        "the other contenders of its rounds, each with its mode, joined by semicolons; empty if it was alone",
        "",
    )
    series: str = _column(
        "the series of samples: steady, drifting or multi-modal; imprecise: the ratio is not known to 5 %", ""
    )
    cpu_s: float | None = _column("steady state: median seconds of the process's CPU time per call")
    issue_s: float | None = _column(
        "median seconds per call until the loop of calls returned, where calls return before they are done; "
        "the rest of median_s is waiting"
    )
    doubling: float | None = _column(
        "by what part twice the work would take longer, from this and the next smaller size that was timed"
    )
    bound: str = _column(
        "what limits the time: dispatch (twice the work takes less than a fifth longer, or issuing takes "
        "more than half), else compute or memory, by the roofline",
        "",
    )
    samples: int | None = _column("number of samples, one per round")
    calls: int | None = _column("number of calls in a sample")
    sets: int | None = _column("number of input sets that the calls rotate through")
    cache: str = _column(
        "whether input sets and weights fit in the last-level cache: hot if they do, cold from three times "
        "its size, else partly",
        "",
    )
    residue_s: float | None = _column("seconds to read one output element after the wait returned")
    throughput: float | None = _column("items per second at the median")
    unit: str = _column("what the items are", "")
    flops: float | None = _column("floating-point operations of a call, from the formula")
    gflops: float | None = _column("10^9 flops per second at the median")
    bytes: float | None = _column("least bytes that a call moves: inputs read and outputs written once")
    share: float | None = _column("share of the roofline: shortest possible time here over the median time")
    peak_bytes: int | None = _column("peak host memory of a call, above what the worker held before")
    device_peak_bytes: int | None = _column("peak device memory of a call")
    sm_mhz: float | None = _column(
        "median SM clock of an NVIDIA GPU, under this load just before each sample"
    )
    power_w: float | None = _column("median power of the whole card at the same moments, watts")
    throttled: str = _column("why the clock was throttled at those moments, as the driver names it", "")
    energy_j: float | None = _column("joules per call of the whole card; with --energy, on NVIDIA")
    metric: str = _column("the metric of a trained model", "")
    score: float | None = _column("its value")
    checksum: str = _column("CRC-32 of the outputs", "")
    command: str = _column("the command that reproduces this cell, with the options of its run", "")

    def __post_init__(self) -> None:
        if found := unlawful(vars(self)):
            column, got, should = found
            raise ValueError(f"row {self.case}: {column} is {got}, should {should}")

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def unlawful(row: Mapping[str, Any]) -> tuple[str, str, str] | None:
    """The invalid column of a row, what it holds and what it should be; None for a valid row."""
    if row["schema"] > MEANING:
        return "schema", str(row["schema"]), f"be at most {MEANING}; a newer Gaugeblock wrote and reads it"
    status = row["status"]
    if status not in STATUSES:
        return "status", repr(status), f"be one of {', '.join(STATUSES)}"
    speed = next((name for name in SPEEDS if row[name] is not None), "")
    if speed and status not in TIMED:
        return speed, f"a speed with status {status!r}", f"only be given with {', '.join(TIMED)}"
    return None


def row_id(run: str, cell: Mapping[str, Any]) -> str:
    """The `row_id` of a cell, given by its columns, in a run."""
    text = "/".join((run, *(str(cell[name]) for name in CELL[1:])))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


COLUMNS: dict[str, str] = {column.name: column.metadata["doc"] for column in fields(Row)}


def plain(text: str) -> str:
    """The text on one line; terminal control and bidirectional characters are replaced by visible ones."""
    if text.isprintable():  # nearly all: reports have thousands of texts
        return text
    return "".join(
        " " if char in "\n\r\t" else "�" if unicodedata.category(char) in ("Cc", "Cf", "Co", "Cs") else char
        for char in text
    )


def anonymous(text: str) -> str:
    """The text with the private paths of this machine replaced: rows are published."""
    for path, short in (
        (str(cache()), "<cache>"),
        (sys.prefix, "<env>"),
        (sys.base_prefix, "<python>"),
        (os.getcwd(), "."),
        (str(Path.home()), "~"),
    ):
        if len(path) > 1:
            text = text.replace(path + os.sep, short + "/")
    return text


def sentence(error: BaseException) -> str:
    """An exception on one line, short enough for a table."""
    text = re.sub(
        r"/[^\s\"']*/(?=[^/\s]+/[^/\s]+\.py)", "", " ".join(str(error).split())
    )  # rows are published: no private paths
    if len(text) > 300:
        text = f"{text[:100]} … {text[-200:]}"  # a framework's own message often comes last
    return f"{type(error).__name__}: {text}".rstrip(": ")
