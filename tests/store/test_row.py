"""The row: documented columns, and no speed without agreement."""

from dataclasses import fields

import pytest

from bench.store.row import COLUMNS, STATUSES, TIMED, Row
from tests.rows import row, timed

LITERAL = """
    run_id time machine environment case option regime size contender backend version mode device dtype
    direction threads precision lane status why bits z_rms z_worst
"""


def test_every_column_is_documented():
    assert list(COLUMNS) == [column.name for column in fields(Row)]
    assert all(doc and doc == doc.strip() for doc in COLUMNS.values())


def test_the_columns_that_readers_rely_on_are_there_in_their_order():
    assert [name for name in COLUMNS if name in LITERAL.split()] == LITERAL.split()


@pytest.mark.parametrize("status", STATUSES)
def test_only_a_row_that_agrees_may_have_a_speed(status):
    if status in TIMED:
        assert timed(1e-3, status=status).median_s == 1e-3
    else:
        with pytest.raises(ValueError, match=f"a speed with status '{status}', should only be given with"):
            timed(1e-3, status=status)


def test_an_unknown_status_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="status is 'passed', should be one of agrees, imprecise"):
        row(status="passed")


def test_a_row_is_a_dict_of_its_columns():
    assert list(row().as_dict()) == list(COLUMNS)
