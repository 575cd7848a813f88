"""Special functions that NumPy does not have: SciPy's, imported at the first call.

Formula
    erfc(x)  = (2/√π) ∫ₓ^∞ e^(−t²) dt = 1 − erf(x)
    expit(x) = 1 / (1 + e^(−x))
Shapes
    x : any
Source
    Abramowitz and Stegun 1964, 7.1.2 (erfc).
Choices
    SciPy is imported late, so that a page can be imported, built and timed without it.
"""

from functools import cache


def erfc(x):
    return _scipy().erfc(x)


def expit(x):
    return _scipy().expit(x)


@cache
def _scipy():
    from scipy import special

    return special
