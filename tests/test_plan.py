"""The order of a run: what may stand beside what."""

import pytest

from bench.cell import Cell
from bench.plan import plan


@pytest.mark.parametrize(
    ("backend", "size", "curve", "alone"),
    [
        ("torch", "small", False, False),
        ("torch", "small", True, True),
        ("torch", "large", False, True),
        ("numpy", "large", False, True),
        ("jax", "large", True, False),
    ],
)
def test_what_computes_long_in_threads_that_spin_runs_beside_no_other_such(backend, size, curve, alone):
    cell = Cell("sigmoid", "plain", "typical", size, "x", backend, "eager", "cpu", "float32", "forward")
    ((unit,),) = [group.units for group in plan([cell], (), lambda unit: curve, lambda cell: False)]
    assert unit.alone == alone
