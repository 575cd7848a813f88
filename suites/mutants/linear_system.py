"""Planted faults of systems of linear equations."""

from gaugeblock import Mutant

SOLVE, BACK = "systems.solve", "systems.solve_vjp"

mutants = {
    "linear-system": (
        Mutant("turned-ignored", "formula", SOLVE, "_T(A) if turned else A, B)", "A, B)", option="turned"),
        Mutant("right-side-of-the-example-before", "layout", SOLVE, "else A, B)", "else A, np.roll(B, 1, axis=0))"),
        Mutant("right-as-the-transpose", "formula", SOLVE, "turned=not turned", "turned=turned", option="right"),
        Mutant("matrix-in-bfloat16", "precision", SOLVE, "_T(A) if turned else A, B)", "_T(A) if turned else bfloat16(A), B)"),
        Mutant("sign-of-the-matrix", "gradient", BACK, "-dB @ _T(X)", "dB @ _T(X)"),
        Mutant("matrix-not-turned-back", "gradient", BACK, "_T(dA) if turned else dA", "dA", option="turned"),
        Mutant("solved-with-the-matrix-itself", "gradient", BACK, "_each(_T(matrix), dy)", "_each(matrix, dy)"),
    ),
}  # fmt: skip
