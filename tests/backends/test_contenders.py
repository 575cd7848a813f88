"""The API that a row names is the API that ran; its weights are the reference's, rearranged."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench.backends import FURTHER, SHIPPED, Absent, backend

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.parametrize("name", [*SHIPPED, *FURTHER])
def test_a_named_api_that_raises_makes_an_error_row(name):
    try:
        backend(name).installed()
    except Absent as reason:
        pytest.skip(str(reason))
    done = subprocess.run(
        [sys.executable, "-m", "tests.raising", name], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    rows = json.loads(done.stdout.splitlines()[-1])
    if name in FURTHER:  # what they lack says nothing of what they call
        rows = [row for row in rows if row[3] != "absent"]
    assert rows
    errors = [row for row in rows if row[3] == "error"]
    untouched = [row for row in rows if row not in errors or "planted" not in row[4]]
    assert not untouched, "these contenders do not call the API that they name"
