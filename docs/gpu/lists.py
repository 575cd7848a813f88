"""Writes typical.txt and small.txt, expressions for -k, here beforehand."""
from bench import pages
from bench.cells.selection import Selection, cells, timed
s = Selection(backends=("torch", "jax"), devices=("gpu",), dtypes=("float32",))
C = list(pages.cases().values())
at = dict.fromkeys("/".join((c.case, c.option, c.regime, c.size)) for c in cells(C, s) if timed(c, pages.case(c.case), s))
open(".gpu/typical.txt", "w").write(" or ".join(at))
SMALL = ("perceptron", "conv2d", "attention", "layer-norm", "softmax", "lstm", "adam", "transformer-encoder-layer", "host-to-device", "device-to-host")
open(".gpu/small.txt", "w").write(" or ".join(x for x in at if x.split("/")[0] in SMALL))
print(len(at), len(open(".gpu/typical.txt").read()))
