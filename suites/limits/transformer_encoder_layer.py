"""Known departures of a Transformer encoder layer."""

from gaugeblock import Limit
from suites.limits.attention import masked_within_float32
from suites.limits.transformer import of_layers
from suites.limits.transformer_encoder import ONE, UNEVEN

limits = {
    "gelu-constants-in-float32": Limit(
        "tensorflow",
        "the GELU rounds its constants to float32 (see activation)",
        "tensorflow/python/ops/nn_ops.py:3754",
        {"backend": "tensorflow", "dtype": "float64", "option": "gelu"},
    ),
    **{
        f"slope-of-a-lone-element-{backend}": Limit(
            package,
            "the gradient of a norm of one element is a sum of terms that cancel, and u/√ε of them is left",
            source,
            {
                "backend": backend,
                "option": "pre-norm",
                "size": ONE,
                "regime": "typical",
                "direction": "gradient",
            },
            always=False,
        )
        for backend, package, source in (
            ("tensorflow", "keras", "keras/src/ops/nn.py:3191 (3.15.1), differentiated"),
            ("jax", "flax", "flax/linen/normalization.py:142 (0.12.8), differentiated"),
        )
    },
    "masked-within-float32": masked_within_float32("padding-mask", "causal"),
    **of_layers(one=ONE, uneven=UNEVEN),
}
