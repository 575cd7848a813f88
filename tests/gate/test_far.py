"""What the worker of a side does: it takes the inputs of another process, and gives its outputs whole."""

import json
import subprocess
import sys
from dataclasses import asdict, replace

import numpy as np
import pytest

from bench import inputs as given
from bench import pages
from bench.backends import backend
from bench.cells.cell import Cell
from bench.contender.prepare import instance
from bench.gate import far
from bench.gate.duel import FEWEST, NEW, ROUNDS, Blocks, replicate
from bench.gate.numbers import Seen, judged
from bench.gate.side import BOUND, Side
from bench.inputs import inputs, lend, lent, shared
from bench.speed import timed
from bench.verdict.known import limits

SIZE = next(iter(pages.case("linear-regression").sizes))
CELL = Cell(
    "linear-regression", "plain", "typical", SIZE, "reference.linear.linear", "numpy", "eager", "cpu",
    "float32", "forward",
)  # fmt: skip


def outputs(cell, tmp_path):
    """What a timed call of this process gives, and its facts."""
    assert "error" not in far.ready(asdict(cell), "a", lent(cell, 5))
    for _ in range(8):
        timed.sample("a")
    file = tmp_path / "outputs.npz"
    return file, far.outputs("a", str(file))


@pytest.mark.parametrize("direction", ["forward", "gradient"])
def test_outputs_of_every_set_come_back_and_agree(direction, tmp_path):
    file, facts = outputs(replace(CELL, direction=direction), tmp_path)
    row = judged(asdict(replace(CELL, direction=direction)), str(file), facts)
    assert (row["status"], row["judged"], row["version"]) == ("agrees", "5", np.__version__)


@pytest.mark.parametrize("number", [0, 3])
def test_one_wrong_element_of_any_set_is_found(number, tmp_path):
    file, facts = outputs(CELL, tmp_path)
    with np.load(file) as found:
        arrays = dict(found)
    arrays[f"{number}.forward.y"].reshape(-1)[1] *= np.float32(1.001)
    np.savez(file, **arrays)
    row = judged(asdict(CELL), str(file), facts)
    assert row["status"] == "disagrees" and row["input_set"] == (number or None)


def test_training_comes_back_too(tmp_path):
    case = pages.case("gradient-descent")
    cell = Cell(
        "gradient-descent", next(iter(case.options)), "typical", next(iter(case.sizes)),
        "reference.descent.gradient_descent", "numpy", "eager", "cpu", "float32", "training",
    )  # fmt: skip
    file, facts = outputs(cell, tmp_path)
    assert judged(asdict(cell), str(file), facts)["status"] == "agrees"


def test_a_dtype_that_files_lack_is_kept(tmp_path):
    """bfloat16 is written as whole numbers, and read back by its name."""
    ml_dtypes = pytest.importorskip("ml_dtypes")
    pytest.importorskip("torch")
    cell = replace(CELL, backend="torch", contender="torch.nn.Linear", dtype="bfloat16")
    file, facts = outputs(cell, tmp_path)
    assert set(facts["dtypes"].values()) == {"bfloat16"} and np.load(file)["0.forward.y"].dtype == np.uint16
    row = judged(asdict(cell), str(file), facts)
    assert row["status"] in ("agrees", "absent"), row["why"]
    assert ml_dtypes.bfloat16


def test_a_file_that_is_not_there_is_an_error():
    assert "FileNotFoundError" in judged(asdict(CELL), "/nowhere.npz", {"dtypes": {}})["error"]


# inputs


def test_inputs_are_taken_from_the_process_that_made_them(monkeypatch):
    """Also where this process would make others."""
    other = replace(CELL, seed=7)
    (key,) = lent(other, 1).values()
    expected = inputs(other).data["x"]
    monkeypatch.setattr(given, "_LENT", {})
    monkeypatch.setattr(given, "_GIVEN", {})
    given._inputs.cache_clear()
    lend({str(shared(CELL)): key})
    assert np.array_equal(inputs(CELL).data["x"], expected)
    given._inputs.cache_clear()


# the other environment


def test_a_call_of_what_is_lacking_says_so():
    with pytest.raises(RuntimeError, match="got a call of erf in an environment without SciPy"):
        far.Lacking("scipy.special").erf(1.0)
    assert not hasattr(far.Lacking("scipy"), "__wrapped__")


def test_nothing_but_numpy_is_imported(tmp_path):
    """Packages that the other environment may lack are not even looked for."""
    file = tmp_path / "imports.py"
    file.write_text(
        "import sys, json\n"
        f"sys.path.insert(0, {str(pages.folder().parent)!r})\n"
        "import gaugeblock, bench.gate.far, bench.speed.timed, bench.inputs, bench.contender.environment\n"
        "print(json.dumps(sorted({each.partition('.')[0] for each in sys.modules})))\n"
    )
    done = subprocess.run([sys.executable, file], capture_output=True, text=True, check=True)
    assert not {"pandas", "psutil", "filelock", "typer", "rich", "pytest", "torch"} & {
        *json.loads(done.stdout)
    }


def test_limits_are_those_of_the_release_that_ran():
    engine = instance(backend("numpy"), "cpu", "float32")
    seen = Seen(
        engine, {"version": "9.9", "threads": 3, "precision": "p", "isa": "", "releases": {"a": "9.9"}}
    )
    assert (seen.version, seen.threads(), seen.precision_in("eager"), seen.isa()) == ("9.9", 3, "p", "")
    assert seen.release("a") == "9.9" and seen.release("b") == "" and seen.name == "numpy"
    pytest.importorskip("torch")
    gelu = replace(CELL, case="gelu", contender="torch.nn.functional.gelu", backend="torch", dtype="float32")
    gelu = replace(gelu, size=next(iter(pages.case("gelu").sizes)))
    facts = {"version": "1.0", "releases": {"torch": "1.0"}}
    found = limits(gelu.unit, Seen(instance(backend("torch"), "cpu", "float32"), facts), "gradient")
    assert found and all(each.release == "1.0" and not each.measured for each in found)


# the duel


def test_a_replicate_has_three_processes_and_rounds_in_random_order():
    side = Side("this environment")
    found = replicate([CELL], (side, side), threads=1, seed=0).blocks[CELL]
    assert isinstance(found, Blocks) and not found.fault
    assert FEWEST <= found.wall.shape[1] <= ROUNDS and found.wall.shape == found.cpu.shape == found.turn.shape
    assert (np.sort(found.turn, axis=0) == np.arange(3)[:, None]).all()
    assert len({tuple(each) for each in found.turn.T}) > 1 and (found.wall > 0).all()


class Full(Side):
    """A side on which no process starts."""

    def worker(self, environment, threads):
        raise OSError("no more processes")


def test_a_process_that_does_not_start_is_a_fault_of_its_side():
    found = replicate([CELL], (Side("a"), Full("b")), threads=1, seed=0).blocks[CELL]
    assert found.fault == "no worker could be started: no more processes" and found.side == NEW


# threads


def test_openmp_threads_are_bound_on_both_sides_unless_the_user_says_otherwise(monkeypatch):
    given = []
    monkeypatch.setattr("bench.gate.side.Worker", lambda environment, *_: given.append(environment))
    for name in BOUND:
        monkeypatch.delenv(name, raising=False)
    Side("a").worker({}, 2)
    Side("b", variables={"OMP_PLACES": "threads"}).worker({}, 2)
    monkeypatch.setenv("OMP_PROC_BIND", "false")
    Side("c").worker({}, 2)
    assert {name: given[0][name] for name in BOUND} == BOUND
    assert given[1]["OMP_PROC_BIND"] == "true" and given[1]["OMP_PLACES"] == "threads"
    assert not BOUND.keys() & given[2].keys()
