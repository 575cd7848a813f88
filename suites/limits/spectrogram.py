"""Known departures of short-time Fourier transforms."""

from gaugeblock import LOW, Limit

TWO_SIDED = {"backend": "jax", "option": ("two-sided", "by-window-two-sided")}

limits = {
    "complex-transform": Limit(
        "jax",
        "takes the transform of complex numbers, which rounds the imaginary part at half the sampling rate: "
        "for real samples it is zero",
        "jax/_src/numpy/fft.py, fft; jax/_src/scipy/signal.py, _fft_helper",
        TWO_SIDED | {"direction": "forward"},
        always=False,
    ),
    "transform-in-float32": Limit(
        "jax",
        "gives float32 for bfloat16 and float16: its transform has no fewer bits",
        "jax/_src/numpy/fft.py, fft: complex64",
        TWO_SIDED | {"dtype": LOW},
    ),
}
