"""Gradient descent on the whole objective, and with its gradient written as the sum over the examples.

Formula
    θ ← θ − α ∇J(θ)                                          gradient_descent
    θ ← θ − (α/m) Σᵢ ∇J(θ; x⁽ⁱ⁾, y⁽ⁱ⁾)                       batch_gradient_descent
Shapes
    x : (m, d)    the batch
    y : (m, k)    its targets
    theta : {"W": (d, k), "b": (k,)}    weights
    order : (n,)    indices of examples, in the order in which mini-batches take them
Source
    Cauchy 1847; Bottou, Curtis, Nocedal 2018, eqs. (3.6) and (3.7). arXiv:1606.04838
Choices
    J is least_squares (linear.py; no factor 1/2) or logistic_loss (logistic.py), and J(θ; x⁽ⁱ⁾, y⁽ⁱ⁾) the
    same for one example, so that both formulas give the same step except for rounding.
    The loss is the one before the step. An incomplete last mini-batch is dropped.
    Conditioning of gradient-descent/*, batch-gradient-descent/* up to 9: the loss of each step is a sum over
    all elements, in any order.
    Conditioning of logistic-training/* up to 40: so it is, and with weights of zero all losses are equal, and
    so are the errors of adding them one by one.
"""

from reference.linear import least_squares, least_squares_vjp, linear
from reference.logistic import logistic_loss, logistic_loss_vjp
from reference.loss import (
    binary_cross_entropy,
    binary_cross_entropy_vjp,
    mean_squared_error,
    mean_squared_error_vjp,
)
from reference.optimizer import sgd

OBJECTIVES = {
    "least_squares": (least_squares, least_squares_vjp),
    "logistic": (logistic_loss, logistic_loss_vjp),
}
OF_OUTPUTS = {
    "least_squares": (mean_squared_error, mean_squared_error_vjp),
    "logistic": (binary_cross_entropy, binary_cross_entropy_vjp),
}


def start(weights):
    """The initial state: plain descent has none."""
    return {}


def value_and_gradient(theta, x, y, *, objective="least_squares"):
    """J(θ) and ∇J(θ)."""
    J, J_vjp = OBJECTIVES[objective]
    g = J_vjp(1.0, x, y, **theta)
    return J(x, y, **theta), {name: g[name] for name in theta}


def gradient_descent(theta, state, x, y, *, lr=0.01, objective="least_squares"):
    """One step on the objective."""
    loss, g = value_and_gradient(theta, x, y, objective=objective)
    return *sgd(theta, g, state, lr=lr), loss


def per_example_gradients(theta, x, y, *, objective="least_squares"):
    """∇J(θ; x⁽ⁱ⁾, y⁽ⁱ⁾) for every i, along the first axis: ∂Wᵢ = xᵢ ∂zᵢᵀ and ∂bᵢ = ∂zᵢ."""
    z = linear(x, **theta)  # (m, k)
    (dz,) = OF_OUTPUTS[objective][1](1.0 / z.shape[1], z, y, reduction="sum").values()  # (m, k)
    return {"W": x[:, :, None] * dz[:, None, :], "b": dz}  # (m, d, k), (m, k)


def batch_gradient_descent(theta, state, x, y, *, lr=0.01, objective="least_squares"):
    """One step on the sum of the gradients of the examples."""
    g = per_example_gradients(theta, x, y, objective=objective)
    rate = lr / len(x)
    theta_next = {name: theta[name] - rate * g[name].sum(axis=0) for name in theta}
    return theta_next, state, OBJECTIVES[objective][0](x, y, **theta)


def trajectory(step, theta, state, batches, **option):
    """The weights before each step and after the last, and the loss of each: ([θ₀, …, θₙ], [J₀, …, Jₙ₋₁])."""
    thetas, losses = [theta], []
    for batch in batches:
        theta, state, loss = step(theta, state, **batch, **option)
        thetas.append(theta)
        losses.append(loss)
    return thetas, losses


def minibatches(a, order, *, size):
    """Rows of `a` in the given order, `size` at a time: (steps, size, …)."""
    steps = len(order) // size
    return a[order[: steps * size]].reshape(steps, size, *a.shape[1:])
