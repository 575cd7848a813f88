"""Rows to tables: the report, the page of known departures, the kill matrix, the README's table."""
