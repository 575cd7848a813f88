"""Planted faults: a mutant of a formula, how it is planted, and which lane of the verdict finds it."""

from bench.mutation.mutant import Mutant as Mutant
from bench.mutation.mutant import mutants as mutants
