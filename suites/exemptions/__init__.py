"""Exceptions for the studies, with reasons: API parameters (coverage.py) and flop counts (flops.py)."""
