"""The steering network: from an image of the road to a steering command, by five convolutions.

Formula
    h = x / 127.5 − 1
    h ← relu(h ⋆ W + b)    for each convolution; kernels of 5 by 5 have a stride of 2
    g = flatten(h);  g ← relu(g W + b)    for each dense layer but the last
    s = g W + b,  loss = mean (s − command)²
    Gradient: the chain rule, layer by layer from the last to the first.
Shapes
    x : (n, h, w, c)    images, channels last, from 0 to 255
    command : (n, 1)    what the driver did: the inverse of the turning radius
    convolutions : tree    lists of {"W": (5, 5, c, k), "b": (k,)} and {"W": (3, 3, c, k), "b": (k,)}
    dense : tree    lists of {"W": (d, m), "b": (m,)}; the last has one output
    s : (n, 1)    and loss : ()
Source
    Bojarski et al. 2016, End to end learning for self-driving cars, section 4 and figure 4. arXiv:1604.07316
Choices
    The paper names no activation; this is ReLU, with relu'(0) = 0. Its normalisation has no weights.
    Convolutions have no margin. The biases may be left out.
    An image is flattened row by row, its channels together (torch: channel by channel).
    Conditioning of steering/*/typical/gradient.* up to 7: sums over all places of all images, in any order.
    Conditioning of steering/plain/night/gradient.* up to 39: the same of pixels that are nearly equal, so
    that terms round alike.
"""

from reference.activation import relu, relu_vjp
from reference.cnn import flatten, flatten_vjp
from reference.convolution import conv2d, conv2d_vjp
from reference.linear import linear, linear_vjp
from reference.loss import mean_squared_error, mean_squared_error_vjp

HALF = 127.5


def steering(x, command, convolutions, dense):
    """The steering command s for each image, and the loss."""
    s = _forward(x, convolutions, dense)[-1]  # (n, 1)
    return {"s": s, "loss": mean_squared_error(s, command)}


def steering_vjp(dy, x, command, convolutions, dense):
    seen, images, flat, s = _forward(x, convolutions, dense)
    da = dy["s"] + mean_squared_error_vjp(dy["loss"], s, command)["p"]
    first, second = [], []
    for layer, (g, a) in zip(dense[::-1], flat[::-1], strict=True):
        da = da if a is s else relu_vjp(da, a)["x"]
        second.insert(0, linear_vjp(da, g, **layer))
        da = second[0].pop("x")
    da = flatten_vjp(da, images)["x"]
    for layer, (h, a) in zip(convolutions[::-1], seen[::-1], strict=True):
        first.insert(0, conv2d_vjp(relu_vjp(da, a)["x"], h, **layer, stride=_stride(layer)))
        da = first[0].pop("x")
    return {"x": da / HALF, "convolutions": first, "dense": second}


def _forward(x, convolutions, dense):
    """What each convolution sees and gives, the last images, the same of dense layers, and s."""
    h, seen, flat = x / HALF - 1, [], []
    for layer in convolutions:
        a = conv2d(h, **layer, stride=_stride(layer))
        seen.append((h, a))
        h = relu(a)
    g = flatten(h)  # (n, d)
    for layer in dense:
        a = linear(g, **layer)
        flat.append((g, a))
        g = relu(a)
    return seen, h, flat, a


def _stride(layer):
    return 2 if len(layer["W"]) == 5 else 1
