"""Timing: blocks of calls, interleaved rounds, peak rates and the roofline, memory and energy.

This package does no comparison: bench/verdict/timed.py judges the outputs of timed calls."""

from bench.speed.clock import Call as Call
from bench.speed.timing import Timing as Timing
