"""Planted faults, one file per page: what the checks of this suite must find."""
