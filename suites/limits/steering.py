"""Known departures of the steering network."""

from gaugeblock import Limit

limits = {
    "scale-in-float32": Limit(
        "keras",
        "converts the scale and the offset to Keras's default of float32, so that 1/127.5 has 24 bits",
        "keras/src/layers/preprocessing/rescaling.py:43 (3.15.1)",
        {"backend": "tensorflow", "contender": "keras.layers.Rescaling", "dtype": "float64"},
    ),
}
