"""A forecaster: LSTM layers, a linear layer on the last time step, mean squared error, Adam.

Formula
    h = lstm(x), the last layer's state at the last step
    p = h W + b
    J = mean (p - y)²
    θ ← adam(θ, ∇J(θ))
Shapes
    x : (n, t, d)    a batch of sequences
    y : (n, o)    one target vector per sequence
Source
    The formulas of lstm.py, linear.py, loss.py and optimizer.py, composed.
Choices
    weights = {"layers": as in recurrent.py, "head": {"W": (m, o), "b": (o,)}}. The states start at zero.
    `hat` selects Keras's epsilon (optimizer.py). A cell with a second bias "c", as in torch, trains both.
    Conditioning of lstm-model/*/* up to 7: every step adds its rounding errors to those of the steps before,
    and the squares in v double them.
"""

from reference.linear import linear, linear_vjp
from reference.loss import mean_squared_error, mean_squared_error_vjp
from reference.lstm import lstm, lstm_vjp
from reference.optimizer import adam, adam_start


def lstm_model(x, layers, head):
    """The forecast p : (n, o)."""
    return linear(lstm(x, layers, last=True), **head)


def value_and_gradient(x, y, layers, head):
    """J and its gradients by layers and head: the chain of the three parts."""
    h = lstm(x, layers, last=True)  # (n, m)
    p = linear(h, **head)  # (n, o)
    dhead = linear_vjp(mean_squared_error_vjp(1.0, p, y)["p"], h, **head)
    dlayers = lstm_vjp(dhead.pop("x"), x, layers, last=True)["layers"]
    return mean_squared_error(p, y), {"layers": dlayers, "head": dhead}


def start(weights):
    """Adam's moments, zero."""
    return adam_start(weights)


def step(weights, state, x, y, *, lr=0.001, eps=1e-8, hat=False):
    """One step on one batch."""
    loss, g = value_and_gradient(x, y, **weights)
    return *adam(weights, g, state, lr=lr, eps=eps, hat=hat), loss
