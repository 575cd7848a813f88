"""Adds speeds to rows: the timing, its checks, and its ratio to the fastest contender."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from bench import pages
from bench.cells.cell import Cell
from bench.contender.prepare import find
from bench.size import dims
from bench.speed.roofline import Roof, impossible, limiting, share
from bench.speed.rounds import BRIEF, Sampled, best, narrow
from bench.speed.timing import Timing, middle, ratio
from bench.speed.work import flops
from bench.store.row import GONE, TIMED, Row

SETTLED = (
    "status",
    "why",
    "limit",
    "source",
    "versions",
    "since",
    "source_package",
    "source_path",
    "source_line",
    "source_issue",
    "explained_low",
    "explained_high",
    "departed_low",
    "departed_high",
    "bits",
    "bits_lost",
    "z_rms",
    "z_worst",
    "worst",
    "got",
    "expected",
    "allowed",
    "checksum",
    "judged",
)


ABOVE = "faster than the machine: "


def with_speeds(
    rows: Mapping[Cell, Row],
    found: Mapping[Cell, Sampled],
    roof: Callable[[Row], Roof | None] = lambda row: None,
    smaller: Callable[[Cell], tuple[float, float] | None] = lambda cell: None,
    precision: float = BRIEF.precision,
) -> dict[Cell, Row]:
    """The rows of one workload with their speeds; an error row for a speed that could not be measured.

    `roof` gives the peak rates of a row's device, or None if they were not measured. `smaller` gives the
    flops and seconds of the same contender at a smaller size, or None. `precision` is that of the ratios.
    """
    done = {
        cell: under(roof(rows[cell]), with_speed(rows[cell], cell, sampled, smaller(cell)), cell)
        for cell, sampled in found.items()
    }
    timings = {cell: found[cell][0] for cell, row in done.items() if row.median_s is not None}
    if timings:
        first = best(timings)  # type: ignore[arg-type]
        for cell, timing in timings.items():
            found_ratio = ratio(timing, timings[first])  # type: ignore[arg-type]
            middle_, low, high = found_ratio
            others = "; ".join(f"{other.contender} {other.mode}" for other in timings if other != cell)
            done[cell] = replace(done[cell], ratio=middle_, ratio_low=low, ratio_high=high, timed_with=others)
            if not narrow(found_ratio, precision):
                series = [each for each in (done[cell].series, "imprecise") if each != "steady"]
                done[cell] = replace(done[cell], series=", ".join(series))
    return done


def with_speed(row: Row, cell: Cell, sampled: Sampled, smaller: tuple[float, float] | None = None) -> Row:
    """The row with its timing. Its status and bits become those of the outputs of the timed calls."""
    if isinstance(sampled, str):
        return replace(row, status="error", why=sampled)
    timing, timed = sampled
    if timing.fault:
        return replace(row, status="error", why=timing.fault)
    if timed["status"] not in TIMED:
        return replace(
            row, status="error", why=f"what the timed calls gave {timed['status']}: {timed['why']}"
        )
    settled = {name: timed[name] for name in SETTLED}
    settled["why"] = timed["why"] or (row.why if row.why.startswith(GONE) else "")  # still worth reporting
    case = pages.case(cell.case)
    given = {**dims(case, cell.size), **case.options[cell.option]}
    low, high = timing.interval_s
    twice = doubling(flops(cell), timing.median_s, *smaller) if smaller else None
    # a gradient or training step is compiled for the verdict: that call was the first, not the timed one
    first = timing if cell.direction == "forward" else row
    return replace(
        row,
        **settled,
        repeats=(row.repeats or 0) + (timed["repeats"] or 0) or None,
        first_call_s=first.first_call_s,
        compile_s=first.compile_s,
        median_s=timing.median_s,
        low_s=low,
        high_s=high,
        cpu_s=timing.cpu_s,
        issue_s=timing.issue_s,
        doubling=twice,
        bound=DISPATCH if dispatched(timing, twice, cell.device) else "",
        series=timing.series,
        samples=len(timing.samples),
        calls=timing.calls,
        sets=timing.sets,
        cache=timing.cache,
        sm_mhz=middle(timing.sm_mhz),
        power_w=middle(timing.power_w),
        throttled=", ".join(
            dict.fromkeys(each for said in timing.throttled for each in said.split(", ") if each)
        ),
        residue_s=timing.residue_s,
        throughput=float(case.items(**given)) / timing.median_s,
        unit=case.unit,
        flops=flops(cell),
        gflops=flops(cell) / timing.median_s / 1e9,
        bytes=timing.bytes,
        peak_bytes=timing.peak_bytes,
        device_peak_bytes=timing.device_peak_bytes,
        energy_j=timing.energy_j,
    )


DISPATCH, LITTLE, MOSTLY = "dispatch", 0.2, 0.5


def doubling(flops: float, seconds: float, less: float, sooner: float) -> float:
    """By what part of `seconds` twice the work takes longer, if a call with `less` work takes `sooner`."""
    return (seconds - sooner) / (seconds * (1 - less / flops))


def dispatched(timing: Timing, twice: float | None, device: str) -> bool:
    """Whether the time is that of calling, and not of computing.

    A CPU that runs calls asynchronously takes no more than a few of them at a time, so that issuing many
    waits for computing; a GPU takes thousands.
    """
    issued = timing.issue_s if device != "cpu" else None
    return (twice is not None and twice < LITTLE) or (issued or 0) > MOSTLY * timing.median_s


def under(peak: Roof | None, row: Row, cell: Cell) -> Row:
    """The row with its share of the roofline; an error row if it is above the roofline."""
    if peak is None or row.median_s is None:
        return row
    given = (row.flops or 0.0, row.bytes or 0.0, row.median_s)
    cached = row.cache in ("hot", "partly")
    fewer = find(pages.case(cell.case), cell).fewer
    if words := impossible(peak, *given, fewer):
        why = f"{ABOVE}{words}"
        return replace(row, status="error", why=why, median_s=None, low_s=None, high_s=None, throughput=None)
    return replace(
        row, share=share(peak, *given, cached=cached), bound=row.bound or limiting(peak, *given[:2])
    )
