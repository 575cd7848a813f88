"""A run of many cells: what a test sees of it, and what is left when it ends badly."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bench.machine.isa import available
from bench.speed.rounds import FEWEST, MOST
from bench.store.results import load
from bench.store.rows import environments, fingerprints

ROOT = Path(__file__).parent.parent.parent
WRONG = """
from bench.backends.numpy import NumPy


def twice_too_large(weights, **option):
    def run(params, x, **data):
        return {"y": 2 * x @ params["W"] + params["b"]}

    def vjp(params, data, cotangents):
        dy = 2 * cotangents["y"]
        return {"x": dy @ params["W"].T, "W": data["x"].T @ dy, "b": cotangents["y"].sum(0)}

    run.vjp = vjp
    return weights, run


def dies(weights, **option):
    import os

    print("last words", flush=True)
    os._exit(3)


class Wrong(NumPy):
    name = "wrong"
    builds = {"linear-regression": twice_too_large}


class WrongToo(NumPy):
    name = "wrong-too"
    builds = {"linear-regression": twice_too_large}


class Right(NumPy):
    name = "right"


class Dies(NumPy):
    name = "dies"
    builds = {"linear-regression": dies}
"""

WRONG_TORCH = """
from bench.backends.torch import Torch

FACTOR = 2


def twice_too_large(weights, **option):
    return weights, lambda params, x: {"y": FACTOR * x @ params["W"] + params["b"]}


class WrongTorch(Torch):
    builds = {"linear-regression": twice_too_large}
"""


def suites(folder: Path, *arguments: str, **more):
    command = [sys.executable, "-m", "pytest", str(ROOT / "suites"), "--results", str(folder / "run")]
    return subprocess.run(
        [*command, *arguments], cwd=folder, capture_output=True, text=True, check=False, **more
    )


def linear(*arguments: str) -> list[str]:
    return ["-k", "linear-regression/ and not simple", "--smoke", *arguments]


@pytest.fixture(scope="module")
def wrong(tmp_path_factory, measured):
    """The folder of a run of one backend that is wrong in one formula, and how it ended."""
    folder = tmp_path_factory.mktemp("wrong")
    (folder / "mine.py").write_text(WRONG)
    chosen = ["-k", "linear-regression/ or layer-norm/", "--smoke", "--backend", "mine.py:Wrong"]
    return folder, suites(folder, *chosen, env={**os.environ, **measured})


def test_an_outside_backend_fails_exactly_where_it_is_wrong(wrong):
    folder, done = wrong
    assert done.returncode == 1
    rows = load(folder / "run")
    wrong = rows[~rows.status.isin(["agrees"])]
    assert set(wrong.case) <= {"linear-regression", "simple-linear-regression"}
    assert "linear-regression" in set(wrong.case)
    assert set(rows[rows.case == "layer-norm"].status) == {"agrees"}


@pytest.mark.parametrize("options", [["--threads", "1"], ["--as-shipped"]], ids=" ".join)
def test_a_failure_is_one_sentence_and_a_command_that_works_when_pasted(tmp_path, options):
    (tmp_path / "mine.py").write_text(WRONG)
    done = suites(tmp_path, *linear("--backend", "mine.py:Wrong", *options))
    rows = load(tmp_path / "run")
    failed = rows[(rows.status == "disagrees") & (rows.direction == "forward")].iloc[0]
    assert "\n" not in failed.why and "should be" in failed.why
    assert failed.command.endswith(" ".join(["--seed 0", *options])) and failed.command in done.stdout
    told = [json.loads(file.read_text())["command"] for file in tmp_path.glob("run/failures/*/cell.json")]
    assert failed.command in told
    (tmp_path / "suites").symlink_to(ROOT / "suites")
    command = failed.command.replace("pytest", f"{sys.executable} -m pytest", 1) + " --results again"
    again = subprocess.run(command, cwd=tmp_path, shell=True, capture_output=True, text=True, check=False)
    assert "1 failed" in again.stdout, again.stdout[-2000:]
    (row,) = load(tmp_path / "again").itertuples()
    same = ("command", "direction", "threads", "settings", "suite", "checksum")
    assert [getattr(row, name) for name in same] == [getattr(failed, name) for name in same]


def test_a_failure_leaves_a_folder_whose_script_fails_alike(tmp_path):
    pytest.importorskip("torch")
    (tmp_path / "mine.py").write_text(WRONG_TORCH)
    done = suites(tmp_path, *linear("--backend", "mine.py:WrongTorch"))
    folder = tmp_path / "run" / "failures"
    assert (
        f"2 cells failed: inputs and, if there are any, values and a repro.py of each are in {folder}"
        in done.stdout.replace("\n", " ")
    )
    rows = load(tmp_path / "run")
    for row in rows[rows.status == "disagrees"].itertuples():
        (script,) = folder.glob(f"*_{row.direction}_0/repro.py")
        alone = [sys.executable, str(ROOT / "tests" / "replaying.py"), str(script.parent)]
        said = subprocess.run(alone, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert f"{row.z_worst:.3g} times its limit" in said.stdout, said.stderr[-2000:]


def whys(folder: Path) -> set[str]:
    """How the disagreements of a run end, after the first sentence."""
    rows = load(folder / "run")
    return {why.partition("; ")[2] for why in rows[rows.status == "disagrees"].why}


@pytest.mark.parametrize(
    ("other", "why"),
    [
        ("Right", "only Wrong disagrees, Right agrees"),
        ("WrongToo", "the reference is suspect: Wrong and WrongToo agree with each other"),
    ],
)
def test_one_framework_that_disagrees_is_told_from_a_reference_that_all_disagree_with(tmp_path, other, why):
    (tmp_path / "mine.py").write_text(WRONG)
    suites(tmp_path, *linear("--backend", "mine.py:Wrong", "--backend", f"mine.py:{other}"))
    assert whys(tmp_path) == {why}


def test_a_framework_that_runs_alone_is_compared_with_nobody(wrong):
    folder, _ = wrong
    assert whys(folder) == {""}


def test_a_worker_that_dies_costs_its_own_cells_and_leaves_its_last_words(tmp_path):
    (tmp_path / "mine.py").write_text(WRONG)
    done = suites(tmp_path, *linear("--backend", "mine.py:Dies", "--backend", "numpy"))
    assert done.returncode == 1
    rows = load(tmp_path / "run")
    assert set(rows[rows.backend == "numpy"].status) == {"agrees"}
    dead = rows[rows.backend != "numpy"]
    assert set(dead.status) == {"error"}
    assert all("last words" in why for why in dead.why)


@pytest.mark.parametrize(
    ("option", "right"),
    [
        ("--backend", "numpy, torch, tensorflow, jax"),
        ("--device", "cpu, gpu"),
        ("--dtype", "float32, float64"),
        ("--mode", "eager, function, jit, xla"),
        ("--size", "small"),
    ],
)
def test_a_wrong_option_is_refused_with_the_right_ones(tmp_path, option, right):
    done = suites(tmp_path, option, "nonsense")
    assert done.returncode == 4
    assert f"{option.removeprefix('--')}: got 'nonsense', should be one of" in done.stderr
    assert all(word in done.stderr for word in right.split(", "))


def test_an_absent_framework_is_a_row_with_its_reason(tmp_path):
    block = tmp_path / "sitecustomize.py"
    block.write_text(
        "import importlib.metadata as m\nhonest = m.version\n"
        "def version(name):\n"
        "    if name == 'torch':\n        raise m.PackageNotFoundError(name)\n    return honest(name)\n"
        "m.version = version\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = suites(tmp_path, *linear("--backend", "torch", "--backend", "numpy"), env=environment)
    assert done.returncode == 0, done.stdout[-2000:]
    rows = load(tmp_path / "run").set_index("backend")
    assert set(rows.status["torch"]) == {"absent"} and set(rows.status["numpy"]) == {"agrees"}
    assert "torch is not installed (pip install torch)" in rows.why["torch"].iloc[0]


def test_an_interrupt_keeps_the_rows_and_says_how_to_go_on(tmp_path):
    command = [sys.executable, "-m", "pytest", str(ROOT / "suites"), "--results", str(tmp_path / "run")]
    selected = ["--backend", "numpy", "--dtype", "float64", "-p", "no:cacheprovider"]
    # a shell starts what runs in the background deaf to the interrupt
    hear = "import signal, sys, pytest; signal.signal(signal.SIGINT, signal.default_int_handler); "
    running = subprocess.Popen(
        [sys.executable, "-c", f"{hear}sys.exit(pytest.main(sys.argv[1:]))", *command[3:], *selected],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and not any(
        file.read_bytes().count(b"\n") > 3 for file in tmp_path.rglob("rows.jsonl")
    ):
        time.sleep(0.2)
    os.killpg(running.pid, signal.SIGINT)
    printed, _ = running.communicate(timeout=60)
    (file,) = tmp_path.rglob("rows.jsonl")
    kept = [json.loads(line) for line in file.read_text().splitlines()]
    assert len(kept) > 3
    assert not [row for row in kept if row["status"] == "error"]
    resume = re.search(r"--results (\S+)", printed)
    assert resume, printed[-2000:]
    one = kept[0]["case"]
    again = suites(tmp_path, *selected, "-k", f"{one}/")
    assert again.returncode == 0, again.stdout[-2000:]
    cells = [(row["case"], row["option"], row["direction"]) for row in kept]
    rows = load(file)
    assert len(rows) >= len(set(cells))


@pytest.mark.timed
def test_speeds_stand_beside_agreement_and_pytest_benchmark_shows_them(tmp_path):
    pytest.importorskip("torch")
    shown = tmp_path / "shown.json"
    done = suites(
        tmp_path, "-k", "linear-regression/plain/typical and not simple", "--dtype", "float32",
        "--backend", "numpy", "--backend", "torch", "--size", "small", "--benchmark-json", str(shown),
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:]
    rows = load(tmp_path / "run").query("contender != ''")
    assert rows.median_s.notna().all() and rows.samples.between(FEWEST, MOST).all()
    assert (rows.low_s <= rows.median_s).all() and (rows.median_s <= rows.high_s).all()
    assert (rows.throughput > 0).all() and (rows.gflops > 0).all()
    benchmarks = json.loads(shown.read_text())["benchmarks"]
    assert len(benchmarks) == len(rows)
    medians = {round(each["stats"]["median"], 12) for each in benchmarks}
    assert medians == {round(median, 12) for median in rows.median_s}


def test_a_run_leaves_the_fingerprint_of_each_mode_once(tmp_path):
    few = "test_agree and layer-norm/plain/ and /small/"
    chosen = ["-k", few, "--backend", "numpy", "--dtype", "float32"]
    done = suites(tmp_path, *chosen)
    assert done.returncode == 0, done.stdout[-2000:]
    folder = tmp_path / "run"
    known = environments(folder)
    assert {known[each]["backend"] for each in load(folder).environment} == {"numpy"}
    (found,) = fingerprints(folder)
    assert (found["backend"], found["mode"], found["dtype"]) == ("numpy", "eager", "float32")
    assert "Fingerprints of the arithmetic" in done.stdout
    assert "Fingerprints of the arithmetic" in (folder / "arithmetic.md").read_text()
    (folder / "rows.jsonl").write_text("")  # to be judged again, in the same run
    suites(tmp_path, *chosen)
    assert len(load(folder)) > 2 and fingerprints(folder) == [found]


@pytest.mark.timed
def test_a_dtype_that_a_backend_lacks_takes_no_speed_from_the_others(tmp_path):
    chosen = ["-k", "[relu/plain/typical/small and eager", "--backend", "numpy", "--size", "small"]
    done = suites(tmp_path, *chosen, "--dtype", "float32", "--dtype", "bfloat16")
    assert done.returncode == 0, done.stdout[-2000:]
    rows = load(tmp_path / "run").set_index("dtype")
    assert (rows.loc["bfloat16"].status == "absent").all()
    assert rows.loc[["float32"]].query("direction == 'gradient'").median_s.notna().all()


def test_every_seed_is_judged_and_a_short_run_takes_no_fingerprint(tmp_path):
    done = suites(tmp_path, *linear("--backend", "numpy", "--seed", "0", "--seed", "1", "--seed", "2"))
    assert done.returncode == 0, done.stdout[-2000:]
    rows = load(tmp_path / "run")
    assert set(rows.seed) == {0, 1, 2} and rows.checksum.nunique() == len(rows)
    folder = tmp_path / "run"
    assert fingerprints(folder) == []


def test_a_fault_of_the_machine_ends_the_run_and_is_shown(monkeypatch):
    from bench.cells.cell import Cell
    from bench.run.session import Session

    def broken(*arguments):
        raise ZeroDivisionError("planted")

    monkeypatch.setattr(Session, "_next", broken)
    cell = Cell("attention", "plain", "typical", "small", "x", "numpy", "eager", "cpu", "float64", "forward")
    running = Session(
        [cell], [], lambda unit: False, threads=1, done={}, finished=print, drawn=print
    )  # fmt: skip
    with pytest.raises(RuntimeError, match="the run stopped before attention") as caught:
        running.row(cell)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    running.close()


@pytest.mark.parametrize("deaths", [1, 2])
def test_limits_are_derived_again_where_their_worker_died_and_then_no_cell_tries_once_more(
    monkeypatch, deaths
):
    from bench.cells.cell import Cell
    from bench.run.session import DERIVE, JUDGE, Session
    from bench.worker import Died, Worker

    asked, finished, ask = [], [], Worker.request

    def request(worker, verb, *arguments):
        asked.append(verb)
        if verb == DERIVE and asked.count(verb) <= deaths:
            raise Died("the worker died: killed")
        return ask(worker, verb, *arguments)

    monkeypatch.setattr(Worker, "request", request)
    cells = [
        Cell(
            "linear-regression", "plain", "typical", "small", "reference.linear.linear", "numpy", "eager",
            "cpu", "float32", direction,
        )
        for direction in ("forward", "gradient")
    ]  # fmt: skip
    told = {"finished": finished.append, "drawn": print, "options": ["--threads 1"]}
    running = Session(cells, [], lambda unit: False, threads=1, done={}, **told)
    rows = [running.row(cell) for cell in cells]
    running.close()
    assert rows == finished and [row.direction for row in rows] == ["forward", "gradient"]
    assert asked == [DERIVE, DERIVE, *([JUDGE] if deaths == 1 else [])]
    found = ("agrees", "") if deaths == 1 else ("error", "limits: the worker died: killed")
    assert {(row.status, row.why) for row in rows} == {found}
    assert all(row.command.endswith("--seed 0 --threads 1") for row in rows)  # whoever has made them


SAYS = """
import os

from bench.backends.numpy import NumPy


class Says(NumPy):
    name = "says"

    @property
    def version(self):
        return ",".join(name for name in ("OPENBLAS_NUM_THREADS", "GAUGEBLOCK_THREADS") if name in os.environ)
"""


@pytest.mark.parametrize(
    "flag, told", [([], "OPENBLAS_NUM_THREADS,GAUGEBLOCK_THREADS"), (["--as-shipped"], "")]
)
def test_a_worker_as_shipped_is_told_no_threads(tmp_path, monkeypatch, flag, told):
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    (tmp_path / "says.py").write_text(SAYS)
    done = suites(tmp_path, *linear("--backend", "says.py:Says", *flag))
    assert done.returncode == 0, done.stdout
    rows = load(tmp_path / "run")
    assert set(rows["version"]) == {told} and set(rows["settings"]) == {"as shipped" if flag else ""}


@pytest.mark.skipif(not available(), reason="no x86 CPU")
def test_a_run_under_an_instruction_set_says_so_in_every_row_and_reads_it_back(tmp_path):
    done = suites(tmp_path, *linear("--backend", "numpy", "--isa", "sse4"))
    assert done.returncode == 0, done.stdout
    rows = load(tmp_path / "run")
    assert set(rows["isa"]) == {"sse4"} and set(rows["settings"]) == {"at most sse4"}
    assert rows["command"].str.endswith(" --isa sse4").all()
    folder = tmp_path / "run"
    record = environments(folder)[rows["environment"].iloc[0]]
    assert record["variables"]["OPENBLAS_CORETYPE"] == "Nehalem"
    mixed = suites(tmp_path, *linear("--backend", "numpy"))
    assert mixed.returncode == 4 and "should be at most sse4; give the same" in mixed.stderr


def test_an_instruction_set_that_is_not_there_is_refused_with_the_list(tmp_path):
    done = suites(tmp_path, *linear("--backend", "numpy", "--isa", "avx3"))
    known = ", ".join(available()) or "none: NumPy reports none for this CPU"
    assert done.returncode == 4 and f"--isa: got 'avx3', should be one of {known}" in done.stderr
    assert not (tmp_path / "run").exists()


STICKY = """
from bench.backends.numpy import NumPy
from bench.case import Contender

FAULT = "CUDA error: an illegal memory access was encountered"


def breaks(weights, **option):
    def run(params, **data):
        Sticky.broken = True
        raise RuntimeError(FAULT)

    return weights, run


class Sticky(NumPy):
    name, devices, broken = "sticky", ("gpu",), False
    builds = {"sigmoid": breaks}

    def put(self, tree):
        if Sticky.broken:
            raise RuntimeError(FAULT)
        return tree

    def vjp(self, run, mode, wrt):
        return super().vjp(run, mode, wrt) if hasattr(run, "vjp") else lambda *given: run({})
"""


def test_a_gpu_that_computes_no_more_costs_the_cell_that_broke_it_and_its_worker_is_replaced(tmp_path):
    """After an illegal access every later call of its process fails."""
    (tmp_path / "mine.py").write_text(STICKY)
    named = "sigmoid/plain or gelu/ or softmax/"
    done = suites(tmp_path, "--smoke", "--device", "gpu", "--backend", "mine.py:Sticky", "-k", named)
    rows = load(tmp_path / "run")
    broken = rows.case == "sigmoid"
    assert done.returncode == 1 and {"softmax", "sigmoid", "gelu"} <= set(rows.case)
    assert set(rows[broken].status) == {"error"}
    assert rows[broken].why.str.contains("illegal memory access").all()
    assert set(rows[~broken].status) == {"agrees"}


NOWHERE = """
from bench.backends import Absent
from bench.backends.numpy import NumPy


class Nowhere(NumPy):
    name = "nowhere"

    def __init__(self, device, dtype):
        raise Absent("no such device here: the driver is too old")
"""


def test_a_run_of_which_no_cell_runs_is_no_success_and_says_why(tmp_path):
    (tmp_path / "mine.py").write_text(NOWHERE)
    alone = suites(tmp_path, *linear("--backend", "mine.py:Nowhere"))
    assert alone.returncode == 1 and "nothing ran: got" in alone.stdout
    assert "because no such device here: the driver is too old" in " ".join(alone.stdout.split())
    beside = suites(tmp_path, *linear("--backend", "mine.py:Nowhere", "--backend", "numpy"))
    assert beside.returncode == 0 and "nothing ran" not in beside.stdout
