"""Options of pytest and pytest-benchmark: each does what it says, or is refused with a sentence."""

import json
import subprocess
import sys
from importlib.util import find_spec
from types import SimpleNamespace
from xml.etree import ElementTree

import pytest

from bench.run import options
from bench.store.rows import load
from tests.runs import FEW, RUN, SUITES, suites

NUMPY = [*FEW, "--backend", "numpy"]
SPEED = [
    "-k",
    "softmax/plain/typical and float32 and not log and gradient",
    "--backend",
    "numpy",
    "--size",
    "small",
]
WRONG = """
from bench.backends.numpy import NumPy


def wrong(weights, **option):
    def run(params, x, **data):
        return {"y": 2 * x @ params["W"] + params["b"]}

    run.vjp = lambda params, data, cotangents: {"x": data["x"], **params}
    return weights, run


class Wrong(NumPy):
    name = "wrong"
    builds = {"linear-regression": wrong}
"""
# started once: each of these is refused before anything is imported but pytest and the suites' own
REFUSED = """
import json, sys, pytest

for words in json.load(sys.stdin):
    print("\\n>>>", int(pytest.main([sys.argv[1], "-p", "no:cacheprovider", *words])), flush=True)
"""
SENTENCES = {
    ("-n", "2"): "-n: got 2, should be left out: pytest suites/ starts its own workers",
    ("-n", "auto"): ", should be left out: pytest suites/ starts its own workers",
    ("--dist", "loadfile"): "--dist: got loadfile, should be left out: pytest suites/ starts its own workers",
    ("-p", "no:benchmark"): "pytest-benchmark: got it switched off, should be on, because it shows",
    ("--benchmark-warmup=on",): "--benchmark-warmup: got it, should be left out: workers take the samples",
    ("--benchmark-min-rounds", "5"): "--benchmark-min-rounds: got it, should be left out: workers take",
    ("--benchmark-timer=time.time",): "--benchmark-timer: got it, should be left out: workers take",
    ("--benchmark-cprofile=tottime",): "--benchmark-cprofile: got it, should be left out: workers take",
    (
        "-o",
        "addopts=--benchmark-max-time=1",
    ): "--benchmark-max-time: got it, should be left out: workers take",
    ("--benchmark-disable", "--benchmark-save=x"): "--benchmark-disable and --benchmark-save: got both",
    ("--benchmark-skip", "--benchmark-compare"): "--benchmark-skip and --benchmark-compare: got both",
    ("--benchmark-compare-fail=min:5%",): "--benchmark-compare-fail: got no --benchmark-compare, should have",
    (
        "--benchmark-compare-fail=min:5%",
        "-p",
        "no:terminal",
    ): "--benchmark-compare-fail: got -p no:terminal, should be with",
    (
        "--benchmark-json",
        "gone/x.json",
    ): "--benchmark-json: got gone/x.json, should be a file in a writable folder",
    ("--benchmark-save=x", "--benchmark-storage=file://mine/x"): "--benchmark-storage: got mine/x, below",
    ("--results", "mine"): "--results: got mine, a file, should be the folder of a run",
    ("--results", "a", "--results", "b"): "--results: got a and b, should be one folder",
}


@pytest.fixture(scope="module")
def refused(tmp_path_factory):
    """What pytest said to each of those options, and its exit code; and what is there afterwards."""
    folder = tmp_path_factory.mktemp("refused")
    (folder / "mine").touch()
    done = subprocess.run(
        [sys.executable, "-c", REFUSED, str(SUITES)],
        cwd=folder, input=json.dumps(list(SENTENCES)), text=True, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, check=False,
    )  # fmt: skip
    said, codes = [], []
    for part in done.stdout.split("\n>>> ")[1:]:
        code, _, after = part.partition("\n")
        codes.append(int(code))
        said.append(after)
    said = [done.stdout.split("\n>>> ")[0], *said]
    return dict(zip(SENTENCES, zip(codes, said, strict=False), strict=True)), folder


@pytest.mark.parametrize("words", SENTENCES, ids=" ".join)
def test_an_option_that_cannot_do_what_it_says_is_refused_in_a_sentence(refused, words):
    found, folder = refused
    code, said = found[words]
    assert code == 4 and SENTENCES[words] in said, said
    assert "Traceback" not in said
    assert {each.name for each in folder.iterdir()} <= {"mine", ".benchmarks"}  # pytest-benchmark's own


def test_what_is_drawn_needs_what_draws_it(monkeypatch):
    option = SimpleNamespace(
        **dict.fromkeys([f"benchmark_{each}" for each in (*options.SPEEDS, "only", "skip", "autosave")]),
        benchmark_disable=False, benchmark_enable=False, benchmark_storage="x",
    )  # fmt: skip
    option.benchmark_histogram = ["x"]
    config = SimpleNamespace(
        option=option, invocation_params=SimpleNamespace(args=[]), getini=lambda name: []
    )
    monkeypatch.setattr(options, "find_spec", lambda name: None)
    with pytest.raises(
        ValueError, match="--benchmark-histogram: got no pygal, which draws it, should be installed"
    ):
        options.check(config)


@pytest.fixture(scope="module")
def wrong(tmp_path_factory):
    """A run with a backend that is wrong, with an XML report of it, and one of what failed in it."""
    folder = tmp_path_factory.mktemp("wrong")
    (folder / "mine.py").write_text(WRONG)
    chosen = ["--backend", "mine.py:Wrong", *NUMPY, "--results", "run", "-p", "cacheprovider"]
    cached = ["-o", f"cache_dir={folder / 'cached'}"]
    first = suites(folder, *chosen, *cached, "--junitxml=all.xml", "--durations=2", "-vv")
    return folder, first, suites(folder, *chosen, *cached, "--lf", "-x")


def test_an_xml_report_has_every_status_and_its_reason(wrong):
    folder, first, _ = wrong
    assert first.returncode == 1, first.stdout[-2000:]
    cases = list(ElementTree.parse(folder / "all.xml").iter("testcase"))
    told = {
        case.get("name"): {each.get("name"): each.get("value") for each in case.iter("property")}
        for case in cases
    }
    rows = load(folder / "run")
    assert len(rows) == len(told) == 4
    assert sorted(each["status"] for each in told.values()) == sorted(rows.status)
    assert {each["why"] for each in told.values() if "why" in each} == set(rows.why) - {""}
    failures = [each.get("message") for case in cases for each in case.iter("failure")]
    assert len(failures) == 2 and all(
        "disagrees: " in each and "\nagain: pytest" in each for each in failures
    )


def test_durations_are_those_of_the_cells(wrong):
    _, first, _ = wrong
    assert "slowest 2 durations" in first.stdout and "s call " in first.stdout


def test_what_failed_alone_runs_again_and_the_first_failure_stops(wrong):
    _, _, again = wrong
    assert again.returncode == 1
    assert "1 failed" in again.stdout and " passed" not in again.stdout
    assert "stopping after 1 failures" in again.stdout


def test_benchmark_disable_takes_no_time_and_reports_no_speed(tmp_path):
    done = suites(tmp_path, *SPEED, "--results", "run", "--benchmark-disable", "-W", "error")
    assert done.returncode == 0 and "2 passed" in done.stdout, done.stdout[-2000:]
    assert load(tmp_path / "run").median_s.isna().all()
    assert "Throughput" not in done.stdout and "Speed at" not in done.stdout
    assert "Speed: none was measured." in done.stdout
    assert not (tmp_path / "run" / "samples.jsonl").exists()
    assert (tmp_path / "run" / "report.md").exists()


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A run whose speeds are saved."""
    folder = tmp_path_factory.mktemp("saved")
    done = suites(folder, *SPEED, *KEPT, "--benchmark-only", "--benchmark-save=mine")
    assert done.returncode == 0, done.stdout[-2000:]
    return folder, done


KEPT = ["--results", "run", "--benchmark-storage", "kept"]


def again(folder, *words):
    """That run gone on with, which measures nothing anew; all that it printed."""
    done = suites(folder, *SPEED, *KEPT, "--benchmark-only", *words)
    return done.returncode, done.stdout + done.stderr


def slower(folder, times):
    """The saved run as another one, in which all was so many times quicker."""
    (file,) = folder.glob("kept/*/0001_mine.json")
    found = json.loads(file.read_text())
    for each in found["benchmarks"]:
        each["stats"] = {
            name: value / times if isinstance(value, float) else value
            for name, value in each["stats"].items()
        }
    number = len(list(file.parent.iterdir())) + 1
    file.with_name(f"{number:04}_quick.json").write_text(json.dumps(found))
    return f"{number:04}"


def test_saved_speeds_are_those_of_the_rows_and_the_place_is_told(saved):
    folder, done = saved
    (file,) = folder.glob("kept/*/0001_mine.json")
    assert f"Saved benchmark data in: {file}" in done.stderr
    (benchmark,) = json.loads(file.read_text())["benchmarks"]
    (row,) = load(folder / "run").itertuples()
    assert benchmark["stats"]["median"] == pytest.approx(row.median_s)
    assert "Name (time in" not in done.stdout  # the table is for who asks


def test_a_run_that_is_gone_on_with_is_compared_by_the_samples_it_has(saved):
    folder, _ = saved
    before = (folder / "run" / "samples.jsonl").read_bytes()
    drawn = ["--benchmark-histogram=drawn"] if find_spec("pygal") else []
    code, printed = again(folder, "--benchmark-compare=0001", "--benchmark-compare-fail=median:1%", *drawn)
    assert code == 0 and "(NOW)" in printed and "(0001_mine)" in printed, printed[-2000:]
    assert len(list(folder.glob("drawn*.svg"))) == len(drawn)
    assert (folder / "run" / "samples.jsonl").read_bytes() == before


def test_a_regression_fails_the_run_whose_report_is_there_all_the_same(saved):
    folder, _ = saved
    number = slower(folder, 1000)
    code, printed = again(folder, f"--benchmark-compare={number}", "--benchmark-compare-fail=median:50%")
    assert code == 1 and "Performance has regressed" in printed and "Traceback" not in printed
    assert (folder / "run" / "report.md").exists() and "What ran" in printed


@pytest.mark.parametrize(
    ("found", "code", "told"),
    [
        ("none", 4, "--benchmark-compare-fail: got no saved run to compare with in "),
        (
            "others",
            1,
            "--benchmark-compare-fail: got 1 speeds, none of which is in the saved run, should",
        ),
    ],
)
def test_a_comparison_with_nothing_does_not_pass(saved, found, code, told):
    folder, _ = saved
    number = slower(folder, 1) if found == "others" else "9999"
    for file in folder.glob(f"kept/*/{number}_quick.json"):
        file.write_text(file.read_text().replace("softmax", "hardmax"))
    given, printed = again(folder, f"--benchmark-compare={number}", "--benchmark-compare-fail=median:50%")
    assert given == code and told in printed and "Traceback" not in printed


def test_a_run_without_a_terminal_and_beside_tests_of_others_has_its_report(tmp_path):
    (tmp_path / "test_mine.py").write_text(
        "import pytest\n\n\n@pytest.mark.parametrize('cell', [1])\ndef test_mine(cell):\n    assert cell\n"
    )
    xml = ["--junitxml=all.xml", "-p", "no:terminal"]
    done = subprocess.run(
        [*RUN, "test_mine.py", *NUMPY[:1], "-k", "mine or linear-regression/ and not simple", *NUMPY[3:],
         "--results", "run", *xml],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    names = {case.get("name") for case in ElementTree.parse(tmp_path / "all.xml").iter("testcase")}
    assert len(names) == 3 and "test_mine[1]" in names
    assert (tmp_path / "run" / "report.md").exists() and done.stdout == ""


def test_what_is_only_listed_or_planned_leaves_no_folder(tmp_path):
    for words in (["--collect-only"], ["--setup-plan"]):
        done = suites(tmp_path, *NUMPY, *words, "--results", "run")
        assert done.returncode == 0, done.stdout
        assert not (tmp_path / "run").exists()
