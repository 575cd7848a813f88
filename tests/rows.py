"""Rows and records to test with."""

from dataclasses import replace
from typing import Any

import pandas as pd

from bench.store.row import MEANING, Row
from bench.store.rows import INTEGERS, NUMBERS

MACHINE = {"cpu": "Acme Three", "cores": 2, "memory_gib": 24, "os": "Linux 6", "gpus": []}
ENVIRONMENT = {"python": "3.11.7", "packages": {"numpy": "2.4.6", "torch": "2.13.0"}, "pools": []}

HONEST = Row(
    schema=MEANING,
    run_id="20260102T030405Z-aaaaaaaa",
    time="2026-01-02T03:04:05+00:00",
    machine="aaaaaaaa",
    environment="bbbbbbbb",
    suite="0.1.0+gabc1234",
    case="attention",
    option="plain",
    regime="typical",
    size="small",
    contender="torch.nn.functional.scaled_dot_product_attention",
    backend="torch",
    version="2.13.0",
    package="torch",
    package_version="2.13.0",
    mode="eager",
    device="cpu",
    dtype="float32",
    direction="forward",
    threads=2,
    lane="native",
    status="agrees",
    bits=23.4,
    z_rms=0.5,
    z_worst=0.4,
    command="pytest 'suites/test_suites.py::test_agree[attention/plain/typical/small/"
    "torch.nn.functional.scaled_dot_product_attention/eager/cpu/float32/forward]' "
    "--full --backend torch --device cpu --dtype float32 --mode eager --size small --seed 0",
)


def row(**other: Any) -> Row:
    """An honest row of torch's attention, but for what is named."""
    return replace(HONEST, **other)


def timed(median: float, **other: Any) -> Row:
    """The same with a speed, certain to one part in a thousand."""
    speed = {"median_s": median, "low_s": 0.999 * median, "high_s": 1.001 * median, "first_call_s": 0.25}
    rate = {"throughput": 1000 / median, "unit": "tokens/s", "gflops": 0.002 / median}
    return row(**{**speed, **rate, **other})


def frame(*rows: Row) -> pd.DataFrame:
    """Rows as `load` gives them."""
    found = pd.DataFrame([each.as_dict() for each in rows])
    return found.astype({name: "Int64" if name in INTEGERS else float for name in NUMBERS})
