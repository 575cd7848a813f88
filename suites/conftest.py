"""`pytest suites/`: options, one test per cell, and the report at the end."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from bench import pages
from bench.cells.cell import Cell
from bench.run import options, pytest_plugin
from bench.run.interrupts import interrupts
from bench.run.progress import Progress, progress
from bench.store.results import Unwritten

COUNTED: pytest.StashKey[dict[str, str]] = pytest.StashKey()
ENTRY = Path(__file__).resolve().with_name("test_suites.py")


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("gaugeblock")
    for name, (keywords, text) in pytest_plugin.OPTIONS.items():
        group.addoption(f"--{name}", help=text, **keywords)


def pytest_configure(config: pytest.Config) -> None:
    held = ExitStack()
    config.add_cleanup(held.close)
    held.enter_context(interrupts())
    try:
        options.check(config)
        options.replaced(config)
        suite_run = config.stash[pytest_plugin.SUITE_RUN] = pytest_plugin.SuiteRun.open(config.option)
    except ValueError as error:
        raise pytest.UsageError(str(error)) from None
    held.callback(suite_run.end)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "page" in metafunc.fixturenames:
        wrong = pages.bad().values()
        metafunc.parametrize("page", wrong, ids=["/".join((*page.names, "page")) for page in wrong])
    if "cell" in metafunc.fixturenames:
        opened = metafunc.config.stash[pytest_plugin.SUITE_RUN]
        cells = opened.timed if metafunc.function.__name__ == "test_speed" else opened.cells
        metafunc.parametrize("cell", cells, ids=str)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[Any]) -> None:
    # pytest makes one item without a cell if a run times nothing, and one without a page if no page is bad
    items[:] = [
        item for item in items if not _ours(item) or isinstance(_cell(item), Cell) or _page(item) is not None
    ]
    for item in filter(_page, filter(_ours, items)):
        item.own_markers.clear()  # it fails whatever --benchmark-only skips


def pytest_collection_finish(session: pytest.Session) -> None:
    items: list[Any] = [item for item in session.items if _ours(item)]
    session.config.stash[pytest_plugin.SUITE_RUN].choose(
        [_cell(item) for item in items if item.originalname == "test_agree"],
        [_cell(item) for item in items if item.originalname == "test_speed"],
        session.config.option,
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtestloop(session: pytest.Session) -> Iterator[Any]:
    suite_run, option = session.config.stash[pytest_plugin.SUITE_RUN], session.config.option
    shown: Progress | None = None
    if suite_run.chosen and not (option.collectonly or option.setupplan):
        try:
            options.shown(session.config)
            suite_run.begin()
        except ValueError as error:
            raise pytest.UsageError(str(error)) from None
        reporter = session.config.pluginmanager.get_plugin("terminalreporter")
        for said in (suite_run.kept(), suite_run.announced()):
            if reporter and said:
                reporter.write_line(f"\n{said}")
        if shown := progress(session.config, lambda: suite_run.told()):
            suite_run.waiting = shown.waits
            session.config.pluginmanager.register(shown)
    try:
        return (yield)
    finally:
        if shown:
            session.config.pluginmanager.unregister(shown)
            shown.close()


def pytest_report_teststatus(report: Any, config: pytest.Config) -> tuple[str, str, str] | None:
    status = dict(getattr(report, "user_properties", ())).get("status")  # of test_suites.told
    if report.skipped and status == "missing":
        return "missing", "m", "MISSING"
    if status == "imprecise" and report.when == "call" and _first(report.nodeid, config) and report.passed:
        return "imprecise", "~", "IMPRECISE"
    return None


def _first(nodeid: str, config: pytest.Config) -> bool:
    """Whether this is the first test of its cell that is told: a cell may have a verdict and a speed."""
    cell = nodeid.partition("[")[2]
    return config.stash.setdefault(COUNTED, {}).setdefault(cell, nodeid) == nodeid


@pytest.fixture(scope="session")
def session(request: pytest.FixtureRequest) -> Iterator[object]:
    try:
        with request.config.stash[pytest_plugin.SUITE_RUN].session() as running:
            yield running
    except Unwritten as error:  # of a file beside the rows
        pytest.exit(str(error))


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Iterator[Any]:
    try:
        return (yield)
    except Unwritten as error:
        why = str(error)
    pyfuncitem.session.shouldstop = why  # no other row could be written either
    pytest.fail(why, pytrace=False)


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_terminal_summary(exitstatus: int, config: pytest.Config) -> Iterator[Any]:
    from pytest_benchmark.session import PerformanceRegression

    suite_run = config.stash[pytest_plugin.SUITE_RUN]
    try:
        return (yield)
    except PerformanceRegression as error:
        suite_run.faults.append(str(error))
    finally:
        if suite_run.run is not None and (why := options.uncompared(config)):
            suite_run.faults.append(why)
        suite_run.report(interrupted=exitstatus == pytest.ExitCode.INTERRUPTED)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> Iterator[Any]:
    suite_run = session.config.stash[pytest_plugin.SUITE_RUN]
    try:
        return (yield)
    finally:
        # unless the terminal has asked for it
        suite_run.report(interrupted=exitstatus == pytest.ExitCode.INTERRUPTED, shown=False)
        if suite_run.faults and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _ours(item: Any) -> bool:
    return item.path.resolve() == ENTRY


def _cell(item: Any) -> Any:
    return item.callspec.params.get("cell")


def _page(item: Any) -> Any:
    page = item.callspec.params.get("page")
    return page if isinstance(page, pages.Bad) else None
