"""The Row: one cell's outcome, one JSON object a line. The columns are documented here and nowhere else."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

STATUSES = {
    "agrees": "every element is inside the limit derived for it",
    "imprecise": "outside the derived limit, inside the worst case of any order of summation",
    "limited": "a known departure: the case has a Limit with reason, source and measured size",
    "disagrees": "outside every limit: the row's `why` says where and by how much",
    "mistrusted": "the check itself could not see a fault here, so it says nothing",
    "error": "the contender, or the check, raised",
    "missing": "no page has a build for this backend yet",
    "absent": "no such framework, device, dtype or option here; `why` says which",
}

# statuses beside which a speed may stand, and what says one
TIMED = ("agrees", "imprecise", "limited")
SPEEDS = ("median_s", "low_s", "high_s", "throughput")

# columns that joined after the first rows, together and in this order: a row of before lacks them
EDITIONS = (
    (
        "tier", "compile_s", "ratio", "ratio_low", "ratio_high", "series", "cpu_s", "sets", "bytes", "share",
        "peak_bytes", "device_peak_bytes", "energy_j",
    ),
    ("settings",),
    ("limit",),
    ("suite", "package", "package_version", "isa"),
    ("issue_s", "cache", "sm_mhz", "power_w", "throttled"),
)  # fmt: skip

# begins the why of a cell that the framework was known to refuse, and does not
GONE = "a refusal is gone"


def _column(doc: str, default: Any = None) -> Any:
    return field(default=default, metadata={"doc": doc})


@dataclass(frozen=True, kw_only=True)
class Row:
    """One cell's outcome. Raises ValueError for an unknown status, or a speed without agreement."""

    run_id: str = _column("the run: UTC start time and machine key", "")
    time: str = _column("when the row was finished, UTC, ISO 8601", "")
    machine: str = _column("hash of the machine record beside the rows", "")
    environment: str = _column("hash of the worker's environment record beside the rows", "")
    suite: str = _column(
        "Gaugeblock's version, with the commit of a checkout, dirty where that has changes", ""
    )
    case: str = _column("the formula: a page of suites/", "")
    option: str = _column("the named option of the formula", "")
    regime: str = _column("how the inputs were drawn", "")
    size: str = _column("the named size", "")
    contender: str = _column("the public API that ran", "")
    backend: str = _column("the framework", "")
    version: str = _column("the framework's version", "")
    package: str = _column("the distribution that brings the API: optax, keras, the framework's own", "")
    package_version: str = _column("its version", "")
    mode: str = _column("eager, or how it was compiled", "")
    device: str = _column("cpu, gpu", "")
    dtype: str = _column("float64, float32, …", "")
    direction: str = _column("forward, gradient or training", "")
    seed: int = _column("seed of the inputs", 0)
    tier: str = _column("idiomatic, tuned or vendor kernel: how far from what most people write", "")
    threads: int | None = _column("threads the worker was given, as read back")
    isa: str = _column(
        "widest instruction set of the CPU that the framework says it uses: sse4, avx2 or avx512", ""
    )
    precision: str = _column("declared precision of products and sums", "")
    settings: str = _column(
        "as shipped: threads and precision are the framework's own; at most avx2: no wider instruction set",
        "",
    )
    accumulator: str = _column(
        "dtype of sums, inferred below float32, and whether TF32 was used: the widest that explains the row",
        "",
    )
    lane: str = _column(
        "semantics (float64), native (the dtype's own rounding) or exact (whole numbers, no tolerance)", ""
    )
    status: str = _column("one of: " + ", ".join(STATUSES), "")
    why: str = _column("one sentence where the status is not agrees, or where a refusal is gone", "")
    limit: str = _column("the name of the Limit that its page has for it, in suites/limits/<page>.py", "")
    source: str = _column("of that Limit: the file and line, or the thread, that shows why", "")
    versions: str = _column("of that Limit: the package at fault, and its releases that were measured", "")
    bits: float | None = _column("effective bits: -log2 rms(error / spread per unit roundoff)")
    z_rms: float | None = _column("worst tensor's rms error over rms rounding; gated at 2 above 30 elements")
    z_worst: float | None = _column("worst element's error over its limit; the gate is 1")
    worst: str = _column("tensor and index of the worst element", "")
    undecided: int | None = _column("choices (max, comparisons) that rounding could turn")
    first_call_s: float | None = _column("first call, seconds, compilation included")
    compile_s: float | None = _column("of it tracing and compiling, seconds, where the framework says so")
    median_s: float | None = _column("steady state: median seconds a call")
    low_s: float | None = _column("lower end of the median's 95 % interval, seconds")
    high_s: float | None = _column("upper end of the median's 95 % interval, seconds")
    ratio: float | None = _column("to the fastest of the workload: median of the ratios round by round")
    ratio_low: float | None = _column("lower end of the ratio's 95 % interval")
    ratio_high: float | None = _column("upper end of the ratio's 95 % interval")
    series: str = _column(
        "of the samples: steady, drifting or multi-modal; imprecise where the ratio is not known to 5 %", ""
    )
    cpu_s: float | None = _column("steady state: median seconds of the process's CPU time a call")
    issue_s: float | None = _column(
        "median seconds a call until the loop of calls returned; the rest of median_s was waited for"
    )
    samples: int | None = _column("samples taken, one a round")
    calls: int | None = _column("calls in a sample")
    sets: int | None = _column("sets of inputs that went round")
    cache: str = _column(
        "where they lie with the weights: hot in the last level of cache, cold from three times its size on, "
        "partly between",
        "",
    )
    residue_s: float | None = _column("seconds to read one element after the claimed end")
    throughput: float | None = _column("items a second at the median")
    unit: str = _column("what the items are", "")
    flops: float | None = _column("floating-point operations of a call, from the formula")
    gflops: float | None = _column("10^9 flops a second at the median")
    bytes: float | None = _column("bytes that a call moves at least: inputs read and outputs written once")
    share: float | None = _column("of the roofline: the least time this machine could take, over the median")
    peak_bytes: int | None = _column("host memory of a call at its peak, over what the worker held before")
    device_peak_bytes: int | None = _column("device memory of a call at its peak")
    sm_mhz: float | None = _column(
        "median SM clock of an NVIDIA GPU, under this load just before each sample"
    )
    power_w: float | None = _column("median power of the whole card then, watts")
    throttled: str = _column("what held its clock down then, in the driver's words", "")
    energy_j: float | None = _column("energy of a call, joules, of the whole card: with --energy, on NVIDIA")
    metric: str = _column("what a trained model was scored by", "")
    score: float | None = _column("the score")
    checksum: str = _column("CRC-32 of the outputs", "")
    command: str = _column("the command that reproduces this cell, with the options of its run", "")

    def __post_init__(self) -> None:
        if found := unlawful(vars(self)):
            column, got, should = found
            raise ValueError(f"row {self.case}: {column} is {got}, should {should}")

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def unlawful(row: Mapping[str, Any]) -> tuple[str, str, str] | None:
    """The column in which a row breaks a law, what it is there and what it should; None for an honest row."""
    status = row["status"]
    if status not in STATUSES:
        return "status", repr(status), f"be one of {', '.join(STATUSES)}"
    speed = next((name for name in SPEEDS if row[name] is not None), "")
    if speed and status not in TIMED:
        return speed, f"a speed beside status {status!r}", f"stand beside {', '.join(TIMED)} only"
    return None


COLUMNS: dict[str, str] = {column.name: column.metadata["doc"] for column in fields(Row)}


def plain(text: str) -> str:
    """The text in one line; a character that would steer a terminal or turn the writing becomes visible."""
    return "".join(
        " " if char in "\n\r\t" else "�" if unicodedata.category(char) in ("Cc", "Cf", "Co", "Cs") else char
        for char in text
    )


def sentence(error: BaseException) -> str:
    """An exception in one line, short enough for a table."""
    text = re.sub(
        r"/[^\s\"']*/(?=[^/\s]+/[^/\s]+\.py)", "", " ".join(str(error).split())
    )  # rows are published
    if len(text) > 300:
        text = f"{text[:100]} … {text[-200:]}"  # a framework's own message often comes last
    return f"{type(error).__name__}: {text}".rstrip(": ")
