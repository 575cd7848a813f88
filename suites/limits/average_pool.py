"""Known departures of average pooling."""

from gaugeblock import LOW, Limit

limits = {
    "margin-of-last-pixels": Limit(
        "keras",
        "if one end has more padding, it repeats the last pixels there, and counts them",
        "keras/src/backend/torch/nn.py:282 (3.15.1); keras-team/keras#23233",
        {"backend": "keras-torch", "option": "same", "size": ("small", "mission")},
    ),
    "counts-in-float32": Limit(
        "flax",
        "if padding is excluded, it divides by counts in float32, so that the result is float32",
        "flax/linen/pooling.py:101 (0.12): jnp.ones without a dtype",
        {
            "backend": "jax",
            "contender": "flax.linen.avg_pool",
            "option": ("same", "ceil", "uncounted"),
            "dtype": LOW,
        },
    ),
}
