"""The clock: calls in blocks that are waited for, interleaved rounds, peaks and the roofline, memory, energy.

Nothing here knows a tolerance: what was timed is judged by verdict/timed.py."""

from bench.speed.clock import Call as Call
from bench.speed.timing import Timing as Timing
