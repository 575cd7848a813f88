"""The published summary of a run of several seeds."""

import pandas as pd
import pytest

from bench.store.results import start
from bench.store.rows import load
from bench.studies.seeds import over, write
from tests.rows import ENVIRONMENT, MACHINE, row


@pytest.fixture
def run(tmp_path):
    """A run of three seeds, one of which disagrees."""
    found = start(tmp_path / "local", MACHINE, ENVIRONMENT)
    for seed, z_rms in enumerate((0.5, 1.5, 9)):
        status, why = ("disagrees", "y is 2, should be 1") if z_rms > 2 else ("agrees", "")
        found.append(row(seed=seed, z_rms=z_rms, status=status, why=why, run_id=found.id))
    return found.folder


def test_a_cell_is_one_line_over_its_seeds(run):
    (line,) = over(load(run)).to_dict("records")
    assert (line["seeds"], line["agrees"], line["disagrees"]) == (3, 2, 1)
    assert (line["z_rms_least"], line["z_rms_median"], line["z_rms_most"]) == (0.5, 1.5, 9)


def test_what_is_written_has_the_command_the_rate_and_each_alarm(run, tmp_path):
    page, table = write(load(run), run, tmp_path / "results")
    text = page.read_text()
    assert "pytest suites/ --seed 0 --seed 1 --seed 2" in text
    assert "1 of 3 cells that should agree" in text and "disagrees: y is 2, should be 1" in text
    (line,) = pd.read_csv(table).to_dict("records")
    assert line["contender"] == row().contender and line["seeds"] == 3


def test_a_lone_seed_is_refused(run, tmp_path):
    rows = load(run)
    with pytest.raises(ValueError, match="got one seed, should be several"):
        write(rows[rows.seed == 0], run, tmp_path / "results")
