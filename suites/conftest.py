"""`pytest suites/`: options, one test a cell, and the report at the end."""

from collections.abc import Iterator
from typing import Any

import pytest

from bench.cells.cell import Cell
from bench.run import pytest_plugin


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("gaugeblock")
    for name, (keywords, text) in pytest_plugin.OPTIONS.items():
        group.addoption(f"--{name}", help=text, **keywords)


def pytest_configure(config: pytest.Config) -> None:
    try:
        config.stash[pytest_plugin.DOOR] = pytest_plugin.Door.open(config.option)
    except ValueError as error:
        raise pytest.UsageError(str(error)) from None
    # a table a workload is hundreds of lines, for who asks (--benchmark-verbose); the report is for all
    config.option.benchmark_quiet = True


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    opened = metafunc.config.stash[pytest_plugin.DOOR]
    cells = opened.timed if metafunc.function.__name__ == "test_speed" else opened.cells
    metafunc.parametrize("cell", cells, ids=str)


def pytest_collection_modifyitems(items: list[Any]) -> None:
    # pytest makes one item without a cell where a run times nothing
    items[:] = [item for item in items if isinstance(item.callspec.params["cell"], Cell)]


def pytest_collection_finish(session: pytest.Session) -> None:
    items: list[Any] = list(session.items)
    session.config.stash[pytest_plugin.DOOR].choose(
        [item.callspec.params["cell"] for item in items],
        [item.callspec.params["cell"] for item in items if item.originalname == "test_speed"],
    )


@pytest.fixture(scope="session")
def session(request: pytest.FixtureRequest) -> Iterator[object]:
    with request.config.stash[pytest_plugin.DOOR].session() as running:
        yield running


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(exitstatus: int, config: pytest.Config) -> None:
    config.stash[pytest_plugin.DOOR].report(interrupted=exitstatus == pytest.ExitCode.INTERRUPTED)
