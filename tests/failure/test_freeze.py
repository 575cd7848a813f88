"""A failed cell leaves a folder whose script reproduces the failure without this project."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bench import pages
from bench.backends import SHIPPED, Absent, backend
from bench.case import Case, Contender
from bench.cells.cell import Cell
from bench.failure import freeze as failure
from bench.failure.freeze import folder_name, freeze
from bench.verdict.judge import judge

ROOT = Path(__file__).parent.parent.parent
FILES = ["cell.json", "contender.py", "expected.npz", "got.npz", "inputs.npz", "repro.py"]
SAMPLE = ("layer-norm", "lstm", "adam", "embedding-bag")  # nested weights, training, sparse gradients
FACTOR = 1.001


def product(x, W):
    return x @ W


def product_vjp(dy, x, W):
    return {"x": dy @ W.T, "W": x.T @ dy}


def scaled(x):
    return FACTOR * x


def wrong(weights, *, way="right", **option):
    return weights, lambda params, x: {"y": scaled(x @ params["W"]) if way == "wrong" else x @ params["W"]}


def raises(weights, **option):
    def run(params, x):
        raise RuntimeError("no such kernel")

    return weights, run


UNIT = Cell("product", "wrong", "typical", "small", "torch.matmul", "torch", "eager", "cpu", "float64", "")


@pytest.fixture
def page(monkeypatch):
    def add(build, size=5):
        case = Case(
            name="product",
            title="A product",
            reference=product,
            gradient=product_vjp,
            inputs=lambda rng, **option: (
                {"W": rng.normal(size=(size, 4))},
                {"x": rng.normal(size=(7, size))},
            ),
            sizes={"small": {}},
            options={"right": {}, "wrong": {"way": "wrong"}},
            contenders=(Contender("torch", "torch.matmul", build),),
            items=lambda **size: 1,
            unit="samples",
            flops=lambda **size: 1,
        )
        monkeypatch.setitem(pages.cases(), "product", case)

    pytest.importorskip("torch")
    return add


def frozen(root, direction="gradient", **coordinates):
    """The row of a cell, and the folder that it may leave."""
    unit = replace(UNIT, **coordinates)
    judged = judge(unit, ("forward", "gradient"))
    cell, row = replace(unit, direction=direction), judged.rows[direction]
    freeze(root, cell, row, judged, graph=True)
    return row, root / folder_name(cell)


def replay(*folders, environment=None):
    """The output of each folder's script in a process that cannot import this project."""
    command = [sys.executable, str(ROOT / "tests" / "replaying.py"), *map(str, folders)]
    done = subprocess.run(command, cwd="/", capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


def code(folder):
    return [line for line in (folder / "repro.py").read_text().splitlines() if line.strip()]


def test_a_failing_cell_leaves_what_it_was_given_and_got_and_what_should_have_been(page, tmp_path):
    page(wrong)
    row, folder = frozen(tmp_path)
    assert row.status == "disagrees" and sorted(file.name for file in folder.iterdir()) == FILES
    with np.load(folder / "inputs.npz") as given, np.load(folder / "got.npz") as got:
        W, x, dy, found = given["weights.W"], given["data.x"], given["dy.y"], got["gradient.W"]
    assert W.shape == found.shape and np.allclose(x.T @ (FACTOR * dy), found, rtol=1e-12)
    record = json.loads((folder / "cell.json").read_text())
    assert record["why"] == row.why and record["command"] == row.command and record["notes"] == []
    assert {"numpy", "torch"} <= set(record["packages"]) and record["cell"]["direction"] == "gradient"


def test_the_script_says_what_the_row_says(page, tmp_path):
    page(wrong)
    found = [frozen(tmp_path, direction) for direction in ("forward", "gradient")]
    for (row, folder), said in zip(found, replay(*(folder for _, folder in found)), strict=True):
        got, should = row.why.split(" is ")[1].split(": ")[0].split(", should be ")
        assert len(code(folder)) < 25
        assert f"{row.z_worst:.3g} times its limit" in said
        assert np.allclose([float(said.split("got ")[1].split(",")[0])], [float(got)], rtol=1e-8)
        assert np.allclose([float(said.split("should be ")[1].split(",")[0])], [float(should)], rtol=1e-8)


def test_what_raised_raises_again_in_the_script(page, tmp_path):
    page(raises)
    row, folder = frozen(tmp_path)
    assert row.status == "error" and {"inputs.npz", "repro.py"} <= {file.name for file in folder.iterdir()}
    assert json.loads((folder / "cell.json").read_text())["notes"] == [
        "no got: ValueError: the contender gave nothing",
    ]
    assert replay(folder) == ["raised RuntimeError: no such kernel"]


def test_a_cell_that_no_longer_fails_leaves_no_folder(page, tmp_path):
    page(wrong)
    _, folder = frozen(tmp_path)
    assert folder.is_dir()
    page(lambda weights, **option: (weights, lambda params, x: {"y": x @ params["W"]}))
    row, same = frozen(tmp_path)
    assert row.status == "agrees" and same == folder and not folder.exists()


def test_large_arrays_are_left_out_and_the_folder_says_so(page, tmp_path, monkeypatch):
    page(wrong)
    monkeypatch.setattr(failure, "MIB", 1e-4)
    _, folder = frozen(tmp_path)
    assert not (folder / "inputs.npz").exists()
    assert "no inputs: ValueError: got 0 MiB, should be at most 0.0001" in (folder / "cell.json").read_text()


def test_a_run_that_fails_everywhere_leaves_a_bounded_number_of_folders(page, tmp_path, monkeypatch):
    page(wrong)
    monkeypatch.setattr(failure, "FOLDERS", 2)
    for seed in range(4):
        frozen(tmp_path, seed=seed)
    assert len(list(tmp_path.iterdir())) == 2


def test_a_cell_of_the_reference_has_no_script_and_says_so(page, tmp_path):
    page(wrong)
    unit = replace(UNIT, backend="numpy", contender=f"{__name__}.product", dtype="float32")
    judged = judge(unit, ("forward",))
    row = replace(judged.rows["forward"], status="disagrees")
    cell = replace(unit, direction="forward")
    freeze(tmp_path, cell, row, judged, graph=False)
    assert (
        "no script: NotImplementedError: backend numpy has no script for its cells"
        in (tmp_path / folder_name(cell) / "cell.json").read_text()
    )


@pytest.mark.parametrize("name", [name for name in SHIPPED if name != "numpy"])
def test_the_script_of_each_contender_gives_what_the_cell_gave(name, tmp_path):
    """For a sample of the pages; for all if GAUGEBLOCK_EVERY_REPRO is set, which takes minutes."""
    try:
        backend(name).installed()
    except Absent as reason:
        pytest.skip(str(reason))
    names = () if os.environ.get("GAUGEBLOCK_EVERY_REPRO") else SAMPLE
    module = [sys.executable, "-m", "tests.repeating", name, "float64", str(tmp_path)]
    done = subprocess.run([*module, *names], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    told = json.loads(done.stdout.splitlines()[-1])
    assert told and not [notes for _, _, notes in told if notes]
    variables = backend(name).environment(threads=1, dtype="float64", device="cpu")
    said = replay(*(folder for folder, _, _ in told), environment={**os.environ, **variables})
    off = [
        (folder, worst, words)
        for (folder, worst, _), words in zip(told, said, strict=True)
        if f"{worst:.3g} times its limit" not in words and "torch.linalg.lstsq" not in folder
    ]  # LAPACK's order of sums is another wherever its arrays lie
    assert not off, "these scripts give something else than their cells"
    assert not [folder for folder, _, _ in told if len(code(Path(folder))) >= 25]


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"y": np.array([object()])}, "y holds Python objects, should hold numbers"),
        ({str(n): np.zeros(1) for n in range(20_000)}, "got 10 MiB, should be at most 8"),
    ],
)
def test_what_no_file_should_hold_is_not_written(arrays, words, tmp_path):
    with pytest.raises(ValueError, match=words):
        failure._save(tmp_path / "got.npz", arrays)
    assert not list(tmp_path.iterdir())
