"""The formulas in NumPy: one file per formula family, each with its own derivation of the gradient."""
