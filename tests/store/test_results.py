"""Rows on disk: written one by one, read back whatever happened to the file, published once."""

import errno
import json
import math
import os
import re
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import gaugeblock
from bench.cells.cell import Cell
from bench.machine.records import key
from bench.speed.timing import Timing
from bench.store import results, rows
from bench.store.results import Unwritten, begin, newest, publish, resume, start
from bench.store.row import COLUMNS, MEANING
from bench.store.rows import load
from tests.rows import ENVIRONMENT, MACHINE, row, timed


@pytest.fixture
def run(tmp_path):
    return start(tmp_path / "results" / "local", MACHINE, ENVIRONMENT)


def test_several_paths_are_loaded_as_one_frame_and_each_run_once(run, tmp_path):
    other = start(tmp_path / "there", MACHINE | {"cpu": "Other"}, ENVIRONMENT)
    for each in (run, other):
        each.append(row(machine="", run_id=""))
    for paths in ([run.folder, other.folder], [[run.folder, str(other.folder)]], [tmp_path, other.folder]):
        assert sorted(load(*paths)["machine"]) == sorted([run.machine, other.machine])
    shutil.copytree(run.folder, tmp_path / "copy")
    assert rows.all_files(run.folder, tmp_path / "copy") == [run.folder / "rows.jsonl"]
    for none in ([], [[]]):
        with pytest.raises(ValueError, match="load: got no path, should be one or several"):
            load(*none)


def finished(run, *rows):
    for each in rows or (row(),):
        run.append(each)
    (run.folder / "report.md").write_text("# Report\n")
    return run.folder


def test_a_run_has_its_two_records_and_a_name_of_time_and_machine(run):
    assert run.folder.name == run.id and run.id.endswith(key(MACHINE))
    assert json.loads((run.folder / "machine.json").read_text()) == MACHINE
    assert json.loads((run.folder / "environment.json").read_text()) == ENVIRONMENT


def test_two_runs_of_one_second_have_two_folders(tmp_path):
    assert len({start(tmp_path, MACHINE, ENVIRONMENT).folder for _ in range(3)}) == 3


def test_a_row_is_on_the_disk_when_append_returns(run):
    written = run.append(row(run_id="", machine="", environment=""))
    assert written.run_id == run.id and written.machine == key(MACHINE)
    (line,) = (run.folder / "rows.jsonl").read_bytes().splitlines(keepends=True)
    assert json.loads(line) == written.as_dict() == run.rows()[0] and line.endswith(b"\n")


def test_a_row_has_the_suite_that_made_it_and_keeps_it(run, monkeypatch):
    assert run.append(row(suite="")).suite == run.suite != ""
    monkeypatch.setattr(results, "suite", lambda: "0.2.0")
    later = resume(run.folder)
    assert [later.append(row(suite=made)).suite for made in ("", "0.1.0")] == ["0.2.0", "0.1.0"]


def test_a_workers_environment_is_written_once_and_read_by_its_key(run):
    worker = {"backend": "torch", **ENVIRONMENT, "flags": {"threads": 2}}
    for told in (worker, worker, {**worker, "flags": {"threads": 1}}):
        run.worker(told)
    resume(run.folder).worker(worker)
    found = rows.environments(run.folder)
    assert len(found) == 3 and found[key(worker)] == worker and found[run.environment] == ENVIRONMENT
    assert len((run.folder / "environments.jsonl").read_text().splitlines()) == 2


def test_a_run_without_environments_of_workers_has_its_own(run):
    assert rows.environments(run.folder) == {key(ENVIRONMENT): ENVIRONMENT}
    finished(run)
    assert rows.records(rows.files(run.folder))[1] == {key(ENVIRONMENT): ENVIRONMENT}


def test_a_row_comes_back_as_it_was(run):
    first, second = (
        timed(1e-3),
        row(status="absent", why="none here", bits=None, z_rms=None, threads=None, seed=7),
    )
    finished(run, first, second)
    frame = gaugeblock.load(run.folder)
    assert list(frame.columns) == list(COLUMNS)
    for written, (_, read) in zip((first, second), frame.iterrows(), strict=True):
        for name, value in (written.as_dict() | {"row_id": read["row_id"]}).items():
            assert (pd.isna(read[name]) and value is None) or read[name] == value, name


def test_numbers_that_json_lacks_are_written_as_strict_json(run):
    import numpy as np

    run.append(row(z_rms=math.nan, z_worst=math.inf, bits=np.float64(3.5), undecided=np.int64(2)))
    text = (run.folder / "rows.jsonl").read_text()
    found = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert found["z_rms"] is None and found["z_worst"] == sys.float_info.max
    assert (found["bits"], found["undecided"]) == (3.5, 2)


def test_paths_of_this_machine_are_not_written(run):
    why = f"OSError: no {sys.prefix}/lib/x.so, nor {Path.home()}/y, nor {Path.cwd()}/z"
    assert run.append(row(status="error", why=why)).why == "OSError: no <env>/lib/x.so, nor ~/y, nor ./z"


def test_the_last_row_of_a_cell_counts(run):
    finished(run, row(), row(mode="compile"), timed(2e-3))
    frame = load(run.folder)
    assert frame["mode"].tolist() == ["compile", "eager"]
    assert frame["median_s"].tolist()[1] == 2e-3


@pytest.mark.parametrize("tear", [b'{"case": "att', b'{"case": "attention", "why": "\xc3', b"{", b"[1, 2]"])
def test_a_torn_last_line_costs_that_line_only_and_is_told(run, tear, capsys):
    finished(run, row(), row(mode="compile"))
    with (run.folder / "rows.jsonl").open("ab") as file:
        file.write(tear)
    how = r"line 3: got a line that was cut off, should be .* continue the run with --results \S+, or skip"
    with pytest.raises(ValueError, match=how):
        load(run.folder)
    assert len(load(run.folder, lenient=True)) == 2
    assert re.search(r"1 line left out, the first: rows .*, line 3: got a line", capsys.readouterr().err)
    assert len(resume(run.folder).rows()) == 2
    assert resume(run.folder).append(row(mode="xla")).run_id
    assert len(load(run.folder)) == 3


def test_a_last_line_that_lacks_only_its_newline_is_read(run):
    finished(run)
    file = run.folder / "rows.jsonl"
    file.write_bytes(file.read_bytes().rstrip())
    assert len(load(file)) == 1


@pytest.mark.parametrize("line", ["no json", "[1, 2]", "17", "[" * 100_000])
def test_a_bad_line_is_refused_with_its_number(run, line):
    finished(run, row())
    file = run.folder / "rows.jsonl"
    file.write_text(f"{file.read_text()}\n{line}\n{file.read_text()}")
    with pytest.raises(ValueError, match=r"rows\.jsonl, line 3: got .*, should be one JSON object; restore"):
        load(file)


def test_a_tree_of_runs_is_one_frame_and_a_published_run_counts_once(run, tmp_path):
    publish(finished(run), tmp_path / "results")
    other = start(tmp_path / "results" / "local", MACHINE, ENVIRONMENT)
    finished(other, row(run_id="", mode="compile"))
    assert sorted(load(tmp_path / "results")["mode"]) == ["compile", "eager"]


@pytest.mark.parametrize("name", ["nothing", "empty"])
def test_a_path_without_rows_is_refused_in_words(tmp_path, name):
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match="should be a rows file, a run's folder or a folder of runs"):
        load(tmp_path / name)


def test_an_empty_file_is_an_empty_frame(tmp_path):
    (tmp_path / "rows.jsonl").touch()
    frame = load(tmp_path)
    assert frame.empty and list(frame.columns) == list(COLUMNS)


@pytest.mark.parametrize("text", ["[1]", "{", "[" * 100_000])
def test_a_damaged_record_is_refused_in_words(run, text):
    (run.folder / "machine.json").write_text(text)
    with pytest.raises(ValueError, match=r"machine\.json: got something else, should be a JSON object"):
        rows.record(run.folder, "machine")


def test_a_run_without_records_still_has_rows(run):
    finished(run)
    (run.folder / "machine.json").unlink()
    assert rows.record(run.folder / "rows.jsonl", "machine") == {}
    assert len(load(run.folder)) == 1


def test_curves_are_read_back(run):
    assert rows.curves(run.folder) == []
    run.curve({"case": "lstm", "loss": [3.0, math.nan, 1.0]})
    assert rows.curves(run.folder) == [{"case": "lstm", "loss": [3.0, None, 1.0]}]


def test_moments_are_read_back_from_the_folder_or_its_rows_and_a_torn_one_is_dropped_by_resume(run):
    assert rows.moments(run.folder) == []
    run.moment({"others_cores": 0.5, "temperatures": None})
    run.append(row())
    with (run.folder / "moments.jsonl").open("ab") as file:
        file.write(b'{"others_co')
    resume(run.folder).moment({"others_cores": 0.0})
    found = [{"others_cores": 0.5, "temperatures": None}, {"others_cores": 0.0}]
    assert rows.moments(run.folder) == rows.moments(run.folder / "rows.jsonl") == found


def test_moments_are_published_with_their_run(run, tmp_path):
    run.moment({"others_cores": 0.5})
    assert rows.moments(publish(finished(run), tmp_path / "results")) == [{"others_cores": 0.5}]


def test_the_newest_run_is_the_local_one_then_the_published_one(run, tmp_path):
    root = tmp_path / "results"
    folder = finished(run)
    first, second = publish(folder, root), None
    assert newest(root) == folder
    later = start(root / "local", MACHINE, ENVIRONMENT)
    second = publish(finished(later, row(mode="compile")), root)
    for gone in (folder, later.folder):
        (gone / "rows.jsonl").unlink()
    assert newest(root) == second != first
    (second / "rows.jsonl").unlink()
    (first / "rows.jsonl").unlink()
    with pytest.raises(FileNotFoundError, match="got no run, should hold one"):
        newest(root)


def test_publish_copies_a_whole_run_under_machine_and_date(run, tmp_path):
    folder = finished(run)
    (folder / "link").symlink_to("/etc/hostname")
    (folder / "report.md.part").touch()
    assert (folder / ".lock").is_file()
    target = publish(folder, tmp_path / "results")
    assert target.parent.name == f"acme-three-{key(MACHINE)}"
    assert target.name == f"{run.id[:4]}-{run.id[4:6]}-{run.id[6:8]}"
    assert {file.name for file in target.iterdir()} == {
        "rows.jsonl", "machine.json", "environment.json", "report.md",
    }  # fmt: skip
    assert (target / "rows.jsonl").read_bytes() == (folder / "rows.jsonl").read_bytes()
    assert [each.name for each in target.parent.iterdir()] == [target.name]


def test_publish_never_overwrites(run, tmp_path):
    root = tmp_path / "results"
    target = publish(finished(run), root)
    with pytest.raises(FileExistsError, match="is published already, in "):
        publish(run.folder, root)
    other = start(root / "local", MACHINE, ENVIRONMENT)
    second = publish(finished(other, row(mode="compile")), root)
    assert second.name == f"{target.name}-2"


def test_publish_refuses_what_is_not_finished(run, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"got no rows\.jsonl in it"):
        publish(run.folder, tmp_path)
    run.append(row())
    with pytest.raises(ValueError, match=r"got no report\.md in it, should be finished; resume it"):
        publish(run.folder, tmp_path)


def test_publish_refuses_rows_of_code_that_no_commit_has_unless_told(run, tmp_path):
    folder = finished(run, row(suite="0.1.0+gabc1234.dirty"))
    with pytest.raises(ValueError, match=r"got rows of 0\.1\.0\+gabc1234\.dirty, .* or add --anyway"):
        publish(folder, tmp_path / "results")
    assert publish(folder, tmp_path / "results", anyway=True).is_dir()


def test_publish_refuses_speeds_of_a_busy_machine_unless_told(run, tmp_path):
    for used in (0.0, 0.9, 0.0):
        run.moment({"others_cores": used, "cores": 2})
    folder = finished(run, timed(1e-3))
    with pytest.raises(ValueError, match=r"speeds of a busy machine \(at 1 of 3 looks: .* 0\.9 of 2 cores"):
        publish(folder, tmp_path / "results")
    assert publish(folder, tmp_path / "results", anyway=True).is_dir()


def test_verdicts_are_the_same_on_a_busy_machine_and_may_be_published(run, tmp_path):
    run.moment({"others_cores": 1.9, "cores": 2})
    assert publish(finished(run), tmp_path / "results").is_dir()


def test_rows_and_samples_join_by_the_id_of_a_row(run):
    cell = Cell(*(getattr(row(), name) for name in Cell.__dataclass_fields__))
    run.sampled(cell, Timing((1.0,), (), (), 1, 1.0))
    written = run.append(timed(1.0, run_id=""))
    (samples,) = rows.lines(run.folder / "samples.jsonl")
    assert samples["row_id"] == written.row_id != run.append(timed(1.0, run_id="", seed=1)).row_id
    assert written.schema == MEANING


def test_a_copy_that_fails_leaves_nothing_behind(run, tmp_path, monkeypatch):
    def full(source, target):
        raise OSError("no space left")

    monkeypatch.setattr(results.shutil, "copyfile", full)
    with pytest.raises(OSError, match="no space left"):
        publish(finished(run), tmp_path / "results")
    assert not list((tmp_path / "results").glob("acme*/*"))
    monkeypatch.undo()
    monkeypatch.setattr(results.os, "rename", full)
    with pytest.raises(OSError, match="no space left"):
        publish(run.folder, tmp_path / "results")
    assert not list((tmp_path / "results").glob("acme*/*"))


def test_a_folder_without_a_date_in_its_name_is_published_under_today(run, tmp_path):
    folder = finished(run).rename(tmp_path / "mine")
    assert len(publish(folder, tmp_path / "results").name) == len("2026-01-02")


def test_importing_bench_is_fast():
    code = "import sys, bench; assert not {'pandas', 'numpy', 'rich', 'typer'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def tree(folder):
    """Everything below a folder, and what the files hold."""
    return {
        str(each.relative_to(folder)): each.read_bytes() if each.is_file() else None
        for each in sorted(folder.rglob("*"))
    }


def test_a_run_is_begun_in_the_folder_that_is_named_and_gone_on_with_there(tmp_path):
    folder = tmp_path / "deep" / "mine"
    first = begin(folder, MACHINE, ENVIRONMENT)
    first.append(row(run_id=""))
    first.release()
    again = begin(folder, MACHINE, ENVIRONMENT)
    again.append(row(run_id="", mode="compile"))
    assert first.folder == again.folder == folder and (folder / "rows.jsonl").is_file()
    assert set(load(folder).run_id) == {first.id} == {again.id} and first.id.endswith(key(MACHINE))


@pytest.mark.parametrize(
    "left", [[], [".lock"], [".lock", "machine.json.part"], [".lock", "machine.json"], None]
)
def test_a_run_that_was_killed_before_its_first_row_is_gone_on_with_in_its_folder(tmp_path, left):
    begin(tmp_path / "run", MACHINE, ENVIRONMENT).release()
    for file in (tmp_path / "run").iterdir():
        if left is not None and file.name not in left:
            file.unlink()
    for name in left or ():
        (tmp_path / "run" / name).touch()
    begin(tmp_path / "run", MACHINE, ENVIRONMENT).append(row())
    assert len(load(tmp_path / "run" / "rows.jsonl")) == 1
    assert rows.record(tmp_path / "run", "machine") == MACHINE
    assert rows.record(tmp_path / "run", "environment") == ENVIRONMENT


def foreign(folder, kind):
    """A path of that kind, which cannot be the folder of a run."""
    path = folder / "there"
    if kind == "a file":
        path.write_text("mine")
    elif kind == "below a file":
        path.write_text("mine")
        path = path / "run"
    elif kind == "a link to nothing":
        path.symlink_to(folder / "gone")
    elif kind == "a link to itself":
        path.symlink_to(path)
    elif kind == "a pipe":
        os.mkfifo(path)
    elif kind == "a name too long":
        path = folder / ("x" * 300)
    elif kind == "others' files":
        path.mkdir()
        (path / "thesis.tex").write_text("mine")
    elif kind == "runs":
        start(path, MACHINE, ENVIRONMENT).release()
    elif kind == "a published run":
        run = start(folder / "local", MACHINE, ENVIRONMENT)
        run.release()
        path = publish(finished(run), folder / "published")
    else:
        begin(path, MACHINE, ENVIRONMENT).release()
        (path / "rows.jsonl").touch()
        if kind == "rows without a machine":
            (path / "machine.json").unlink()
        elif kind == "rows without an environment":
            (path / "environment.json").unlink()
        elif kind == "a damaged record":
            (path / "machine.json").write_text("{")
        elif kind == "a folder in the rows' place":
            (path / "rows.jsonl").unlink()
            (path / "rows.jsonl").mkdir()
        elif kind == "a pipe in the samples' place":
            os.mkfifo(path / "samples.jsonl")
    return path


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        (
            "a file",
            "there, a file, should be the folder of a run, an empty folder or a new one; name another",
        ),
        ("below a file", "which is not a folder, should be"),
        ("a link to nothing", "a broken link, should be"),
        ("a link to itself", "a broken link, should be"),
        ("a pipe", "not a folder, should be"),
        ("a name too long", "File name too long, should be"),
        ("others' files", "which holds thesis.tex and no run, should be"),
        ("runs", "and no run, should be"),
        ("a published run", "a published run, which must not change, should be"),
        ("rows without a machine", "which holds rows.jsonl and no machine.json, should be"),
        ("rows without an environment", "which holds rows.jsonl and no environment.json, should be"),
        ("a damaged record", "should be a JSON object; restore the file"),
        ("a folder in the rows' place", "whose rows.jsonl is not a writable file, should be"),
        ("a pipe in the samples' place", "whose samples.jsonl is not a writable file, should be"),
    ],
)
def test_a_path_where_no_run_can_be_is_refused_in_a_sentence_and_left_as_it_is(tmp_path, kind, why):
    path = foreign(tmp_path, kind)
    before = tree(tmp_path)
    with pytest.raises(ValueError) as caught:
        begin(path, MACHINE, ENVIRONMENT)
    assert why in str(caught.value) and "\n" not in str(caught.value)
    assert tree(tmp_path) == before


def test_a_folder_that_the_system_refuses_is_refused_in_a_sentence(tmp_path, monkeypatch):
    def denied(*arguments, **options):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(Path, "mkdir", denied)
    for made in (
        lambda: begin(tmp_path / "run", MACHINE, ENVIRONMENT),
        lambda: start(tmp_path / "x", {}, {}),
    ):
        with pytest.raises(ValueError, match=r"got Permission denied, should be a folder to write to; name"):
            made()
    monkeypatch.setattr(os, "access", lambda *arguments: False)
    with pytest.raises(ValueError, match=r"run, below .*, which is not writable, should be"):
        begin(tmp_path / "run", MACHINE, ENVIRONMENT)


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ({"cpu": "Other"}, "cpu"),
        ({"cores": 64}, "cores"),
        ({"gpus": [{"name": "H200"}]}, "gpus"),
        ({"cpu": "Other", "gpus": []}, "cpu, gpus"),
    ],
)
def test_a_run_of_another_machine_is_not_gone_on_with(tmp_path, other, told):
    here = MACHINE | {"gpus": [{"name": "H100", "uuid": "1", "driver": "570"}]}
    begin(tmp_path / "run", here, ENVIRONMENT).release()
    before = tree(tmp_path)
    with pytest.raises(
        ValueError, match=rf"a run of another machine \(different {told}\), should be a run of this"
    ):
        begin(tmp_path / "run", here | other, ENVIRONMENT)
    assert tree(tmp_path) == before


def test_memory_that_grew_and_a_new_driver_make_no_other_machine(tmp_path):
    here = MACHINE | {"gpus": [{"name": "H100", "uuid": "1", "driver": "570"}]}
    run = begin(tmp_path / "run", here, ENVIRONMENT)
    run.release()
    grown = here | {
        "memory_gib": 96,
        "os": "Linux 7",
        "gpus": [{"name": "H100", "uuid": "2", "driver": "580"}],
    }
    assert begin(tmp_path / "run", grown, ENVIRONMENT).machine == run.machine == key(here)


def test_a_second_run_in_a_folder_is_refused_until_the_first_has_ended(tmp_path):
    first = begin(tmp_path / "run", MACHINE, ENVIRONMENT)
    with pytest.raises(
        ValueError, match="where another run is in progress, should be a free folder; wait for"
    ):
        begin(tmp_path / "run", MACHINE, ENVIRONMENT)
    first.release()
    begin(tmp_path / "run", MACHINE, ENVIRONMENT).release()


def test_a_run_that_was_killed_holds_no_folder(tmp_path):
    code = (
        "import os, signal, sys; from pathlib import Path; from bench.store.results import begin; "
        "run = begin(Path(sys.argv[1]), {'cpu': 'Acme'}, {}); os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "run")], check=False)
    assert (tmp_path / "run" / ".lock").exists()
    begin(tmp_path / "run", {"cpu": "Acme"}, {}).release()


def test_a_run_keeps_its_id_and_its_date_when_its_folder_is_renamed(run, tmp_path):
    run.append(row(run_id="20260102T030405Z-aaaaaaaa"))
    moved = run.folder.rename(tmp_path / "mine")
    assert resume(moved).id == "20260102T030405Z-aaaaaaaa"
    assert results.date(moved) == "2026-01-02"


CELL = Cell(
    "relu", "plain", "typical", "small", "x", "numpy", "eager", "cpu", "float64", "forward"
)  # fmt: skip
LINES = {
    "rows.jsonl": lambda run, many: run.append(row(why=many)),
    "curves.jsonl": lambda run, many: run.curve({"loss": many}),
    "fingerprints.jsonl": lambda run, many: run.fingerprint({"dtype": many}),
    "samples.jsonl": lambda run, many: run.sampled(CELL, Timing((1.0,) * len(many), (), (), 1, 1.0)),
    "environments.jsonl": lambda run, many: run.worker({"flags": many}),
    "moments.jsonl": lambda run, many: run.moment({"others_cores": many}),
    "roofs.jsonl": lambda run, many: run.roof({"dtype": many}),
}


def room(size):
    """Limit the files that this process can write to that many bytes."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


@pytest.mark.parametrize("name", LINES)
def test_a_line_for_which_there_is_no_room_leaves_the_file_as_it_was(run, name):
    file = run.folder / name
    LINES[name](run, "first")
    before = file.read_bytes()
    try:
        room(len(before) + 50)
        with pytest.raises(Unwritten) as caught:
            LINES[name](run, "second" * 100)
    finally:
        room(resource.RLIM_INFINITY)
    assert str(caught.value).startswith(
        f"{name}: got File too large, should be written whole to {run.folder}; "
    )
    assert f"add --results {run.folder} to continue" in str(caught.value)
    assert file.read_bytes() == before
    LINES[name](run, "third")
    assert len([json.loads(line) for line in file.read_text().splitlines()]) == 2


@pytest.mark.parametrize("end", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt(), 0])
@pytest.mark.parametrize("after", [0, 1, 3])
def test_a_row_that_is_written_in_pieces_is_whole_or_not_there(run, monkeypatch, end, after):
    honest, calls = os.write, []

    def short(handle, data):
        calls.append(len(data))
        if len(calls) <= after:
            return honest(handle, data[:7])
        if isinstance(end, int):
            return end
        raise end

    run.append(row())
    before = (run.folder / "rows.jsonl").read_bytes()
    monkeypatch.setattr(os, "write", short)
    with pytest.raises((Unwritten, KeyboardInterrupt)):
        run.append(row(mode="compile"))
    assert len(calls) == after + 1 and (run.folder / "rows.jsonl").read_bytes() == before
    monkeypatch.setattr(os, "write", lambda handle, data: honest(handle, data[:7]))
    run.append(row(mode="xla"))
    assert load(run.folder)["mode"].tolist() == ["eager", "xla"]


def test_a_file_is_written_whole_or_left_as_it_is(tmp_path):
    results.write(tmp_path / "report.md", "old")
    try:
        room(1000)
        with pytest.raises(OSError, match="File too large"):
            results.write(tmp_path / "report.md", "new" * 1000)
    finally:
        room(resource.RLIM_INFINITY)
    assert tree(tmp_path) == {"report.md": b"old"}
