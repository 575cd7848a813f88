"""The door `gaugeblock`: every command, and what it says when it is asked wrongly."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

import suites
from bench import backends, cli, pages
from bench.case import Case, Contender, Limit, Refusal
from bench.report import doctor
from bench.report.inventory import about, inventory
from bench.run.pytest_plugin import arguments
from bench.store.results import start
from bench.store.row import COLUMNS, STATUSES
from tests.rows import ENVIRONMENT, MACHINE, row


def gaugeblock(*arguments):
    return CliRunner().invoke(cli.app, list(map(str, arguments)))


@pytest.fixture
def house(tmp_path, monkeypatch):
    """A folder with one finished run, as the current one."""
    monkeypatch.chdir(tmp_path)
    run = start(Path("results/local"), MACHINE, ENVIRONMENT)
    run.append(row(run_id="", machine="", environment=""))
    (run.folder / "report.md").write_text("# Report\n")
    return run


def page(**other):
    limit = Limit("jax", "softmax in float32", "functions.py:9", {"backend": "jax"}, name="softmax")
    contenders = (
        Contender("torch", "torch.nn.X", lambda: None, {"bias": "it has none"}, modes=("eager",)),
        Contender(
            "jax",
            "jax.x",
            lambda: None,
            variant="fast",
            directions=("forward",),
            refuses=[Refusal("a*", "no", {"onednn": False}, "b*")],
        ),
        Contender("jax", "jax.y", lambda: None),
    )
    known = {
        "name": "case", "title": "A case", "inputs": dict, "sizes": {"small": {"n": 2}},
        "contenders": contenders, "items": lambda **_: 1, "unit": "rows", "flops": lambda **_: 1,
        "reference": dict, "gradient": dict,
        "options": {"plain": {}, "bias": {"bias": True}}, "limits": (limit,),
    }  # fmt: skip
    return Case(**{**known, **other})


def test_no_command_shows_the_commands():
    text = gaugeblock("--help").output
    assert all(name in text for name in ("doctor", "list", "run", "report", "publish"))


def test_python_m_gaugeblock_is_the_same_command():
    answer = subprocess.run([sys.executable, "-m", "gaugeblock", "--help"], capture_output=True, text=True)
    assert answer.returncode == 0 and "gaugeblock" in answer.stdout


# doctor


def test_the_doctor_names_machine_versions_and_what_is_absent(monkeypatch):
    monkeypatch.setenv("XLA_FLAGS", "--x")
    text = gaugeblock("doctor", "--fast").output
    assert "What was found here" in text and "numpy" in text and "not probed" in text and "$XLA_FLAGS" in text


@pytest.mark.parametrize(("used", "said"), [(1.4, True), (0.05, False)])
def test_the_doctor_says_first_that_the_machine_is_busy(monkeypatch, used, said):
    monkeypatch.setattr(doctor, "moment", lambda: {"others_cores": used, "cores": 2})
    first = doctor.findings(fast=True)[0].rows[0]
    assert (first == ("busy", "other processes use 1.4 of 2 cores")) is said
    assert (first[0] == "machine") is not said


def test_a_framework_is_probed_in_a_process_of_its_own():
    found = doctor.probe("numpy", "cpu")
    assert found["threads"] == os.cpu_count() and found["precision"] and "absent" not in found


def test_the_doctor_probes_unless_it_is_to_be_fast(monkeypatch):
    monkeypatch.setattr(doctor, "SHIPPED", {"numpy": "NumPy"})
    text = gaugeblock("doctor").output
    assert "are as each framework reports them" in text and "as the dtype" in text
    assert "float32" not in text, "the arithmetic takes minutes"
    text = gaugeblock("doctor", "--full").output
    assert "Fingerprints of the arithmetic" in text and "float32" in text and "float64" in text


def test_the_doctor_probes_a_backend_that_is_named_and_says_which_can_be(monkeypatch):
    monkeypatch.setattr(doctor, "SHIPPED", {})
    assert "hasty" not in gaugeblock("doctor", "--fast").output, "it is there to fail"
    text = gaugeblock("doctor", "--fast", "keras-torch").output
    assert "\nkeras-torch  cpu" in text and "adds a backend: onnxruntime, keras-jax" in text
    answer = gaugeblock("doctor", "nope")
    assert answer.exit_code == 2 and "backend: got 'nope', should be one of numpy" in answer.stderr


def test_what_is_not_installed_is_absent_with_its_reason(monkeypatch):
    monkeypatch.setattr(backends.backend("numpy"), "packages", ("no-such-package",))
    reason = "numpy is not installed (pip install no-such-package)"
    assert doctor.installed("numpy", "cpu") == doctor.probe("numpy", "cpu") == {"absent": reason}


def test_a_plug_in_that_does_not_load_costs_one_line():
    found = doctor.installed("nothing-of-that-name", "cpu")
    assert found["absent"].startswith("ValueError: backend: got 'nothing-of-that-name'")


@pytest.mark.parametrize(
    ("raised", "expected"),
    [(backends.Absent("no card"), "no card"), (RuntimeError("bad driver"), "RuntimeError: bad driver")],
)
def test_what_a_framework_raises_is_why_it_is_absent(monkeypatch, raised, expected):
    def refuse(self, device, dtype):
        raise raised

    monkeypatch.setattr(backends.backend("numpy"), "__init__", refuse)
    assert doctor.ask("numpy", "cpu")["absent"] == expected


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("import sys; sys.exit('broken library')", "ended with 1: broken library"),
        ("import os; os._exit(3)", "no last words"),
    ],
)
def test_a_process_that_dies_leaves_its_last_words(monkeypatch, code, expected):
    honest = subprocess.run
    monkeypatch.setattr(
        doctor.subprocess, "run", lambda _, **more: honest([sys.executable, "-c", code], **more)
    )
    assert expected in doctor.probe("numpy", "cpu")["absent"]


def test_a_process_that_hangs_is_given_up(monkeypatch):
    def hang(arguments, **more):
        raise subprocess.TimeoutExpired(arguments, more["timeout"])

    monkeypatch.setattr(doctor.subprocess, "run", hang)
    assert doctor.probe("numpy", "cpu")["absent"] == "gave no answer in 180 s"


# list


def test_the_list_has_every_case():
    text = gaugeblock("list").output
    assert all(name[:20] in text for name in pages.cases())


def test_a_named_case_is_shown_whole():
    name = next(iter(pages.cases()))
    text = gaugeblock("list", name).output
    assert text.strip().startswith(f"{name}: ")


def test_a_case_that_does_not_exist_is_refused_with_those_that_do():
    answer = gaugeblock("list", "nothing")
    assert answer.exit_code == 2 and "got 'nothing', should be one of" in answer.stderr


def test_inventory_counts_contenders_and_about_tells_their_gaps():
    (table,) = inventory([page()])
    assert table.title == "1 formula" and table.rows == [("case", "plain, bias", "small", "torch, jax 2")]
    (table,) = about(page())
    assert ("torch", "torch.nn.X", "modes eager; without bias: it has none") in table.rows
    assert (
        "jax",
        "jax.x:fast",
        "every mode; forward only; refuses a* on b* without onednn: no",
    ) in table.rows
    assert ("limit", "softmax", "jax: softmax in float32 (functions.py:9)") in table.rows
    assert ("size", "small", "n=2") in table.rows and ("option", "plain", "as it is") in table.rows
    training = page(reference=None, gradient=None, step=dict, start=dict)
    assert "(training, in rows)" in about(training)[0].title


def test_every_status_and_column_has_its_meaning_in_words():
    text = gaugeblock("list", "--meanings", "--markdown").output
    assert all(f"| {name} |" in text for name in (*STATUSES, *COLUMNS))
    assert "| ✓ | agrees |" in text


# run


def test_run_hands_everything_to_pytest(monkeypatch):
    seen = []
    monkeypatch.setattr(pytest, "main", lambda words: seen.extend(words) or 3)
    answer = gaugeblock("run", "--backend", "torch", "-k", "attention", "--smoke")
    folder = next(iter(suites.__path__))
    assert answer.exit_code == 3
    assert seen[-5:] == [str(folder), "--backend", "torch", "-k", "attention", "--smoke"][-5:]
    assert str(folder) in seen and f"--rootdir={folder}" in seen
    assert seen[seen.index("-c") + 1] == str(Path(folder) / "pytest.ini")


def test_a_rows_node_id_means_the_installed_folder():
    folder = next(iter(suites.__path__))
    words = arguments(["suites/test_suites.py::test_agree[a/b]", "--seed", "0"])
    assert words[-3:] == [f"{folder}/test_suites.py::test_agree[a/b]", "--seed", "0"]
    assert folder not in words
    assert arguments(["suites/"])[-1] == arguments(["suites"])[-1] == folder


def test_run_works_in_any_folder(tmp_path):
    words = [
        sys.executable,
        "-m",
        "gaugeblock",
        "run",
        "--collect-only",
        "-q",
        "--smoke",
        "--backend",
        "numpy",
    ]
    path = str(Path(cli.__file__).parent.parent)
    answer = subprocess.run(
        words, cwd=tmp_path, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "test_agree[" in answer.stdout
    assert {each.name for each in tmp_path.iterdir()} <= {".benchmarks"}  # pytest-benchmark's own


# report and publish


def test_report_is_on_the_newest_run_unless_it_is_told(house):
    assert house.id in gaugeblock("report").stdout
    assert house.id in gaugeblock("report", house.folder).stdout
    assert gaugeblock("report", "--markdown").stdout.startswith("# Gaugeblock report\n")
    assert gaugeblock("report", "--all").exit_code == 0


def test_publish_names_the_folder_and_refuses_twice(house):
    answer = gaugeblock("publish")
    assert answer.exit_code == 0 and Path(answer.stdout.strip(), "rows.jsonl").is_file()
    again = gaugeblock("publish", house.folder)
    assert again.exit_code == 2 and "is published already" in again.stderr


@pytest.mark.parametrize("words", [["report"], ["report", "nowhere"], ["publish"], ["publish", "nowhere"]])
def test_a_wrong_path_is_one_line_and_exit_code_2(tmp_path, monkeypatch, words):
    monkeypatch.chdir(tmp_path)
    answer = gaugeblock(*words)
    assert answer.exit_code == 2 and answer.stderr.startswith("gaugeblock: ")
    assert len(answer.stderr.splitlines()) == 1


def test_the_answer_of_a_probe_is_json(capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["doctor", "numpy", "cpu"])
    doctor.main()
    assert json.loads(capsys.readouterr().out)["version"]


# flops


def test_flops_that_no_counter_confirms_are_listed_and_nothing_is_written_for_single_cases(
    monkeypatch, tmp_path
):
    monkeypatch.setattr("bench.studies.counters.study", lambda cases, sizes: [])
    answer = gaugeblock("flops", "relu", "--results", str(tmp_path))
    assert answer.exit_code == 1 and "relu: no counter confirms its flops" in answer.output
    assert not list(tmp_path.iterdir())
    assert "should be one of" in gaugeblock("flops", "nothing").output
