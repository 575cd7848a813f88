"""Batch normalisation in inference, against each framework's layer and function.

Convention: γ (x − μ) / √(σ² + ε) + β with given running statistics. ε and the builds are those of
suites/batch_norm.py.
"""

from gaugeblock import Case, Contender
from reference.batch_norm import batch_norm_inference, batch_norm_inference_vjp
from suites.batch_norm import BARE, COMMON, in_flax, in_keras, in_torch, torch_modules

OPTIONS = {
    "plain": {"training": False},
    "bare": {"training": False, **BARE},
    "no-scale": {"training": False, "scale": False},
    "no-shift": {"training": False, "shift": False},
}


def in_tensorflow(weights, *, training, eps=1e-5, **option):
    import tensorflow as tf

    def run(params, x, mean, variance):
        affine = params.get("beta"), params.get("gamma")
        return {"y": tf.nn.batch_normalization(x, mean, variance, *affine, eps)}

    return dict(weights), run


NO_SCALE = {"no-scale": "has both weights or none"}

case = Case(
    name="batch-norm-inference",
    title="Batch normalisation, inference",
    reference=batch_norm_inference,
    gradient=batch_norm_inference_vjp,
    options=OPTIONS,
    contenders=(
        Contender("torch", "torch.nn.functional.batch_norm", in_torch),
        *torch_modules(without=NO_SCALE),
        Contender("tensorflow", "tensorflow.nn.batch_normalization", in_tensorflow),
        Contender("tensorflow", "keras.layers.BatchNormalization", in_keras),
        Contender("jax", "flax.linen.BatchNorm", in_flax),
    ),
    **COMMON,
)
