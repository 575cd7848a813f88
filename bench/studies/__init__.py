"""Experiments on Gaugeblock itself: A/A timings, the clock's overhead, API coverage, flop counts, limits."""
