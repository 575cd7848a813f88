"""What a test starts is a user's process: it knows nothing of those that run the tests."""

import os
from pathlib import Path

import pytest

# inside of xdist's workers pytest-benchmark measures nothing; a process that is traced takes twice as long
OURS = ("PYTEST_XDIST_", "COVERAGE_PROCESS_")
# what takes minutes goes first: begun late, one file would run alone at the end
LONG = (
    "campaign/test_campaign.py", "test_docs.py", "run/test_session.py", "studies/test_coverage.py",
    "backends/test_bad_plugins.py", "backends/test_contenders.py", "test_cli.py", "gate/test_gate.py",
    "tolerance/test_shared.py", "run/test_derive.py", "run/test_told.py", "studies/test_conditioning.py",
)  # fmt: skip


def pytest_collection_modifyitems(items):
    long = [Path(__file__).parent / name for name in LONG]
    items.sort(key=lambda item: long.index(item.path) if item.path in long else len(long))


@pytest.fixture(scope="session", autouse=True)
def measured():
    """The variables for a process whose coverage counts: one that runs what no test runs in its own."""
    taken = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith(OURS)}
    yield {name: value for name, value in taken.items() if name.startswith("COVERAGE")}
    os.environ.update(taken)
