"""Building, calling and training a contender, and mapping its weights to the reference's."""

from bench.contender.prepare import find as find
from bench.contender.prepare import instance as instance
from bench.contender.prepare import prepared as prepared
