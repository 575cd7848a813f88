"""The reference's values (expected), their spread by rounding (spread), and the limits (limit)."""

from bench.tolerance.expected import Expectation as Expectation
from bench.tolerance.expected import expectation as expectation
