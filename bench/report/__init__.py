"""Rows to tables: the report, the page of known departures, the kill matrix, the README's table."""

from bench.report.table import Listing as Listing
from bench.report.table import Section as Section
from bench.report.table import Table as Table
from bench.report.table import markdown as markdown
