"""A contender made ready and called: built, its weights found in the framework's layout, trained."""

from bench.contender.prepare import find as find
from bench.contender.prepare import instance as instance
from bench.contender.prepare import prepared as prepared
