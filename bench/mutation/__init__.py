"""Mutants: planted faults of a formula, and which lane of the verdict detects each one."""

from bench.mutation.mutant import Mutant as Mutant
from bench.mutation.mutant import mutants as mutants
