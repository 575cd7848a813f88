"""A convolutional network for images: two convolutions with pooling, then two dense layers.

Formula
    h₁ = max_pool(relu(X ⋆ W₁ + b₁))
    h₂ = max_pool(relu(h₁ ⋆ W₂ + b₂))
    h₃ = relu(flatten(h₂) W₃ + b₃)
    z = h₃ W₄ + b₄
    Y = softmax(z)
    loss = -mean log Y[label]
    Gradient: the chain rule, layer by layer from the last to the first.
Shapes
    x : (n, h, w, c)    images, channels last
    conv1 : tree    {"W": (3, 3, c, 32), "b": (32,)}; the sizes are those of the page cnn
    conv2 : tree    {"W": (3, 3, 32, 64), "b": (64,)}
    dense1 : tree    {"W": (1600, 128), "b": (128,)}
    dense2 : tree    {"W": (128, 10), "b": (10,)}
    labels : (n,)    class numbers
    y : (n, k)    probabilities
Source
    LeCun et al. 1998, Gradient-based learning applied to document recognition, section II.
    Keras's "Simple MNIST convnet" (Chollet 2015), without dropout and with a dense layer of 128.
Choices
    Pools are 2 by 2 and drop a last odd row or column. relu'(0) = 0; a pool takes the first of equal pixels.
    An image is flattened row by row, its channels together (torch: channel by channel).
    The loss is taken from the logits z, not from the probabilities.
    Conditioning of cnn/*/*, cnn-training/*/* up to 7: the gradients of biases are sums over all places of all
    images, and a sum of n terms in any order loses a factor of √(n/6).
"""

import numpy as np

from reference.activation import relu, relu_vjp, softmax, softmax_vjp
from reference.convolution import conv2d, conv2d_kernel_vjp, conv2d_vjp
from reference.linear import linear, linear_vjp
from reference.loss import sparse_cross_entropy, sparse_cross_entropy_vjp
from reference.optimizer import adam, adam_start
from reference.pooling import max_pool, max_pool_vjp


def cnn(x, conv1, conv2, dense1, dense2):
    return softmax(_layers(x, conv1, conv2, dense1, dense2)[-1])  # (n, k)


def cnn_vjp(dy, x, conv1, conv2, dense1, dense2):
    layers = _layers(x, conv1, conv2, dense1, dense2)
    da1, g = _backward(softmax_vjp(dy, layers[-1])["x"], layers, conv2, dense1, dense2)
    d1 = conv2d_vjp(da1, x, **conv1)
    return g | {"x": d1.pop("x"), "conv1": d1}


def step(weights, state, x, labels, *, lr=0.001, eps=1e-8, hat=False):
    """One step of Adam on one batch."""
    layers = _layers(x, **weights)
    loss = sparse_cross_entropy(layers[-1], labels)  # ()
    dz = sparse_cross_entropy_vjp(np.ones_like(loss), layers[-1], labels)["z"]  # (n, k)
    da1, g = _backward(dz, layers, weights["conv2"], weights["dense1"], weights["dense2"])
    g["conv1"] = conv2d_kernel_vjp(da1, x, **weights["conv1"])  # the gradient of the images is not needed
    return *adam(weights, g, state, lr=lr, eps=eps, hat=hat), loss


def start(weights):
    return adam_start(weights)


def flatten(x):
    return x.reshape(len(x), -1)  # (n, h w c)


def flatten_vjp(dy, x):
    return {"x": dy.reshape(x.shape)}


def dense(x, W, b=None):
    """A dense layer on flattened images."""
    return linear(flatten(x), W, b)  # (n, m)


def dense_vjp(dy, x, W, b=None):
    d = linear_vjp(dy, flatten(x), W, b)
    return d | flatten_vjp(d["x"], x)


def _layers(x, conv1, conv2, dense1, dense2):
    """The result of each layer, before and after its activation."""
    a1 = conv2d(x, **conv1)  # (n, h - 2, w - 2, 32)
    r1 = relu(a1)
    h1 = max_pool(r1)  # (n, 13, 13, 32)
    a2 = conv2d(h1, **conv2)
    r2 = relu(a2)  # (n, 11, 11, 64)
    h2 = max_pool(r2)  # (n, 5, 5, 64)
    a3 = dense(h2, **dense1)  # (n, 128)
    h3 = relu(a3)
    z = linear(h3, **dense2)  # (n, k)
    return a1, r1, h1, a2, r2, h2, a3, h3, z


def _backward(dz, layers, conv2, dense1, dense2):
    """The gradient of the first convolution's output, and of all weights after it."""
    a1, r1, h1, a2, r2, h2, a3, h3, _ = layers
    d4 = linear_vjp(dz, h3, **dense2)
    d3 = dense_vjp(relu_vjp(d4.pop("x"), a3)["x"], h2, **dense1)
    dr2 = max_pool_vjp(d3.pop("x"), r2)["x"]
    d2 = conv2d_vjp(relu_vjp(dr2, a2)["x"], h1, **conv2)
    dr1 = max_pool_vjp(d2.pop("x"), r1)["x"]
    return relu_vjp(dr1, a1)["x"], {"conv2": d2, "dense1": d3, "dense2": d4}
