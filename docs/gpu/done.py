"""The arguments that choose the large workloads whose limits have been derived, one a line."""
from bench import pages
from bench.cache import folder
from bench.cells.cell import Cell
from bench.inputs import shared
from bench.tolerance.expected import key
from bench.cells.selection import Selection, cells, timed
BIG = {"linear-regression": "layer", "perceptron": "mnist", "softmax": "large", "gelu": "large", "layer-norm": "gpt2", "conv2d": "large",
       "cross-entropy": "large", "attention": "gpt2", "multi-head-attention": "gpt2", "lstm": "long", "cnn": "mission", "adam": "odd"}
s = Selection(backends=("torch", "jax"), devices=("gpu",), dtypes=("float32",), sizes=tuple(set(BIG.values())))
found = {}
for c in cells(list(pages.cases().values()), s):
    if BIG.get(c.case) == c.size and timed(c, pages.case(c.case), s) and (folder() / f"{key(shared(c), False, 'float32')}.npz").exists():
        found["/".join((c.case, c.option, c.regime, c.size))] = c.size
for size in dict.fromkeys(found.values()): print("--size"); print(size)
print("-k"); print("test_speed and (" + (" or ".join(found) or "nothing-was-derived") + ")")
