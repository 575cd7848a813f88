"""The tests of `pytest suites/`: `test_agree` judges a cell, `test_speed` reports its worker's samples.

`test_page` fails for each page that cannot be run.
"""

import pytest

from bench.run.ending import failing
from bench.run.replay import Replay
from bench.store.row import plain

CLOCK = Replay()


def settle(row, config) -> None:
    """Set pytest's outcome from a row: one sentence, and the command that runs the cell again."""
    sentence = plain(f"{row.status}: {row.why}")
    if row.status in ("absent", "missing"):
        pytest.skip(sentence)
    if row.status == "limited":
        pytest.xfail(sentence)
    if row.status in failing(config.option.fail_imprecise):
        pytest.fail(f"{sentence}\nagain: {row.command}", pytrace=False)


def told(row, request) -> None:
    """Write the row to the properties that --junitxml reports, whatever the outcome."""
    found = {"status": row.status, "why": plain(row.why)}
    request.node.user_properties += [(name, text) for name, text in found.items() if text]


def test_page(page) -> None:
    pytest.fail(plain(page.why), pytrace=False)


def test_agree(cell, session, request) -> None:
    row = session.row(cell)
    told(row, request)
    settle(row, request.config)


@pytest.mark.filterwarnings("ignore:Benchmark fixture was not used")  # by a cell without a speed
@pytest.mark.benchmark(timer=CLOCK)
def test_speed(cell, session, benchmark, request) -> None:
    row, timing = session.speed(cell) if benchmark.enabled else (session.row(cell), None)
    told(row, request)
    if row.status in ("error", "imprecise"):
        settle(row, request.config)
    if row.status not in ("agrees", "imprecise", "limited"):
        pytest.skip(f"no speed without agreement: {row.status}")
    if timing is None:
        if benchmark.enabled:
            pytest.skip("its speed is in the continued run, but its samples are not")
        return
    benchmark.group = "/".join(map(str, cell.workload))
    benchmark.name = f"{cell.contender} {cell.mode}"
    benchmark.fullname = f"test_suites.py::test_speed[{cell}]"  # independent of the working directory
    benchmark.extra_info.update(status=row.status, bits=row.bits, calls=timing.calls)
    CLOCK.show(benchmark, timing.samples)
