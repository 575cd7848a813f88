"""What the reference gives, and how far rounding alone may move it: the limit of every element."""

from bench.tolerance.expected import Expectation as Expectation
from bench.tolerance.expected import expectation as expectation
