"""Logistic regression: the probability of one of two classes, and its loss from logits.

Formula
    P(y=1|x) = 1 / (1 + e^−(x W + b))              probability
    J(W, b) = −1/n Σ y log P + (1 − y) log(1 − P)  logistic_loss
Shapes
    x : (n, d)    inputs
    W : (d, m)    slopes, one column for each binary target (m = 1 in the textbook)
    b : (m,)    intercepts
    y : (n, m)    targets, 0 or 1
Source
    Cox 1958; Hastie, Tibshirani, Friedman 2009, The Elements of Statistical Learning, eqs. (4.17) to (4.20).
Choices
    The loss is computed from the logits z = x W + b, never from P, so that it neither overflows nor loses
    precision for a probability near 0 or 1 (loss.py). It is the mean over all elements, without a penalty
    on W. Its gradient, P − y in textbooks, is (1 − y) P − y (1 − P) with 1 − P = σ(−z): P − 1 would cancel
    if a prediction is right and certain.
    Its training is descent.py with objective="logistic"; the closed form of linear regression has no
    counterpart here.
    Conditioning of logistic-loss/*/forward.y up to 8: the loss is a sum over all elements, in any order.
    Conditioning of logistic-loss/*/large-logits/gradient.b up to 6: a sum of saturated errors, many of them
    equal, in any order.
    Conditioning of logistic-loss/*/large-logits/gradient.x, logistic-regression/*/large-logits/gradient.x
    up to 60: where the slope of the sigmoid is subnormal, and may be flushed to zero, its product with W
    is not yet.
"""

from reference.activation import sigmoid, sigmoid_vjp
from reference.linear import linear, linear_vjp
from reference.loss import binary_cross_entropy, binary_cross_entropy_vjp


def probability(x, W, b):
    """P(y=1|x), one row for each row of x."""
    return sigmoid(linear(x, W, b))  # (n, m)


def probability_vjp(dy, x, W, b):
    """∂P/∂z = P (1 − P), then the chain rule of linear."""
    dz = sigmoid_vjp(dy, linear(x, W, b))["x"]  # (n, m)
    return linear_vjp(dz, x, W, b)


def logistic_loss(x, y, W, b):
    """The mean cross-entropy of the targets."""
    return binary_cross_entropy(linear(x, W, b), y)


def logistic_loss_vjp(dy, x, y, W, b):
    """∂J/∂z = (P − y)/(n m), then the chain rule of linear. The targets y are not differentiated."""
    dz = binary_cross_entropy_vjp(dy, linear(x, W, b), y)["z"]  # (n, m)
    return linear_vjp(dz, x, W, b)
