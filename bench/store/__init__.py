"""Rows and runs on disk: the columns of a row, the folder of a run, and reading both."""

from bench.store.row import STATUSES as STATUSES
from bench.store.row import TIMED as TIMED
from bench.store.row import Row as Row
from bench.store.row import sentence as sentence
