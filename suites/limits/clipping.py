"""Known departures of clipped gradients."""

from gaugeblock import Limit


def overflowing(package, backend, contender, what, source):
    return Limit(
        package,
        f"squares gradients in float16, where those of more than 256 overflow: {what}",
        source,
        {
            "backend": backend,
            "case": "clip-by-norm",
            "contender": contender,
            "regime": "large",
            "dtype": "float16",
        },
    )


limits = {
    "optax-squares-overflow": overflowing(
        "optax",
        "jax",
        "optax.clip_by_global_norm",
        "the norm is infinite, and the clipped gradient zero",
        "optax/transforms/_clipping.py:96 (0.2.8)",
    ),
    "tensorflow-squares-overflow": overflowing(
        "tensorflow",
        "tensorflow",
        "tensorflow.clip_by_global_norm",
        "the norm is infinite, and the clipped gradient NaN",
        "tensorflow/python/ops/clip_ops.py:285 (2.21.0)",
    ),
    "keras-squares-overflow": overflowing(
        "keras",
        "tensorflow",
        "keras.optimizers.SGD:clipnorm",
        "the norm is infinite, and the clipped gradient NaN",
        "keras/src/optimizers/base_optimizer.py:1184 (3.15.1)",
    ),
}
