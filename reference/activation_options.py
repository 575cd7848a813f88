"""Softmax over any axis, also of some elements, and a ReLU with a slope, a bound and a threshold.

Formula
    axis_softmax       yᵢ = e^xᵢ / Σⱼ e^xⱼ, or its logarithm, over the axis, of the elements that are seen
    bounded_relu       y = min(x, m) where x ≥ θ, else a (x − θ)
Shapes
    x : (n, c, d)    any axes
    seen : (n, c, d)    boolean, False where y is 0, or its logarithm −∞
    dy : (n, c, d)    cotangent of the result
Source
    Goodfellow, Bengio, Courville 2016, 6.2.2.3 and 6.3.1. Maas et al. 2013 (the slope).
Choices
    The bound m also holds where a slope below the threshold would pass it; Keras has no such inputs.
    At a bound the slope is 0, and at the threshold that below it: 0 for a plain ReLU, as in activation.py.
    What is not seen is 0, or −∞, also beside a NaN, and where nothing is seen: JAX documents it so.
"""

import math

import numpy as np

from reference.activation import log_softmax, log_softmax_vjp, softmax, softmax_vjp


def axis_softmax(x, seen=None, *, axis=-1):
    return _seen(np.moveaxis(softmax(_last(x, seen, axis)), -1, axis), seen)


def axis_softmax_vjp(dy, x, seen=None, *, axis=-1):
    dx = softmax_vjp(np.moveaxis(dy, axis, -1), _last(x, seen, axis))["x"]
    return {"x": _seen(np.moveaxis(dx, -1, axis), seen)}


def axis_log_softmax(x, seen=None, *, axis=-1):
    return _seen(np.moveaxis(log_softmax(_last(x, seen, axis)), -1, axis), seen, -math.inf)


def axis_log_softmax_vjp(dy, x, seen=None, *, axis=-1):
    """What is −∞ has no slope."""
    dy = np.moveaxis(_seen(dy, seen), axis, -1)
    return {"x": _seen(np.moveaxis(log_softmax_vjp(dy, _last(x, seen, axis))["x"], -1, axis), seen)}


def bounded_relu(x, *, slope=0.0, bound=math.inf, threshold=0.0):
    return np.where(x >= threshold, np.minimum(x, bound), slope * (x - threshold))


def bounded_relu_vjp(dy, x, *, slope=0.0, bound=math.inf, threshold=0.0):
    return {"x": np.where(x > threshold, np.where(x < bound, dy, 0), slope * dy)}


def _last(x, seen, axis):
    """The axis last, and −∞ where an element is not seen."""
    return np.moveaxis(x if seen is None else np.where(seen, x, -math.inf), axis, -1)


def _seen(y, seen, other=0):
    return y if seen is None else np.where(seen, y, other)
