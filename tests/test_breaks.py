"""The tests of the instrument fail where the instrument is broken; each break is run by itself."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.breaking import BREAKS

ROOT = Path(__file__).parent.parent
# the tests that should notice a break of each module
NOTICED = {"bench.verdict.known": "test_judge.py", "bench.verdict.row": "test_saboteur.py"}


@pytest.mark.parametrize("name", BREAKS)
def test_a_break_is_noticed(name):
    file = f"tests/verdict/{NOTICED.get(BREAKS[name][0], 'test_compare.py')}"
    command = [sys.executable, "-m", "pytest", "-p", "tests.breaking", "-q", "-x", "--tb=no", file]
    environment = {**os.environ, "GAUGEBLOCK_BREAK": name}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == pytest.ExitCode.TESTS_FAILED, done.stdout + done.stderr
    assert re.search(rf"^FAILED {file}::", done.stdout, flags=re.MULTILINE)
