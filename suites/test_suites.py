"""The pytest entry: `test_agree` judges a cell, `test_speed` shows the samples that its worker took."""

import pytest

from bench.run.replay import Replay

CLOCK = Replay()


def settle(row) -> None:
    """A row as pytest's outcome: one sentence and the command that runs the cell again."""
    sentence = f"{row.status}: {row.why}"
    if row.status in ("absent", "missing"):
        pytest.skip(sentence)
    if row.status == "limited":
        pytest.xfail(sentence)
    if row.status in ("disagrees", "mistrusted", "error"):
        pytest.fail(f"{sentence}\nagain: {row.command}", pytrace=False)


def test_agree(cell, session, pytestconfig) -> None:
    row = session.row(cell)
    if row.status == "imprecise" and pytestconfig.option.strict:
        pytest.fail(f"imprecise: {row.why}\nagain: {row.command}", pytrace=False)
    settle(row)


@pytest.mark.benchmark(timer=CLOCK)
def test_speed(cell, session, benchmark) -> None:
    row, timing = session.speed(cell)
    if row.status == "error":
        settle(row)
    if timing is None:
        if row.status in ("agrees", "imprecise", "limited"):
            pytest.skip("its speed stands in the run that is continued")
        pytest.skip(f"no speed without agreement: {row.status}")
    benchmark.group = "/".join(map(str, cell.workload))
    benchmark.name = f"{cell.contender} {cell.mode}"
    benchmark.extra_info.update(status=row.status, bits=row.bits, calls=timing.calls)
    CLOCK.show(benchmark, timing.samples)
