"""Images flattened column by column: the first axis of an image runs fastest, as in Fortran.

Formula
    Y[n, i + h (j + w k)] = X[n, i, j, k]
Shapes
    x : (n, h, w, c)    images, channels last
    y : (n, m)          m = h w c
Source
    NumPy 2.3, numpy.reshape (order="F").
Choices
    The images stay apart: their own axis is the slowest in any order.
"""

import numpy as np


def flatten_columns(x):
    return np.transpose(x, (0, 3, 2, 1)).reshape(len(x), -1)  # (n, h w c)


def flatten_columns_vjp(dy, x):
    n, h, w, c = x.shape
    return {"x": np.transpose(dy.reshape(n, c, w, h), (0, 3, 2, 1))}
