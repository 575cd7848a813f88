"""Addition of arrays whose shapes differ: an axis of length 1, or one that is missing, is repeated.

Formula
    y = x + α z, with the last axes of both side by side
    Gradient: dx is the sum of dy over the axes along which x was repeated, dz that of α dy.
Shapes
    x : (..., n, m)    and z with other axes of length 1, or fewer axes
    y : (..., n, m)    the longer of both lengths on each axis
Source
    NumPy 2.3 user guide, Broadcasting.
Choices
    Which axis of z is which follows from its place alone, never from its length.
    Conditioning of addition/number/typical/gradient.z up to 5.6: the gradient of a number is a sum over all
    elements, in any order.
"""


def addition(x, z, *, alpha=1):
    return x + (z if alpha == 1 else alpha * z)


def addition_vjp(dy, x, z, *, alpha=1):
    return {"x": _collected(dy, x), "z": _collected(dy if alpha == 1 else alpha * dy, z)}


def _collected(dy, x):
    """The sum over what x was repeated along."""
    more = dy.ndim - x.ndim
    alone = [more + axis for axis, length in enumerate(x.shape) if length == 1]
    return dy.sum(axis=(*range(more), *alone)).reshape(x.shape)
