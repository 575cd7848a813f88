"""Known departures of the triplet loss."""

from gaugeblock import Limit

limits = {
    "odd-power-without-size": Limit(
        "optax",
        "raises differences to an odd power without taking their sizes: a negative sum has no root",
        "optax/losses/_self_supervised.py:174 (0.2.8)",
        {
            "backend": "jax",
            "contender": "optax.losses.triplet_margin_loss",
            "option": "inside-cubic",
            "dtype": ("float64", "float32", "bfloat16", "float16"),
        },
        always=False,  # a few differences may all be positive
    ),
}
