"""The fewest bytes of a call, and the flops of a cell."""

from collections import namedtuple

import numpy as np

from bench import pages
from bench.cells.cell import Cell
from bench.speed.work import flops, traffic

X = np.zeros((3, 5), np.float32)


def test_every_array_of_every_tree_counts_once():
    assert traffic({"W": X, "layers": [X, {"b": X[0]}]}, None, (X,)) == 3 * 60 + 20


def test_what_is_read_and_written_counts_twice():
    held = {"W": X}
    assert traffic(held, {"x": X}, held) == 180


def test_shape_and_dtype_are_enough_and_a_number_is_no_array():
    Spec = type("Spec", (), {"shape": (3, 5), "dtype": np.dtype("float64")})
    Named = type("Named", (), {"shape": (3, 5), "dtype": "int8"})  # as a Keras variable
    Sized = type(
        "Sized", (), {"shape": (3, 5), "dtype": namedtuple("Type", "size")(2)}
    )  # as TensorFlow has it
    assert [traffic({"x": each()}) for each in (Spec, Named, Sized)] == [120, 15, 30]
    assert traffic({"t": 3, "rate": 0.1}) == 0


def cell(case, direction):
    option = next(iter(pages.case(case).options))
    return Cell(case, option, "typical", "small", "", "", "", "cpu", "float32", direction)


def test_a_gradient_is_three_passes_and_a_step_is_what_its_page_says():
    assert flops(cell("attention", "gradient")) == 3 * flops(cell("attention", "forward")) > 0
    adam = pages.case("adam")
    assert flops(cell("adam", "training")) == adam.flops(**adam.sizes["small"])
