"""Files are written and read as UTF-8 whatever the locale, and what a terminal cannot show ends nothing."""

import ast
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.report.table import NEAREST, legible
from bench.store.results import start
from tests.rows import ENVIRONMENT, MACHINE, row, timed
from tests.test_arrows import ROOT, files

OPENING = {"read_text", "write_text", "open", "fdopen"}
LOCALES = {
    "ascii": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "strict ascii": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"},
    "latin-1": {"PYTHONIOENCODING": "latin-1"},
    "cp1252": {"PYTHONIOENCODING": "cp1252"},
}


def unsaid(file: Path) -> list[int]:
    """The lines of a file in which text is read or written in the encoding of the locale."""
    found = []
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        said = {word.arg: ast.unparse(word.value) for word in node.keywords}
        modes = [*(ast.unparse(each) for each in node.args), said.get("mode", "")]
        binary = any(mode in ("'rb'", "'wb'", "'ab'") for mode in modes)
        system = ast.unparse(node.func).startswith(("os.", "tarfile."))  # of bytes
        text = said.get("text") == "True" or said.get("universal_newlines") == "True"
        opens = (
            name in OPENING
            and not binary
            and not system
            and not ast.unparse(node.func).endswith("SuiteRun.open")
        )
        if "encoding" not in said and (text or opens):
            found.append(node.lineno)
    return found


@pytest.mark.parametrize("folder", ["bench", "gaugeblock", "reference", "suites"])
def test_no_file_is_read_or_written_in_the_encoding_of_the_locale(folder):
    assert not {str(file.relative_to(ROOT)): lines for file in files(folder) if (lines := unsaid(file))}


def test_what_an_encoding_lacks_is_written_as_something_near_in_as_many_letters():
    for encoding, shown in (("ascii", "+x=><x .us ?? ~1"), ("latin-1", "+x=><× .µs ?é ~1")):
        raw = io.BytesIO()
        stream = io.TextIOWrapper(raw, encoding=encoding)
        legible(stream)
        stream.write("✓✗≡→←×\N{NO-BREAK SPACE}…µs Ψé ~1")
        stream.flush()
        assert raw.getvalue().decode(encoding).replace("\N{NO-BREAK SPACE}", " ") == shown
    assert all(len(each) == 1 and each.isascii() for each in NEAREST.values())


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    run = start(tmp_path_factory.mktemp("größe"), MACHINE, ENVIRONMENT)
    run.append(timed(1e-6, case="attention"))
    run.append(row(mode="x", status="disagrees", why="y → Ψ: größer als “erlaubt”, \ud800 🙂"))
    return run.folder


EACH = """
import json, os, sys
from gaugeblock.__main__ import main

for words in json.loads(sys.argv[1]):
    sys.argv = ["gaugeblock", *(os.fsdecode(word.encode()) for word in words)]  # as a shell gives them
    try:
        main()
    except SystemExit as end:
        assert not end.code, words
"""


@pytest.mark.parametrize("locale", LOCALES)
def test_every_command_prints_in_any_locale(locale, run):
    report, both = ["report", str(run)], ["compare", str(run), str(run)]
    asked = [
        report, [*report, "--all"], [*report, "--markdown"], both, [*both, "--markdown"], ["list"],
        ["list", "attention", "adam"], ["list", "--meanings"], ["doctor", "--fast"], ["--help"],
        ["report", "--help"],
    ]  # fmt: skip
    answer = subprocess.run(
        [sys.executable, "-c", EACH, json.dumps(asked)],
        env={**os.environ, **LOCALES[locale], "PYTHONPATH": str(ROOT), "COLUMNS": "100"},
        capture_output=True,
    )
    assert answer.returncode == 0 and not answer.stderr, answer.stderr.decode(errors="replace")
    # click takes ASCII for a setting that somebody forgot, and gives what may go to a file as UTF-8
    text = answer.stdout.decode("utf-8" if "ascii" in locale else locale)
    assert (
        "disagrees" in text
        and "erlaubt" in text
        and "Speed" in text
        and "1.00 us" in text.replace("\xb5", "u")
    )
