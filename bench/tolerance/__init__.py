"""What the reference gives (expected), how far rounding moves it (spread), how far off it may be (limit)."""

from bench.tolerance.expected import Expectation as Expectation
from bench.tolerance.expected import expectation as expectation
