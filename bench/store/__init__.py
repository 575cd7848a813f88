"""Rows and runs on disk: the columns of a row, a run's folder, and reading them back."""
