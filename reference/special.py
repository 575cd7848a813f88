"""Special functions that NumPy does not have: SciPy's, imported at the first call.

Formula
    erf(x)   = (2/√π) ∫₀ˣ e^(−t²) dt
    expit(x) = 1 / (1 + e^(−x))
Shapes
    x : any
Source
    Abramowitz and Stegun 1964, 7.1.1 (erf).
Choices
    SciPy is imported late, so that a page can be imported, built and timed without it.
"""

from functools import cache


def erf(x):
    return _scipy().erf(x)


def expit(x):
    return _scipy().expit(x)


@cache
def _scipy():
    from scipy import special

    return special
