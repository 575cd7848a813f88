"""Known departures of log-mel spectra and of the mel cepstrum."""

from gaugeblock import LOW, Limit

limits = {
    "edges-in-the-dtype": Limit(
        "tensorflow",
        "takes frequencies and edges of bands in mel in the dtype before it subtracts them, which cancels",
        "tensorflow/python/ops/signal/mel_ops.py:184 to 208",
        {
            "case": "log-mel",
            "backend": "tensorflow",
            "contender": "tensorflow.signal.linear_to_mel_weight_matrix",
            "dtype": ("float64", "float32", *LOW),
        },
        always=False,
    ),
    "cosines-in-float32": Limit(
        "jax",
        "gives float32 for bfloat16 and float16: its transform has no fewer bits",
        "jax/_src/scipy/fft.py:126 to 129 (0.10.2)",
        {"case": "mel-cepstrum", "backend": "jax", "contender": "jax.scipy.fft.dct", "dtype": LOW},
    ),
}
