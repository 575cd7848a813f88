"""Known departures of addition with broadcasting."""

from gaugeblock import Limit

limits = {
    "second-array-as-a-bias": Limit(
        "keras",
        "takes a second array with one axis above 1 for a bias: a column whose length is that of the last "
        "axis is added as a row, one number per example as a row or a column",
        "keras/src/backend/tensorflow/numpy.py:111 (3.15.1)",
        {
            "backend": "tensorflow",
            "contender": "keras.ops.add",
            "option": ("column", "examples", "row-and-column"),
            "dtype": ("float64", "float32", "bfloat16", "float16"),
        },
        always=False,  # where lengths differ it is a column
    ),
}
