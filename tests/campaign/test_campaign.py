"""A campaign: a rehearsal of a GPU run on a device that is really a CPU, and its time limit."""

import json
import os
import signal
import subprocess
import sys
import tarfile
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from bench import pages
from bench.campaign import runs
from bench.campaign.campaign import Campaign
from bench.campaign.pack import FAILURES, RUNS, pack
from bench.campaign.preflight import Started
from bench.campaign.probes import probe
from bench.campaign.steps import SMALL, Stage, Step, able, preflight, stages
from bench.size import main, on
from bench.speed.rounds import ROOF
from bench.store.results import load
from bench.worker import Died

SAFE = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}  # from Python 3.11.4 on
ROOT = Path(__file__).parent.parent.parent
FAKE = str(ROOT / "tests" / "fake_gpu.py")
NAMES = [f"{FAKE}:{name}" for name in ("FakeTorch", "FakeJax", "FakeAbsent")]
ONLY = "[softmax/plain/typical/small/ and forward"


def campaign(folder, *options, names=NAMES, **more):
    chosen = [word for name in names for word in ("--backend", name)]
    command = [sys.executable, "-m", "gaugeblock", "campaign", str(folder), *chosen, *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, **more)


def read(file):
    return [json.loads(line) for line in file.read_text().splitlines()]


@pytest.fixture(scope="module")
def rehearsed(tmp_path_factory, measured):
    """The folder of a short campaign on a simulated GPU, and its output."""
    pytest.importorskip("torch")
    pytest.importorskip("jax")
    folder = tmp_path_factory.mktemp("campaign") / "home"
    done = campaign(folder, "--seconds", "600", "--only", ONLY, env={**os.environ, **measured})
    return folder, done


def test_the_preflight_says_who_goes_on_and_why_others_do_not(rehearsed):
    _, done = rehearsed
    assert done.returncode == 0, done.stdout + done.stderr
    tries = [line for line in done.stdout.splitlines() if "once more" in line or "left out" in line]
    assert len(tries) == 1 or "once more" in tries[1], tries
    assert "preflight: Card 0, driver 570.1" in done.stdout
    assert "FakeAbsent is left out: no CUDA device here: the driver is too old" in done.stdout
    verdict = next(line for line in done.stdout.splitlines() if "PREFLIGHT" in line)
    assert "PREFLIGHT OK" in verdict and "FakeTorch" in verdict and "FakeJax" in verdict
    assert "FakeAbsent" not in verdict


@pytest.mark.parametrize("name", ["float64", "float32", "tf32", "bfloat16"])
def test_every_precision_has_its_verdicts(rehearsed, name):
    folder, done = rehearsed
    rows = load(folder / name)
    assert {"agrees"} <= set(rows.status) <= {"agrees", "absent"} and set(rows.device) == {"gpu"}
    assert len(set(rows[rows.status == "agrees"].backend)) == 2
    assert f"{name}: {len(rows)} cells, " in done.stdout
    modes = {"tf32"} if name == "tf32" else {"eager", "jit"}
    assert set(rows["mode"]) <= modes
    asked = {"tf32": ("high", "tensorfloat32")}.get(name, ("highest",))
    said = rows[rows.status == "agrees"].precision
    assert said.map(lambda words: any(f"matmul {each}" in words for each in asked)).all(), set(said)


def test_a_speed_says_what_the_card_did_and_who_set_the_pace(rehearsed):
    folder, _ = rehearsed
    rows = load(folder / "small")
    timed = rows[rows.median_s.notna()]
    assert len(set(timed.backend)) == 2 and set(timed.status) == {"agrees"}
    assert set(timed.sm_mhz) == {345} and set(timed.throttled) == {"power cap"}
    assert (timed.issue_s <= timed.median_s).all() and set(timed.cache) == {"hot"}
    samples = read(folder / "small" / "samples.jsonl")
    assert all(abs(at - time.time()) < 3600 for each in samples for at in each["times"])
    clocks = (folder / "clocks.csv").read_text().splitlines()
    assert clocks[0] == "time,sm_mhz,power_w,throttled" and clocks[1].endswith(",345,70.4,power cap")


def test_roofs_and_functions_are_measured_in_every_dtype(rehearsed):
    folder, _ = rehearsed
    roofs = read(folder / "roofs.jsonl")
    dtypes = {each["dtype"] for each in roofs if each["backend"].endswith("FakeTorch")}
    assert dtypes == {"float32", "tf32", "bfloat16", "float64", "float16"}
    assert all(each["flops_per_s"] for each in roofs if each["dtype"] in ("float32", "float64"))
    functions = read(folder / "functions.jsonl")
    assert {(each["backend"][-4:], each["dtype"]) for each in functions} == {
        (name, dtype) for name in ("orch", "eJax") for dtype in ("float32", "float64")
    }
    assert all(each["rms"] < 4 for each in functions if each["function"] in ("sqrt", "divide"))


def test_what_must_be_brought_home_is_in_two_archives(rehearsed, tmp_path):
    folder, _ = rehearsed
    assert {file.name for file in folder.glob("*.gz")} == {RUNS, FAILURES}
    with tarfile.open(folder / RUNS) as opened:
        opened.extractall(tmp_path, **SAFE)
        assert not [name for name in opened.getnames() if name.endswith((".lock", ".gz", ".part"))]
    assert len(load(tmp_path)) == len(load(folder))
    assert {"roofs.jsonl", "functions.jsonl", "clocks.csv"} <= {file.name for file in tmp_path.iterdir()}
    assert (tmp_path / "campaign.log").read_text().count("PREFLIGHT OK") == 1


def test_the_same_command_goes_on_where_the_last_one_ended(rehearsed):
    folder, _ = rehearsed
    before = {file: file.read_bytes() for file in folder.rglob("rows.jsonl")}
    probes = (folder / "roofs.jsonl").read_bytes()
    done = campaign(folder, "--seconds", "600", "--only", ONLY)
    assert done.returncode == 0 and "PREFLIGHT OK" in done.stdout
    for file, rows in before.items():
        kept = {line for line in rows.splitlines() if b'"absent"' not in line}
        again = file.read_bytes().splitlines()
        assert kept <= set(again)
        assert {line for line in again if b'"absent"' not in line} == kept
    assert (folder / "roofs.jsonl").read_bytes() == probes


def test_a_machine_that_is_no_use_is_said_to_be_so_at_once(tmp_path):
    done = campaign(tmp_path / "home", "--seconds", "60", names=NAMES[2:])
    assert done.returncode == 1
    assert "PREFLIGHT BAD: no usable backend" in done.stdout
    assert (tmp_path / "home" / RUNS).exists() and not (tmp_path / "home" / "float32").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--device", "tpu"], "--device: got 'tpu', should be one of cpu, gpu"),
        (["--backend", "tourch"], "backend: got 'tourch', should be one of"),
    ],
)
def test_what_is_asked_wrongly_is_one_line(tmp_path, options, words):
    done = campaign(tmp_path / "home", *options, names=[])
    assert done.returncode == 2 and words in done.stderr and "Traceback" not in done.stderr
    assert not (tmp_path / "home").exists()


def test_without_a_name_every_framework_that_is_installed_goes():
    found = able([], "gpu")
    assert "numpy" not in found and {"torch", "jax"} & {*found}


# ---- steps ----


def test_steps_name_cases_and_sizes_that_there_are():
    cases = pages.cases()
    assert set(SMALL) <= set(cases)
    found = stages(("torch", "jax"), "gpu")
    assert sum(stage.share for stage in found) <= 1.1
    steps = {step.name: " ".join(step.options) for stage in found for lane in stage.lanes for step in lane}
    (beside,) = found[0].beside
    places = [word for word in beside.options if word.count("/") == 3]
    assert all(f"[{place}/" in steps["large"] for place in places)  # and no case that ends so
    assert all(f"[{place}/" in steps["float32"].rpartition(" and not (")[2] for place in places)
    sizes_of_headlines = {
        (case.name, on(case, each, "gpu", main(case, each)))
        for case in cases.values() for each in case.headlines if "gpu" in case.devices
    }  # fmt: skip
    assert {(case, size) for case, _, _, size in (place.split("/") for place in places)} == sizes_of_headlines
    assert "nothing" not in " ".join(steps.values())
    assert "softmax/plain/typical/small" in steps["bfloat16"]
    assert all("and (lstm)" in " ".join(step.options) for stage in stages(("torch",), "gpu", "lstm")
               for lane in stage.lanes for step in lane)  # fmt: skip
    assert "(lstm)" in " ".join(preflight("lstm").options)


# ---- time ----


def small(tmp_path, seconds=60.0, **more):
    said = []
    given = {"device": "gpu", "only": "", "say": said.append, **more}
    return Campaign(tmp_path, tmp_path, ["torch"], seconds=seconds, **given), said


@pytest.fixture
def under_way(monkeypatch):
    """Steps that end when stopped, or after a while; `log` has the start and end of each."""
    log = []

    def run(step, folder, device, backends, end, stops):
        log.append(("begins", step.name))
        while not any(stop.is_set() for stop in stops):
            if step.command == "run" and time.monotonic() > until[step.name]:
                break
            time.sleep(0.01)
        else:
            log.append(("is stopped", step.name))
            return None
        log.append(("ends", step.name))
        return 0

    until = {name: time.monotonic() + 0.3 for name in "abc"}
    monkeypatch.setattr("bench.campaign.campaign.runs.run", run)
    return log


@pytest.mark.parametrize(("cores", "side_by_side"), [(16, True), (2, False)])
def test_lanes_run_side_by_side_where_there_are_cores_for_it(
    tmp_path, monkeypatch, under_way, cores, side_by_side
):
    monkeypatch.setattr("os.cpu_count", lambda: cores)
    lanes = ((Step("a", ()),), (Step("b", ()), Step("c", ())))
    stage = Stage("x", 1.0, lanes, beside=(Step("beside", (), "derive"),))
    found, _ = small(tmp_path)
    found._stage(stage, time.monotonic() + 20)
    assert {name for what, name in under_way if what == "ends"} == {"a", "b", "c"}
    order = [each for each in under_way if each[1] in "ab"]
    assert (order.index(("begins", "b")) < order.index(("ends", "a"))) == side_by_side
    assert (("is stopped", "beside") in under_way) == side_by_side
    assert not found.cut and not found.broken


def test_what_a_stage_leaves_is_shared_by_those_that_follow(tmp_path, monkeypatch):
    found, _ = small(tmp_path, seconds=600.0)
    monkeypatch.setattr(found, "_preflight", lambda: ["torch"])
    given = {}
    monkeypatch.setattr(
        found, "_stage", lambda stage, end: given.update({stage.name: end - time.monotonic()})
    )
    assert found.run()
    assert list(given) == ["verdicts", "probes", "large", "small", "energy"]
    assert given["energy"] == pytest.approx(found.left, abs=2)  # nobody else needs it
    assert given["verdicts"] < 0.5 * found.left < given["small"]


def test_a_step_that_raises_costs_itself_and_fails_the_campaign(tmp_path, monkeypatch):
    ran = []

    def run(step, *given):
        ran.append(step.name)
        if step.name == "a":
            raise OSError(28, "No space left on device")
        return 0

    monkeypatch.setattr("bench.campaign.campaign.runs.run", run)
    found, said = small(tmp_path)
    found._stage(Stage("x", 1.0, ((Step("a", ()), Step("b", ())),)), time.monotonic() + 20)
    assert ran == ["a", "b"] and found.broken == ["a"]
    assert "a: OSError: [Errno 28] No space left on device" in said[0]


def test_a_step_without_time_is_named_and_left_for_the_next_call(tmp_path, under_way):
    found, said = small(tmp_path)
    found._step(Step("a", ()), time.monotonic() + 1, ["torch"])
    assert found.cut == ["a"] and said[-1].endswith("a: no time left") and not under_way


@pytest.mark.parametrize("better", [True, False])
def test_a_backend_without_a_speed_is_tried_once_more(tmp_path, monkeypatch, better):
    ran = []

    def rows(step, folder):
        good = better and step.name == "preflight-again"
        return [
            {"backend": "jax", "median_s": 1.0},
            {"backend": "torch", "median_s": 1.0 if good else None, "status": "error", "why": "it was late"},
        ]

    def run(step, folder, device, backends, *given):
        ran.append((step.name, *backends))
        return 0

    monkeypatch.setattr("bench.campaign.campaign.runs.run", run)
    monkeypatch.setattr("bench.campaign.campaign.runs.rows", rows)
    monkeypatch.setattr(
        "bench.campaign.campaign.started", lambda names, *given: [Started(name, 1.0, {}) for name in names]
    )
    found, said = small(tmp_path)
    found.backends = ["torch", "jax"]
    assert found._preflight() == (["torch", "jax"] if better else ["jax"])
    assert ran == [("preflight", "torch", "jax"), ("preflight-again", "torch")]
    assert "once more, because of no speed was taken; error: it was late" in "".join(said)


COMMANDS = {
    "ends": "print('last words')",
    "fails": "import sys; print('last words'); sys.exit(3)",
    "hears": "import time\ntry: time.sleep(60)\nexcept KeyboardInterrupt: print('heard')",
    "deaf": "import signal, time\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nprint('deaf', flush=True)\n"
    "time.sleep(60)",
}


@pytest.fixture
def heard():
    """Ctrl-C is handled as around a campaign; the process that runs the tests may ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize(("kind", "code"), [("ends", 0), ("fails", 3), ("hears", None), ("deaf", None)])
def test_a_step_ends_by_itself_or_is_ended_in_time(tmp_path, monkeypatch, heard, kind, code):
    monkeypatch.setattr(runs, "_command", lambda *given: [sys.executable, "-c", COMMANDS[kind]])
    monkeypatch.setattr(runs, "GRACE", 1.0)
    start = time.monotonic()
    step = Step(kind, ())
    assert runs.run(step, tmp_path, "gpu", ["torch"], start + 4, []) == code
    assert time.monotonic() - start < 12
    words = {"hears": "heard", "deaf": "deaf"}.get(kind, "last words")
    assert runs.last_words(step, tmp_path) == words
    stop = threading.Event()
    stop.set()
    start = time.monotonic()
    assert runs.run(Step("hears", ()), tmp_path, "gpu", [], start + 60, [stop]) in (None, code)
    assert time.monotonic() - start < 8


def test_a_step_that_ends_as_no_run_does_is_told_and_fails_the_campaign(tmp_path, monkeypatch):
    monkeypatch.setattr(runs, "_command", lambda *given: [sys.executable, "-c", COMMANDS["fails"]])
    found, said = small(tmp_path)
    found._step(Step("a", ()), time.monotonic() + 20, ["torch"])
    assert found.broken == ["a"] and "exit code 3: last words" in said[-1]


def test_what_must_come_home_of_failing_cells_is_no_larger_than_may(tmp_path, monkeypatch):
    for name in "abc":
        (tmp_path / "run" / "failures" / name).mkdir(parents=True)
        (tmp_path / "run" / "failures" / name / "cell.json").write_text("{}")
        (tmp_path / "run" / "failures" / name / "got.npz").write_bytes(os.urandom(1000))
    monkeypatch.setattr("bench.campaign.pack.ROOM", 2500)
    pack(tmp_path, tmp_path)
    with tarfile.open(tmp_path / FAILURES) as opened:
        names = [name.rpartition("/")[2] for name in opened.getnames()]
    assert names.count("cell.json") == 3 and names.count("got.npz") == 2


def test_a_probe_that_went_wrong_is_asked_again(tmp_path):
    one = []

    def ask(cell, function, *arguments):
        one.append(function)
        if len(one) == 1:
            raise Died("the worker died: exit code 3")
        return {"flops_per_s": 1e12, "copy_bytes_per_s": 1e9} if function == ROOF else []

    said = []
    workers = SimpleNamespace(ask=ask)
    probe(tmp_path, ["torch"], "cpu", workers, said.append, lambda: 100.0)
    assert "roofs of torch cpu float32: the worker died: exit code 3" in said
    again = len(one)
    probe(tmp_path, ["torch"], "cpu", workers, said.append, lambda: 100.0)
    assert one[again] == ROOF and "roofs of torch cpu float32: 1,000 GFLOP/s, 1 GB/s copied" in said
    probe(tmp_path, ["torch"], "cpu", workers, said.append, lambda: 0.0)
    assert not [line for line in said if "roofs" in line and "no time" in line]


def test_an_archive_is_there_whole_or_not_at_all(tmp_path, monkeypatch):
    folder, into = tmp_path / "runs", tmp_path / "out"
    (folder / "a" / "failures" / "one").mkdir(parents=True)
    into.mkdir()
    (folder / "a" / "rows.jsonl").write_text("{}\n")
    (folder / "a" / "failures" / "one" / "cell.json").write_text("{}")
    (folder / "a" / "failures" / "one" / "got.npz").write_bytes(b"0" * 300_000)
    pack(folder, into)
    for name, kept in ((RUNS, "a/rows.jsonl"), (FAILURES, "a/failures/one/cell.json")):
        with tarfile.open(into / name) as opened:
            assert opened.getnames() == [kept]
    vanished = folder / "a" / "gone.jsonl"
    vanished.touch()
    honest = tarfile.TarFile.add

    def add(self, name, *given, **more):
        Path(name).unlink() if Path(name) == vanished else None
        return honest(self, name, *given, **more)

    with monkeypatch.context() as patched:
        patched.setattr(tarfile.TarFile, "add", add)
        pack(folder, into)  # what was written aside has another name by now
    before = (into / RUNS).read_bytes()
    monkeypatch.setattr(tarfile.TarFile, "add", lambda *given, **more: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        pack(folder, into)
    assert (into / RUNS).read_bytes() == before
