"""Rows of an older schema are read as rows of this one; rows of a newer schema are refused."""

import json
import math

import pandas as pd
import pytest

from bench.store.row import EDITIONS, MEANING, row_id
from bench.store.rows import load
from tests.rows import row

SOURCE = "torch/nn/modules/rnn.py:120 (2.13.0), and pytorch/pytorch#12345"


def written(folder, **columns):
    file = folder / "rows.jsonl"
    file.write_text(json.dumps(columns) + "\n")
    return load(file).to_dict("records")[0]


def older(**other):
    """A row of schema 1, without what joined later."""
    later = {name for names in EDITIONS[-2:] for name in names}
    return {name: value for name, value in row(**other).as_dict().items() if name not in later}


def test_an_older_row_gets_what_can_be_derived_and_keeps_its_schema(tmp_path):
    read = written(tmp_path, **older(status="limited", source=SOURCE, versions="torch 2.12.0, 2.13.0"))
    assert read["schema"] == 1 and read["bits_lost"] == pytest.approx(24 - row().bits)
    assert (read["source_package"], read["source_path"]) == ("torch", "torch/nn/modules/rnn.py")
    assert (read["source_line"], read["source_issue"]) == (120, "pytorch/pytorch#12345")
    assert len(read["row_id"]) == 16 and set(read["row_id"]) <= set("0123456789abcdef")


def test_what_cannot_be_told_later_stays_empty(tmp_path):
    read = written(tmp_path, **older(source=SOURCE))
    assert read["since"] == read["timed_with"] == "" and math.isnan(read["explained_low"])


def test_an_older_row_has_the_id_that_it_would_be_written_with(tmp_path):
    first, other = (written(tmp_path, **older(seed=seed))["row_id"] for seed in (0, 1))
    now = row().as_dict() | {"schema": MEANING, "row_id": "as written"}
    assert first == row_id(row().run_id, older()) != other
    assert written(tmp_path, **now)["row_id"] == "as written"


def test_a_dtype_that_only_a_later_version_has_has_no_bits_to_lose(tmp_path):
    assert pd.isna(written(tmp_path, **older(dtype="float9"))["bits_lost"])


def test_a_source_that_names_no_file_has_none(tmp_path):
    read = written(tmp_path, **older(source="the manual says so"))
    assert read["source_path"] == read["source_issue"] == "" and pd.isna(read["source_line"])


def test_rows_of_a_newer_schema_are_refused_with_what_to_do(tmp_path):
    with pytest.raises(ValueError, match=r"line 1, schema: got 3, should be at most 2; a newer Gaugeblock"):
        written(tmp_path, **(row().as_dict() | {"schema": MEANING + 1}))
