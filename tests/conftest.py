"""What a test starts is a user's process: it knows nothing of those that run the tests."""

import os

import pytest

# inside of xdist's workers pytest-benchmark measures nothing; a process that is traced takes twice as long
OURS = ("PYTEST_XDIST_", "COVERAGE_PROCESS_")


@pytest.fixture(scope="session", autouse=True)
def measured():
    """The variables for a process whose coverage counts: one that runs what no test runs in its own."""
    taken = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith(OURS)}
    yield {name: value for name, value in taken.items() if name.startswith("COVERAGE")}
    os.environ.update(taken)
