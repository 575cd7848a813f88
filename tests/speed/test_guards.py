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


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    """One run of all of them: in eager mode, or where that is JAX's in jit, which is what is asynchronous."""
    pytest.importorskip("jax")
    folder = tmp_path_factory.mktemp("guards")
    command = [sys.executable, "-m", "pytest", str(ROOT / "suites"), "--results", str(folder / "run")]
    workload = "linear-regression/plain/typical/small and forward and not simple"
    chosen = [
        "-k",
        f"{workload} and not flax and (jit or reference)",
        "--dtype",
        "float32",
        "--mode",
        "jit",
        "--mode",
        "eager",
    ]
    backends = ["hasty", *(f"{FAULTY}:{name}" for name in ("Slow", "Patched", *SAYS))]
    named = [word for each in backends for word in ("--backend", each)]
    subprocess.run([*command, *chosen, *named], cwd=folder, capture_output=True, text=True, check=False)
    found = load(folder / "run")
    return found.drop_duplicates(["backend", "contender", "mode", "direction"], keep="last")


def test_each_fault_is_found_and_an_honest_backend_beside_them_has_its_speed(rows):
    for name, words in SAYS.items():
        faulty = rows[rows.backend.str.endswith(f":{name}")]
        assert len(faulty) and (faulty.status == "error").all(), name
        assert faulty.why.str.contains(words, regex=False).all(), faulty.why.tolist()
        assert faulty.median_s.isna().all()
    honest = rows[rows.backend.str.endswith((":Slow", ":Patched"))]  # its own clock changes nothing
    assert len(honest) > 1 and (honest.status == "agrees").all() and (honest.median_s >= 0.01).all()


def test_the_backend_that_does_not_wait_is_caught_on_a_cpu(rows):
    (hasty,) = rows[rows.backend == "hasty"].itertuples()
    assert hasty.mode == "jit" and hasty.status == "error" and hasty.why.startswith("not waited for")
