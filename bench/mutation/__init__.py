"""Planted faults: a mutant of a formula, how it is planted, and which lane of the verdict finds it."""
