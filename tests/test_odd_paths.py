"""What a path may be instead of a run: each is one line and exit code 2; so is what cannot be written."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bench import cli
from bench.store.results import start
from bench.store.rows import load
from tests.rows import ENVIRONMENT, MACHINE, row
from tests.test_arrows import ROOT

HOW = "should be a rows file, a run's folder or a folder of runs; `gaugeblock run` makes one"


def pipe(at: Path) -> Path:
    os.mkfifo(at)
    return at


def holding_a_pipe(at: Path) -> Path:
    at.mkdir()
    return pipe(at / "rows.jsonl").parent


def folder_of_that_name(at: Path) -> Path:
    (at / "rows.jsonl").mkdir(parents=True)
    return at


def circle(at: Path) -> Path:
    at.symlink_to(at)
    return at


def holding_a_circle(at: Path) -> Path:
    at.mkdir()
    (at / "rows.jsonl").symlink_to("rows.jsonl")
    return at


def holding_a_link_to_nothing(at: Path) -> Path:
    at.mkdir()
    (at / "rows.jsonl").symlink_to("gone")
    return at


def empty(at: Path) -> Path:
    at.touch()
    return at


def binary(at: Path) -> Path:
    at.write_bytes(bytes(range(256)) * 9)
    return at


PATHS = {
    "nothing": lambda at: at,
    "a folder without rows": lambda at: at.mkdir() or at,
    "a pipe": pipe,
    "a folder that holds a pipe": holding_a_pipe,
    "a folder that is called rows.jsonl": folder_of_that_name,
    "a circle of links": circle,
    "a folder that holds a circle": holding_a_circle,
    "a link to nothing": holding_a_link_to_nothing,
    "an empty file": empty,
    "a binary file": binary,
    "a name too long": lambda at: at / ("x" * 300),
    "a path too long": lambda at: at / ("x/" * 3000),
    "a file as a folder": lambda at: empty(at) / "x",
    "a NUL": lambda at: at / "a\0b",
    "a device": lambda at: Path("/dev/zero"),
    "a line and a colour": lambda at: at / "\x1b[31mred\nline",
    "no UTF-8": lambda at: at / "\udcff",
}


# no shell passes a NUL, and click refuses it in its own words
@pytest.mark.parametrize("name", [name for name in PATHS if name != "a NUL"])
@pytest.mark.parametrize(
    "words", [["report"], ["report", "--markdown"], ["limits"], ["seeds"], ["publish"], ["compare"]]
)
def test_it_is_one_line_and_exit_code_2(tmp_path, monkeypatch, words, name):
    monkeypatch.chdir(tmp_path)
    path = str(PATHS[name](tmp_path / "it"))
    answer = CliRunner().invoke(cli.app, [*words, path, *([path] if words == ["compare"] else [])])
    assert answer.exit_code == 2 and isinstance(answer.exception, SystemExit)
    assert answer.stderr.startswith("gaugeblock: ") and len(answer.stderr.splitlines()) == 1
    assert "\x1b" not in answer.stderr and not answer.stdout


@pytest.mark.parametrize(
    "name", ["nothing", "a pipe", "a circle of links", "a name too long", "a NUL", "a device"]
)
def test_load_says_what_it_got_and_what_it_should_be(tmp_path, name):
    with pytest.raises((OSError, ValueError)) as refused:
        load(PATHS[name](tmp_path / "it"))
    assert str(refused.value).startswith("results ") and str(refused.value).endswith(HOW)


def test_what_may_not_be_read_is_one_line(tmp_path, monkeypatch):
    run = start(tmp_path, MACHINE, ENVIRONMENT)
    run.append(row())
    closed, honest = str(run.folder / "rows.jsonl"), Path.open

    def refuse(self, *how, **more):
        if str(self) == closed:
            raise PermissionError(13, "Permission denied", closed)
        return honest(self, *how, **more)

    monkeypatch.setattr(Path, "open", refuse)  # root may read everything
    answer = CliRunner().invoke(cli.app, ["report", str(run.folder)])
    assert (answer.exit_code, answer.stderr) == (2, f"gaugeblock: {closed}: got permission denied\n")


def test_a_folder_that_may_not_be_looked_into_is_one_line(tmp_path, monkeypatch):
    (tmp_path / "closed").mkdir()

    def walk(root, onerror):
        onerror(PermissionError(13, "Permission denied", f"{root}/closed"))
        yield

    monkeypatch.setattr(os, "walk", walk)
    answer = CliRunner().invoke(cli.app, ["report", str(tmp_path)])
    assert answer.exit_code == 2 and "got Permission denied" in answer.stderr
    assert len(answer.stderr.splitlines()) == 1


@pytest.mark.parametrize("command", ["seeds", "publish"])
def test_what_cannot_be_written_is_one_line(tmp_path, command):
    run = start(tmp_path / "runs", MACHINE, ENVIRONMENT)
    for seed in (0, 1):
        run.append(row(seed=seed))
    (run.folder / "report.md").touch()
    (tmp_path / "results").touch()
    answer = CliRunner().invoke(cli.app, [command, str(run.folder), "--results", str(tmp_path / "results")])
    assert answer.exit_code == 2 and len(answer.stderr.splitlines()) == 1 and "results" in answer.stderr


def asked(tmp_path, words, **streams):
    run = start(tmp_path, MACHINE, ENVIRONMENT)
    for number in range(300):
        run.append(row(option=f"o{number}", status="disagrees", why="off"))
    words = [word if word != "RUN" else str(run.folder) for word in words]
    return subprocess.Popen(
        [sys.executable, "-m", "gaugeblock", *words], cwd=ROOT, stderr=subprocess.PIPE, **streams
    )


@pytest.mark.parametrize(
    "words", [["report", "--all", "RUN"], ["report", "--markdown", "RUN"]], ids=lambda w: w[1]
)
def test_a_reader_who_has_seen_enough_hears_nothing_more(tmp_path, words):
    with asked(tmp_path, words, stdout=subprocess.PIPE) as running:
        assert running.stdout.read(1)
        running.stdout.close()
        assert running.stderr.read() == b"" and running.wait(60) in (0, 1, 2)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
@pytest.mark.parametrize("words", [["report", "RUN"], ["--help"]], ids=lambda w: w[0])
def test_an_output_that_is_full_is_one_line(tmp_path, words):
    with open("/dev/full", "wb") as full:
        running = asked(tmp_path, words, stdout=full)
        _, told = running.communicate(timeout=60)
    assert running.returncode == 2 and told.count(b"\n") == 1
    assert told.lower().startswith(b"gaugeblock: ") and b"no space left on device" in told.lower()
