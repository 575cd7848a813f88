"""A pytest plug-in that breaks the instrument: GAUGEBLOCK_BREAK names the fault, planted at its import.

GAUGEBLOCK_BREAK=dtype-ignored python -m pytest -p tests.breaking tests/verdict/test_compare.py
"""

import os
from contextlib import ExitStack

from bench.mutation.plant import instead

SIGMA = "    sigma = sigma * rounding.shrink * rounding.both\n"
NOWHERE = "lambda x: np.zeros_like(x, bool)"

# by name: the module, what stands in it once, and what stands there instead
BREAKS = {
    "sigma-times-10": ("bench.tolerance.spread", SIGMA, SIGMA + "    sigma = sigma * 10\n"),
    "sigma-over-10": ("bench.tolerance.spread", SIGMA, SIGMA + "    sigma = sigma / 10\n"),
    "shape-ignored": ("bench.verdict.compare", "if array.shape != one.value.shape:", "if False:"),
    "dtype-ignored": (
        "bench.verdict.compare",
        ".dtype.name) != str(dtype):",
        ".dtype.name) != str(dtype) and False:",
    ),
    "nan-ignored": ("bench.verdict.compare", '("NaN", np.isnan)', f'("NaN", {NOWHERE})'),
    "infinity-ignored": ("bench.verdict.compare", '("infinite", np.isinf)', f'("infinite", {NOWHERE})'),
    "one-element-ignored": (
        "bench.verdict.errors",
        "np.flatnonzero(z > 1)",
        "np.flatnonzero(z > 1)[1:]",
    ),
    "gate-ignored": ("bench.verdict.errors", "self.count > FEW and self.ratio > GATE", "False"),
    "missing-output-ignored": ("bench.verdict.compare", "if name not in got:", "if False:"),
    "stale-limit-ignored": ("bench.verdict.known", "if not stale:", "if True:"),
    "worse-than-its-limit-ignored": (
        "bench.verdict.known",
        "if low <= z <= high:",
        "if low <= z:",
    ),
    "saboteur-ignored": ("bench.verdict.row", 'status="mistrusted", why=f"{passing}', 'why=f"{passing}'),
}


def pytest_configure(config):
    name = os.environ["GAUGEBLOCK_BREAK"]
    module, old, new = BREAKS[name]

    def faulty(source):
        if source.count(old) != 1:
            places = f"{source.count(old)} places of {old!r} in {module}"
            raise ValueError(
                f"break {name}: got {places}, should be one; write it after the source as it is now"
            )
        return source.replace(old, new)

    stack = ExitStack()
    stack.enter_context(instead(module, faulty))
    config.add_cleanup(stack.close)
