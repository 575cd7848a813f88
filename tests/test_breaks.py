"""The tests of the instrument fail where the instrument is broken; each break is run by itself."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.breaking import BREAKS

ROOT = Path(__file__).parent.parent
# the test that should notice a break, where it is none of those of comparing
NOTICED = {
    "stale-limit-ignored": "test_judge.py::test_a_stale_limit_fails",
    "worse-than-its-limit-ignored": "test_judge.py::test_a_limit_that_got_worse_fails",
    "saboteur-ignored": "test_saboteur.py::test_a_check_that_lets_a_saboteur_pass_is_mistrusted",
}


@pytest.mark.parametrize("name", BREAKS)
def test_a_break_is_noticed(name):
    tests = f"tests/verdict/{NOTICED.get(name, 'test_compare.py')}"
    command = [sys.executable, "-m", "pytest", "-p", "tests.breaking", "-q", "-x", "--tb=no", tests]
    environment = {**os.environ, "GAUGEBLOCK_BREAK": name}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == pytest.ExitCode.TESTS_FAILED, done.stdout + done.stderr
    assert re.search(rf"^FAILED {tests}\b", done.stdout, flags=re.MULTILINE)
