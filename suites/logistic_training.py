"""Logistic regression trained by gradient descent on scikit-learn's breast cancer data set.

The loops are those of suites/gradient_descent.py, with the logistic loss. The score is the accuracy on the
training set.
"""

import numpy as np

from gaugeblock import Case
from reference.descent import gradient_descent, minibatches, start
from reference.linear import linear
from suites.gradient_descent import CONTENDERS
from suites.logistic_regression import tumours


def inputs(rng, *, rows, steps, **option):
    x, y = tumours()
    order = np.concatenate([rng.permutation(len(x)) for _ in range(1 + steps * rows // len(x))])
    data = {name: minibatches(a, order[: steps * rows], size=rows) for name, a in {"x": x, "y": y}.items()}
    return {"W": np.zeros((x.shape[1], 1)), "b": np.zeros(1)}, data


def accuracy(predict):
    x, y = tumours()
    return "accuracy", float(np.mean((np.asarray(predict(x)) > 0) == y))


def logits(weights, x, **option):
    return linear(x, **weights)


case = Case(
    name="logistic-training",
    title="Logistic regression trained by gradient descent",
    step=gradient_descent,
    start=start,
    inputs=inputs,
    sizes={
        "small": {"rows": 64, "steps": 12},
        "breast-cancer": {"rows": 569, "steps": 12},
        "one": {"rows": 1, "steps": 12},
    },
    options={"plain": {"lr": 0.1, "objective": "logistic"}},
    contenders=CONTENDERS,
    curve={"size": "breast-cancer", "steps": 100},
    score=accuracy,
    predict=logits,
    items=lambda *, rows, **_: rows,
    unit="rows",
    flops=lambda *, rows, **_: 4 * rows * 30,
)
