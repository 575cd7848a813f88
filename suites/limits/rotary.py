"""Known departures of rotary positions: an angle of p radians that is rounded has an error of p u."""

from gaugeblock import Limit
from suites.limits.activation import DTYPES


def angles(package, backend, contender):
    """Frequencies and angles in the dtype, or in float32 if it is lower."""
    return Limit(
        package,
        "rounds frequencies and angles to the dtype, to float32 at least: at position p the error is p times "
        "that of the dtype",
        "as in Meta's Llama: vllm-project/vllm#863",
        {"backend": backend, "contender": contender, "dtype": DTYPES},
        always=False,  # not at the first positions
    )


LLAMA, GPTJ = (
    f"transformers.models.{each}.modeling_{each}.apply_rotary_pos_emb" for each in ("llama", "gptj")
)

limits = {
    "angles-in-torch": angles("torch", "torch", ("torch.cos", "torch.polar")),
    "angles-in-tensorflow": angles("tensorflow", "tensorflow", "tensorflow.cos"),
    "angles-in-jax": angles("jax", "jax", "jax.numpy.cos"),
    "angles-in-float32": Limit(
        "transformers",
        "has frequencies and angles in float32 for every dtype: at position p the error is p times that of "
        "float32",
        "transformers/models/llama/modeling_llama.py:111; transformers/models/gptj/modeling_gptj.py:47",
        {"backend": "torch", "contender": (LLAMA, GPTJ), "dtype": DTYPES},
        always=False,
    ),
}
