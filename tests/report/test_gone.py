"""News of a report: what a framework was known to refuse, and does not."""

from bench.report.limits import gone
from bench.report.write import text
from bench.store.row import GONE
from tests.rows import frame, row

NEWS = f"{GONE}: it raised 'no gradient'"


def test_a_refusal_that_is_gone_is_told_once_with_its_cells():
    rows = frame(row(why=NEWS), row(why=NEWS, mode="compile"), row(case="gelu"))
    (table,) = gone(rows)
    assert table.title == "No longer refused"
    ((case, contender, cells, status, why),) = table.rows
    assert (case, contender, cells, status, why) == (row().case, row().contender, "2", "agrees", NEWS)


def test_where_nothing_is_gone_there_is_no_news():
    assert gone(frame(row(), row(case="gelu", status="disagrees", why="y is 1, should be 2"))) == []


def test_the_report_tells_it(tmp_path):
    from bench.store.results import start
    from tests.rows import ENVIRONMENT, MACHINE

    run = start(tmp_path, MACHINE, ENVIRONMENT)
    run.append(row(why=NEWS))
    assert "No longer refused" in text([run.folder])
