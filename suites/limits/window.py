"""Known departures of windows."""

from gaugeblock import Limit

ALL = ("float64", "float32", "bfloat16", "float16")
COSINES = "takes a difference of cosines in the dtype of the window, which cancels at the ends"
SUMS = tuple(kind + end for kind in ("hann", "hamming", "blackman") for end in ("", "-symmetric"))
KERAS = "keras/src/backend/tensorflow/numpy.py:134, 149, 154 and 1156"
RAISED = "tensorflow/python/ops/signal/window_ops.py:238 and 241"
TENSORFLOW = {"backend": "tensorflow", "contender": "tensorflow.signal.hann_window"}
IN_KERAS = {"backend": "tensorflow", "contender": "keras.ops.hanning"}

limits = {
    "cosines-cancel-torch": Limit(
        "torch",
        COSINES,
        "aten/src/ATen/native/TensorFactories.cpp, hamming_window and blackman_window; "
        "torch/signal/windows/windows.py:763",
        {"backend": "torch", "option": SUMS, "dtype": ALL},
        always=False,
    ),
    "bartlett-cancels-torch": Limit(
        "torch",
        "takes the falling half as 2 - 2m/p or as 1 - |k|, with k in the dtype, which cancels at the end",
        "aten/src/ATen/native/TensorFactories.cpp, bartlett_window; torch/signal/windows/windows.py",
        {"backend": "torch", "option": ("bartlett", "bartlett-symmetric"), "dtype": ALL},
        always=False,
    ),
    "cosines-cancel-tensorflow": Limit(
        "tensorflow",
        COSINES,
        RAISED,
        [
            TENSORFLOW | {"dtype": ALL, "size": ("small", "one", "speech")},
            TENSORFLOW | {"dtype": ALL, "size": "odd", "option": ("hann-symmetric", "hamming-symmetric")},
        ],
        always=False,
    ),
    "periodic-of-an-odd-length": Limit(
        "tensorflow",
        "gives the symmetric window for periodic=True where the length is odd",
        "tensorflow/python/ops/signal/window_ops.py:236",
        TENSORFLOW | {"size": "odd", "option": ("hann", "hamming"), "dtype": ALL},
    ),
    "cosines-cancel-jax": Limit(
        "jax",
        COSINES,
        "jax/_src/numpy/window_functions.py:56, 118 and 149",
        {"backend": "jax", "option": SUMS, "dtype": ALL},
        always=False,
    ),
    "bartlett-cancels-jax": Limit(
        "jax",
        "takes 1 - |2m + 1 - l| / (l - 1), which cancels at both ends",
        "jax/_src/numpy/window_functions.py:87",
        {"backend": "jax", "option": "bartlett-symmetric", "dtype": ALL},
        always=False,
    ),
    "windows-in-float32": Limit(
        "keras",
        "gives windows in float32 (in keras.config.floatx()), and takes no dtype",
        KERAS,
        IN_KERAS | {"dtype": "float64"},
        always=False,
    ),
    "cosines-cancel-keras": Limit(
        "keras",
        "takes a difference of cosines, or 2 - 2m/p, in float32, which cancels at the ends",
        KERAS,
        IN_KERAS | {"dtype": ("float32", "bfloat16", "float16")},
        always=False,
    ),
}
