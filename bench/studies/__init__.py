"""Experiments on the instrument itself: a contender against itself, the clock's overhead, coverage, flops."""
