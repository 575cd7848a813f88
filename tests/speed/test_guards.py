"""Every guard of the clock fires, in a run, on a backend that has just that fault."""

import subprocess
import sys
from pathlib import Path

import pytest

from bench.store.results import load

pytestmark = pytest.mark.timed
ROOT = Path(__file__).parent.parent.parent
FAULTY = ROOT / "bench" / "backends" / "faulty.py"
SAYS = {
    "Recompiling": "compiled",
    "Caching": "keeps results",
    "Brief": "keeps results",
    "Stale": "what the timed calls gave disagrees: on further inputs",
    "Rewound": "its clock is wrong",
    "Posing": "what the timed calls gave disagrees",
    "Coarse": "what the timed calls gave disagrees",
    "Deaf": "deaf: reads back 63 threads, should be the",
    "Mortal": "the worker died: exit code 9: killed while it was timed",
}


def run(folder, *backends):
    command = [sys.executable, "-m", "pytest", str(ROOT / "suites"), "--results", str(folder / "run")]
    workload = "linear-regression/plain/typical and forward and not simple"
    chosen = ["-k", workload, "--dtype", "float32", "--mode", "jit", "--mode", "eager"]
    named = [word for each in backends for word in ("--backend", each)]
    subprocess.run([*command, *chosen, *named], cwd=folder, capture_output=True, text=True, check=False)
    rows = load(folder / "run")
    return rows.drop_duplicates(["backend", "contender", "mode", "direction"], keep="last")


def test_each_fault_is_found_and_an_honest_backend_beside_them_has_its_speed(tmp_path):
    pytest.importorskip("jax")
    rows = run(tmp_path, *(f"{FAULTY}:{name}" for name in ("Slow", "Patched", *SAYS)))
    for name, words in SAYS.items():
        faulty = rows[rows.backend.str.endswith(f":{name}")]
        assert len(faulty) and (faulty.status == "error").all(), name
        assert faulty.why.str.contains(words, regex=False).all(), faulty.why.tolist()
        assert faulty.median_s.isna().all()
    honest = rows[rows.backend.str.endswith((":Slow", ":Patched"))]  # its own clock changes nothing
    assert len(honest) > 1 and (honest.status == "agrees").all() and (honest.median_s >= 0.01).all()


def test_the_backend_that_does_not_wait_is_caught_on_a_cpu(tmp_path):
    pytest.importorskip("jax")
    rows = run(tmp_path, "hasty")
    jitted = rows[rows["mode"] == "jit"]
    assert (jitted.status == "error").all() and jitted.why.str.startswith("not waited for").all()
