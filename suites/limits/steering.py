"""Known departures of the steering network."""

from gaugeblock import Limit

limits = {
    "scale-in-float32": Limit(
        "keras",
        "converts the scale and the offset to Keras's default of float32, so that 1/127.5 has 24 bits",
        "keras/src/layers/preprocessing/rescaling.py:43 (3.15.1)",
        {"backend": "tensorflow", "contender": "keras.layers.Rescaling", "dtype": "float64"},
    ),
    "scale-in-the-dtype": Limit(
        "keras",
        "rounds the scale 1/127.5 to the dtype of the images: all pixels are off by the same 0.4 %",
        "keras/src/layers/preprocessing/rescaling.py:43 (3.15.1)",
        {
            "backend": "tensorflow",
            "contender": "keras.layers.Rescaling",
            "dtype": "bfloat16",  # in which it is off by a whole unit; in float16 by a thirtieth
        },
        always=False,  # as large as one rounding, which hides it
    ),
}
